"""The hand-written server does what it is compared for."""

import asyncio
from pathlib import Path

import httpx
from benchmarks.handwritten.server import Store, build_app


def test_a_toggle_turns_one_task_around(tmp_path: Path) -> None:
    """The task of that id on that board, back and forth; the others stay as they are."""
    store = Store(tmp_path / "board.sqlite3")
    plant, choose = store.create("Garden", ["Plant the trees", "Choose a name"])

    def completed() -> dict[str, bool]:
        return {row["id"]: row["completed"] for row in store.newest(("Garden", 10))}

    assert store.toggle("Garden", plant) is True
    assert completed() == {plant: True, choose: False}
    assert store.toggle("Garden", plant) is False
    assert completed() == {plant: False, choose: False}
    store.db.close()


def test_the_page_is_served(tmp_path: Path) -> None:
    """The windows of the measure find the page at the server's root."""

    async def fetched() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(tmp_path / "board.sqlite3"))
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            return await client.get("/")

    page = asyncio.run(fetched())
    assert page.headers["content-type"].startswith("text/html")
    assert "new WebSocket" in page.text
