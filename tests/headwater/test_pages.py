"""What a browser is given of a project's folder."""

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from headwater.auth import Auth
from headwater.clock import Clock
from headwater.pages import add_pages

SECRET = "not for visitors"


class Browser:
    """A browser on this machine."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))

    def ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        """One request and its answer."""

        async def ask() -> httpx.Response:
            client = httpx.AsyncClient(transport=self._transport, base_url="http://localhost")
            async with client:
                return await client.request(method, path, content=content)

        return asyncio.run(ask())


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """A browser before a project with a frontend."""
    root = tmp_path / "project"
    pages = root / "frontend"
    (pages / ".git").mkdir(parents=True)
    for name in (".env", ".env.local", ".git/config", "../secret"):
        (pages / name).write_text(SECRET)
    (pages / "index.html").write_text("<h1>Tasks</h1>")
    (pages / "app.js").write_text("start()")
    (pages / "link").symlink_to("../secret")
    app = FastAPI()
    add_pages(app, root, Auth(root / ".headwater", Clock()), dev=True)
    return Browser(app)


@pytest.mark.parametrize(("path", "text"), [("/", "<h1>Tasks</h1>"), ("/app.js", "start()")])
def test_files_of_the_frontend_are_given(browser: Browser, path: str, text: str) -> None:
    """The page and what it loads."""
    assert browser.ask("GET", path).text == text


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.env.local",
        "/.git/config",
        "/%2egit/config",
        "/link",
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/x/../../secret",
        "/.headwater/admin_key",
        "/%00",
    ],
)
def test_hidden_and_outside_files_are_not(browser: Browser, path: str) -> None:
    """Neither names that begin with a dot, nor ways out of the folder."""
    answer = browser.ask("GET", path)
    assert (answer.status_code, SECRET in answer.text) == (404, False)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"subject": "ana"}', 200),
        (b'{"subject": ""}', 400),
        (b'{"subject": 5}', 400),
        (rb'{"subject": "\ud800"}', 400),
        (b"[" * 5_000, 400),
        (b"\xff", 400),
        (b" " * 1_000_000, 413),
    ],
)
def test_a_token_is_given_to_a_name(browser: Browser, body: bytes, status: int) -> None:
    """Anything else is refused by a sentence, however large or deep."""
    assert browser.ask("POST", "/dev/token", content=body).status_code == status


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A project whose frontend was built by Vite."""
    frontend = tmp_path / "project/frontend"
    (frontend / "dist/assets").mkdir(parents=True)
    (frontend / "package.json").write_text('{"devDependencies": {"vite": "8"}}')
    for name, text in {
        "index.html": '<script src="/src/main.tsx">',
        ".env": SECRET,
        "src.tsx": SECRET,
        "dist/index.html": "<h1>Built</h1>",
        "dist/assets/index-1a2b.js": "start()",
        "dist/.env": SECRET,
    }.items():
        (frontend / name).write_text(text)
    return tmp_path / "project"


def serving(root: Path) -> Browser:
    """A browser before a project that is served, not developed."""
    app = FastAPI()
    add_pages(app, root, Auth(root / ".headwater", Clock()), dev=False)
    return Browser(app)


@pytest.mark.parametrize(
    ("path", "status", "text", "cache"),
    [
        ("/", 200, "<h1>Built</h1>", "no-cache"),
        ("/projects/5", 200, "<h1>Built</h1>", "no-cache"),
        ("/assets/index-1a2b.js", 200, "start()", "public, max-age=31536000, immutable"),
        ("/assets/index-old.js", 404, "", None),
        ("/src.tsx", 404, "", None),
        ("/../package.json", 404, "", None),
        ("/api/nothing", 404, "", None),
    ],
)
def test_what_vite_built_is_served(
    built: Path, path: str, status: int, text: str, cache: str | None
) -> None:
    """The page for any address that is no file's; code for ever, by its hash; no source."""
    answer = serving(built).ask("GET", path)
    assert answer.status_code == status
    assert text in answer.text
    assert SECRET not in answer.text
    assert answer.headers.get("cache-control") == cache


@pytest.mark.parametrize("path", ["/.env", "/assets/../../.env", "/%2e%2e/.env"])
def test_hidden_files_of_a_build_are_not_served(built: Path, path: str) -> None:
    """Neither from the build nor from beside it."""
    assert SECRET not in serving(built).ask("GET", path).text


def test_a_frontend_that_is_not_built_says_how(built: Path) -> None:
    """Never its sources in place of it."""
    (built / "frontend/dist/index.html").unlink()
    answer = serving(built).ask("GET", "/")
    assert (answer.status_code, "npm run build" in answer.text) == (503, True)


def test_a_build_is_served_without_its_sources(built: Path) -> None:
    """An image holds `frontend/dist` alone."""
    for name in ("package.json", "index.html"):
        (built / "frontend" / name).unlink()
    assert serving(built).ask("GET", "/").text == "<h1>Built</h1>"
