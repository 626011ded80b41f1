"""The way to the project's Vite: what is passed on, and what is not."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from headwater.vite import Vite
from headwater.vite_proxy import ViteProxy
from tests.headwater.fake_vite import make_frontend

node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def vite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vite]:
    """One child for all."""
    child = Vite(make_frontend(tmp_path_factory.mktemp("frontend")), lambda *_: None)
    yield child
    child.end()


def ask(vite: Vite, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """One request through the proxy, and its answer."""

    async def ask_() -> httpx.Response:
        proxy = ViteProxy(vite)
        transport = httpx.ASGITransport(proxy)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
            try:
                return await client.request(method, path, **more)
            finally:
                await proxy.close()

    return asyncio.run(ask_())


@node
def test_a_request_is_passed_on_as_it_is(vite: Vite) -> None:
    """Path, query, headers and body arrive; Host is Vite's own, Origin stays at the gate."""
    headers = {"origin": "http://localhost:1", "x-mine": "yes"}
    asked = ask(vite, "/src/%40a%2Fb.tsx?t=1&x", "POST", headers=headers, content=b"hello").json()
    assert (asked["method"], asked["body"]) == ("POST", "hello")
    assert asked["url"] == "/src/%40a%2Fb.tsx?t=1&x"
    assert asked["headers"]["x-mine"] == "yes"
    assert "origin" not in asked["headers"]
    assert asked["headers"]["host"].startswith("127.0.0.1:")


@node
def test_an_answer_is_passed_on_without_leave_for_others(vite: Vite) -> None:
    """Its status and headers; but which origins may read it is not for Vite to say."""
    answer = ask(vite, "/teapot")
    assert answer.status_code == 418
    assert answer.headers["content-type"] == "application/json"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/nothing", {}, 404),
        ("/src/main.tsx", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
    ],
)
def test_what_is_no_business_of_vite_is_refused(
    vite: Vite, path: str, headers: dict[str, str], status: int
) -> None:
    """An unknown address of the API is no page; another site may not load our code into its own."""
    assert ask(vite, path, headers=headers).status_code == status


@node
def test_a_link_from_another_site_may_be_followed(vite: Vite) -> None:
    """It opens a page of its own."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert ask(vite, "/", headers=headers).status_code == 200


def test_what_is_lacking_is_said_by_the_page(tmp_path: Path) -> None:
    """Not installed: the page says how, and looks again by itself."""
    (tmp_path / "package.json").write_text('{"devDependencies": {"vite": "*"}}')
    answer = ask(Vite(tmp_path, lambda *_: None), "/")
    assert answer.status_code == 503
    assert "npm ci" in answer.text
    assert 'http-equiv="refresh"' in answer.text
