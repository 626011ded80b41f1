"""Pages made with the official React client, in headless Chromium, against a real server."""

from __future__ import annotations

import math
import random
import re
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, FilePayload, Locator, Page, WebSocket, expect

from headwater.codegen import write
from headwater.loader import load
from tests.scenarios.chromium import chromium
from tests.scenarios.conftest import OpenClient
from tests.scenarios.held_line import HeldLine
from tests.scenarios.server_process import ServerProcess, wait_for
from tests.scenarios.typescript import compile_frontend, node_modules

OpenPage = Callable[..., Page]

ISSUER = "https://auth.example.org"
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
AUTH_CONFIG = f"""
from headwater import CustomJwt

providers = [CustomJwt({ISSUER!r}, key={PEM!r}, algorithm="ES256")]
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all windows."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The app of the pages, its frontend bundled with the generated types, and served."""
    process = ServerProcess(tmp_path_factory.mktemp("react"), app="react")
    (process.project / "backend/auth_config.py").write_text(AUTH_CONFIG)
    bundle(process.project)
    try:
        yield process.start("dev")
    finally:
        process.end()


def bundle(project: Path) -> None:
    """Makes `frontend/app.js`, as a bundler of the frontend's own would."""
    frontend = project / "frontend"
    (frontend / "node_modules").symlink_to(node_modules(), target_is_directory=True)
    write(frontend / "src/_generated", load(project).manifest)
    command = [
        *("node", str(node_modules() / "esbuild/bin/esbuild"), "src/main.tsx", "--bundle"),
        *("--format=esm", "--jsx=automatic", "--outfile=app.js", "--log-level=warning"),
        '--define:process.env.NODE_ENV="development"',
    ]
    subprocess.run(command, cwd=frontend, timeout=60, check=True)


@pytest.fixture
def line(server: ServerProcess) -> Iterator[HeldLine]:
    """A line to the server that can be held."""
    held = HeldLine(server.port)
    yield held
    held.end()


