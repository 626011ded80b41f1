"""Files, search and signing in, as a page uses them; and that the pages compile."""

from __future__ import annotations

import random
import struct
import zlib

from playwright.sync_api import FilePayload, Page, WebSocket, expect

from tests.scenarios.react.conftest import OpenPage
from tests.scenarios.react.provider import Provider
from tests.scenarios.server_process import ServerProcess, wait_for
from tests.scenarios.typescript import compile_frontend


def test_the_pages_compile(server: ServerProcess) -> None:
    """`tsc --strict` finds nothing wrong with them and the types of their backend."""
    compiled = compile_frontend(server.project / "frontend")
    assert compiled.exit_code == 0, compiled.output


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