@pytest.fixture
def open_page(server: ServerProcess, browser: Browser) -> Iterator[OpenPage]:
    """Opens a page in a window of its own; one that has an uncaught error fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(name: str, prepare: Callable[[Page], object] = repr, **parameters: str) -> Page:
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        prepare(page)
        page.goto(f"{server.url}/?{urlencode(parameters)}#{name}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def put(server: ServerProcess, room: str, *places: float) -> None:
    """Puts a message into each place."""
    for place in places:
        server.call("mutation", "rooms:put", room=room, place=place, body=f"number {place:g}")


def places(page: Page) -> list[float]:
    """The places of the messages shown, in the order shown."""
    shown: list[float] = page.evaluate(
        "[...document.querySelectorAll('li')].map(item => Number(item.dataset.place))"
    )
    return shown


def shows(page: Page, expected: list[float]) -> None:
    """Waits until exactly these messages are shown."""
    try:
        wait_for(lambda: places(page) == expected, "the messages")
    except AssertionError as error:
        raise AssertionError(f"{error}; shown {places(page)}, expected {expected}") from None


# --- types ---


def test_the_pages_compile(server: ServerProcess) -> None:
    """`tsc --strict` finds nothing wrong with them and the types of their backend."""
    compiled = compile_frontend(server.project / "frontend")
    assert compiled.exit_code == 0, compiled.output


# --- usePaginatedQuery ---


def load_more(page: Page) -> None:
    """Clicks the button, which waits for the page before."""
    page.get_by_role("button", name="Load more").click()


def test_pages_are_loaded_one_after_another(server: ServerProcess, open_page: OpenPage) -> None:
    """Five, ten, then the rest and the end of it."""
    put(server, "long", *range(1, 13))
    page = open_page("paged", room="long")
    shows(page, list(range(1, 6)))
    expect(page.get_by_role("status")).to_have_text("CanLoadMore")
    load_more(page)
    shows(page, list(range(1, 11)))
    load_more(page)
    shows(page, list(range(1, 13)))
    expect(page.get_by_role("status")).to_have_text("Exhausted")


def test_changes_between_pages_leave_no_gap_and_no_double(
    server: ServerProcess, open_page: OpenPage
) -> None:
    """Put at the seam, taken from it, before it and after it: each message is shown once."""
    put(server, "seam", *range(10, 130, 10))
    page = open_page("paged", room="seam")
    shows(page, [10, 20, 30, 40, 50])
    load_more(page)
    shows(page, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    put(server, "seam", 55, 5, 200)
    shows(page, [5, 10, 20, 30, 40, 50, 55, 60, 70, 80, 90, 100])
    for gone in (50, 60, 55):
        server.call("mutation", "rooms:remove", room="seam", place=gone)
    shows(page, [5, 10, 20, 30, 40, 70, 80, 90, 100])
    put(server, "seam", 51, 59)
    shows(page, [5, 10, 20, 30, 40, 51, 59, 70, 80, 90, 100])
    load_more(page)
    shows(page, [5, 10, 20, 30, 40, 51, 59, 70, 80, 90, 100, 110, 120, 200])


class Walk:
    """Random puts and removals in a room whose pages are open, and what they must show."""

    def __init__(self, server: ServerProcess, open_page: OpenPage, seed: int) -> None:
        self.server, self.room = server, f"random {seed}"
        self.chance = random.Random(seed)
        self.stored = {float(place) for place in range(0, 600, 20)}
        put(server, self.room, *sorted(self.stored))
        self.page = open_page("paged", room=self.room)
        shows(self.page, sorted(self.stored)[:5])
        self.end = 80.0  # the pages loaded reach so far, whatever is put or removed

    def step(self) -> None:
        """Puts or removes one, in the pages or a little behind them; waits until that shows."""
        place = float(self.chance.randrange(int(min(self.end, 600)) + 40))
        if place in self.stored:
            self.stored.discard(place)
            self.server.call("mutation", "rooms:remove", room=self.room, place=place)
        elif place != self.end:  # of two in one place the later comes after the page's end
            self.stored.add(place)
            put(self.server, self.room, place)
        shows(self.page, sorted(one for one in self.stored if one <= self.end))

    def load_more(self) -> None:
        """Loads one page more, unless all are loaded."""
        status = self.page.get_by_role("status")
        if status.text_content() != "Exhausted":
            load_more(self.page)
            expect(status).to_have_text(re.compile("CanLoadMore|Exhausted"))
            done = status.text_content() == "Exhausted"
            self.end = math.inf if done else max(places(self.page))


@pytest.mark.parametrize(
    ("seed", "steps"),
    [(7, 50), *(pytest.param(seed, 300, marks=pytest.mark.prove) for seed in range(4))],
)
def test_pages_stay_whole_under_random_changes(
    seed: int, steps: int, server: ServerProcess, open_page: OpenPage
) -> None:
    """After each change the pages are the room as far as they reach, gapless, without doubles."""
    walk = Walk(server, open_page, seed)
    for number in range(steps):
        walk.step()
        if number % 20 == 10:
            walk.load_more()
    while walk.end < math.inf:
        walk.load_more()
    shows(walk.page, sorted(walk.stored))


HALF = '"endCursor":"'
"""In what the client sends when it asks for a page that ends at a cursor."""


def test_a_page_that_grows_is_split(server: ServerProcess, open_page: OpenPage) -> None:
    """Past twice its size the client asks for its halves, by the cursors given; nothing moves."""
    put(server, "grows", 1, 2, 3, 4, 5, 6)
    asked: list[str] = []

    def prepare(page: Page) -> None:
        page.on(
            "websocket",
            lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))),
        )

    page = open_page("paged", prepare, room="grows")
    shows(page, [1, 2, 3, 4, 5])
    put(server, "grows", *(4 + n / 10 for n in range(1, 10)))
    shows(page, [1, 2, 3, 4, *(4 + n / 10 for n in range(1, 10)), 5])
    wait_for(lambda: places(page) and "".join(asked).count(HALF) >= 2, "both halves")
    server.call("mutation", "rooms:remove", room="grows", place=4.5)
    load_more(page)
    shows(page, [1, 2, 3, 4, *(4 + n / 10 for n in range(1, 10) if n != 5), 5, 6])


# --- optimistic updates ---


def items(page: Page, kind: str) -> Locator:
    """The messages that wait for the server, or that it has stored."""
    return page.locator(f"li.{kind}")


def say(page: Page, body: str) -> None:
    """Types a message and sends it."""
    page.get_by_label("Message").fill(body)
    page.get_by_role("button", name="Send").click()


def test_a_message_is_shown_before_the_server_has_answered(
    server: ServerProcess, line: HeldLine, open_page: OpenPage
) -> None:
    """At once while nothing arrives; then the stored one takes its place, without a double."""
    page = open_page("optimistic", room="quick", url=line.url)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    line.hold()
    say(page, "hello")
    expect(items(page, "waiting")).to_have_text(["hello"])
    say(page, "again")
    expect(items(page, "waiting")).to_have_text(["hello", "again"])
    stored = partial(server.call, "query", "rooms:allMessages", room="quick")
    wait_for(lambda: len(stored()) == 2, "the server has both")
    expect(items(page, "stored")).to_have_count(0)
    line.release()
    expect(items(page, "stored")).to_have_text(["hello", "again"])
    expect(items(page, "waiting")).to_have_count(0)


def test_a_refused_message_is_taken_back(line: HeldLine, open_page: OpenPage) -> None:
    """Shown until the refusal arrives, then gone, and the reason is there; others stay."""
    page = open_page("optimistic", room="polite", url=line.url)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    line.hold()
    say(page, "kind")
    say(page, "rude word")
    expect(items(page, "waiting")).to_have_text(["kind", "rude word"])
    line.release()
    expect(page.get_by_role("alert")).to_have_text("RUDE")
    expect(items(page, "stored")).to_have_text(["kind"])
    expect(items(page, "waiting")).to_have_count(0)


# --- files ---


def png(width: int, height: int) -> bytes:
    """A picture of random dots, as a file."""
    rows = b"".join(b"\0" + random.Random(y).randbytes(3 * width) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


FETCH = """async url => {
  const reply = await fetch(url, { cache: "no-store" });
  return [reply.status, [...new Uint8Array(await reply.arrayBuffer())]];
}"""


def test_a_file_goes_up_and_comes_down_again(open_page: OpenPage) -> None:
    """What one window uploads, another shows: the very bytes; removed, it is gone for both."""
    content = png(300, 200)
    mine, other = (open_page("files", album="spring") for _ in range(2))
    chosen: FilePayload = {"name": "dots.png", "mimeType": "image/png", "buffer": content}
    mine.get_by_label("Picture").set_input_files(chosen)
    mine.get_by_role("button", name="Upload").click()
    picture = other.get_by_role("img", name="dots.png")
    expect(picture).to_be_visible()
    expect(other.locator("figcaption")).to_contain_text(f"{len(content)} bytes, image/png")
    wait_for(lambda: picture.evaluate("it => it.naturalWidth") == 300, "the picture is decoded")
    url = picture.get_attribute("src")
    assert other.evaluate(FETCH, url) == [200, list(content)]
    mine.get_by_role("button", name="Remove").click()
    for page in (mine, other):
        expect(page.locator("figure")).to_have_count(0)
    assert other.evaluate(FETCH, url)[0] == 404


# --- search as you type ---


def test_a_search_follows_what_is_typed_and_what_is_written(
    server: ServerProcess, open_page: OpenPage
) -> None:
    """Each key narrows it; a message of somebody else comes into it and goes out of it again."""
    for body in ("water the roses", "wait for rain", "Roses want water", "nothing"):
        server.call("mutation", "rooms:send", room="garden", body=body)
    server.call("mutation", "rooms:send", room="other", body="water elsewhere")
    page = open_page("search", room="garden")
    found, words, status = (
        page.locator("li"),
        page.get_by_label("Words"),
        page.get_by_role("status"),
    )
    words.press_sequentially("wa")
    expect(status).to_have_text("wa")
    assert set(found.all_text_contents()) == {
        "water the roses",
        "wait for rain",
        "Roses want water",
    }
    words.press_sequentially("ter r")
    expect(found).to_have_count(3)  # `r` begins roses, and rain, too
    words.press_sequentially("oses")
    expect(found).to_have_count(2)
    server.call("mutation", "rooms:put", room="garden", place=0.5, body="rain water")
    expect(found).to_have_count(3)
    expect(found.last).to_have_text("rain water")
    server.call("mutation", "rooms:remove", room="garden", place=0.5)
    expect(found).to_have_count(2)
    words.fill("")
    expect(found).to_have_count(0)


# --- preloaded queries ---


def test_a_preloaded_query_is_shown_at_once_and_then_lives(
    server: ServerProcess, line: HeldLine, open_page: OpenPage, open_client: OpenClient
) -> None:
    """What `preloadQuery` gave in Node is there before anything arrives; then changes follow."""
    put(server, "early", 1, 2)
    preload = open_client("next", server).call("preload", "rooms:allMessages", room="early")
    put(server, "early", 3)
    line.hold()
    script = f"window.preloaded = {preload['payload']}"
    page = open_page("preloaded", lambda page: page.add_init_script(script), url=line.url)
    expect(page.locator("li")).to_have_text(["number 1", "number 2"])
    line.release()
    expect(page.locator("li")).to_have_text(["number 1", "number 2", "number 3"])
    put(server, "early", 4)
    expect(page.locator("li").last).to_have_text("number 4")


# --- authentication ---


class Provider:
    """A provider people sign in at: gives tokens of the lifetimes it was told, in turn."""

    def __init__(self, *lifetimes_s: float) -> None:
        self._lifetimes_s = list(lifetimes_s)
        self.asked: list[bool] = []

    def next_token(self, forced: bool) -> str:
        """A token for ana; the last lifetime is that of all further ones."""
        self.asked.append(forced)
        first, *rest = self._lifetimes_s
        self._lifetimes_s = rest or [first]
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "ana", "iat": now, "exp": now + first}
        return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "one"})


def test_the_page_recovers_when_its_token_expires(open_page: OpenPage) -> None:
    """The server ends the session of a token of three seconds; the page gets a new one by itself.

    Nobody is signed out meanwhile; then signing out makes it nobody's page.
    """
    provider = Provider(600, 3, 600)
    sockets: list[WebSocket] = []

    def prepare(page: Page) -> None:
        page.expose_function("nextToken", provider.next_token)
        page.on("websocket", lambda socket: sockets.append(socket))

    page = open_page("signed", prepare)
    status = page.get_by_role("status")
    expect(status).to_have_text("ana")
    # The client asks for a fresh one at once, this time of three seconds; the third is by need.
    wait_for(lambda: not page.evaluate("0") and len(provider.asked) == 3, "a token by need")
    assert provider.asked == [False, True, True]
    wait_for(lambda: not page.evaluate("0") and len(sockets) == 2, "another session")
    expect(status).to_have_text("ana")
    states: list[str] = page.evaluate("window.states")
    assert states[states.index("in ana") :] == ["in ana"]
    page.get_by_role("button", name="Sign out").click()
    expect(status).to_have_text("nobody")
    expect(page.get_by_text("Signed out.")).to_be_visible()
    assert len(sockets) == 2


# --- an action that streams ---


def test_a_story_is_read_while_it_is_written(open_page: OpenPage) -> None:
    """An action writes in batches; another tab sees the text grow, each state a whole batch."""
    teller, reader = (open_page("story", title="The river") for _ in range(2))
    for page in (teller, reader):
        expect(page.get_by_role("status")).to_have_text("…")
    teller.get_by_role("button", name="Tell it").click()
    for page in (reader, teller):
        expect(page.get_by_role("status")).to_have_text("The end")
        expect(page.locator("blockquote")).to_contain_text("the tables of a town")
        seen: list[str] = page.evaluate("window.seen")
        assert len(seen) > 4
        assert all(later.startswith(text) for text, later in pairwise(seen))
        assert all(len(text.split()) % 2 == 0 for text in seen[:-1])
