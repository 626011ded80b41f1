"""What tools ask of a server: what it serves, and a range of an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.tools_api import TOOLS_ROUTES
from tests.headwater.served import Served

MODULES = {
    "schema": """
        from headwater import Document, Index

        class Message(Document, table="messages"):
            room_id: str
            sent: float
            by_room = Index("room_id", "sent")
    """,
    "settings": """
        from headwater import Settings

        class Ours(Settings):
            there: str = "a secret default"
            also: int = 3
    """,
    "messages": """
        from backend.schema import Message
        from backend import settings
        from headwater import MutationCtx, mutation

        @mutation
        async def send(ctx: MutationCtx, room_id: str, sent: float) -> None:
            await ctx.db.insert(Message(room_id=room_id, sent=sent))
    """,
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with four messages in two rooms."""
    made = Served(tmp_path, modules=MODULES)
    for room, sent in (("a", 1), ("a", 2), ("a", 3), ("b", 9)):
        args = {"roomId": room, "sent": sent}
        made.post("/api/mutation", {"path": "messages:send", "args": args})
    yield made
    made.close()


def read(served: Served, **body: Any) -> Any:
    """A read, with the admin key."""
    return served.post("/api/v1/read", {"table": "messages", **body}, served.admin)


def sent(answer: Any) -> list[float]:
    """The messages of an answer."""
    return [document["sent"] for document in answer["documents"]]


def test_a_range_of_an_index_is_read(served: Served) -> None:
    """Equal fields, then one range, as `with_index` has them; each end with or without itself."""
    room = {"index": "by_room", "eq": {"room_id": "a"}}
    assert sent(read(served, **room)) == [1, 2, 3]
    assert sent(read(served, **room, lower={"sent__gt": 1})) == [2, 3]
    assert sent(read(served, **room, lower={"sent": 2}, upper={"sent__lt": 3})) == [2]
    assert sent(read(served, **room, order="desc", take=2)) == [3, 2]


def test_a_cursor_leads_on(served: Served) -> None:
    """From the last document that was given; there is none once there is no more."""
    first = read(served, take=3)
    rest = read(served, take=3, cursor=first["cursor"])
    assert (sent(first), sent(rest)) == ([1, 2, 3], [9])
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"table": "mesages"}, "there is no table 'mesages'"),
        ({"index": "by_rom"}, "Did you mean `by_room`?"),
        ({"index": "by_room", "eq": {"sent": 1}}, "ordered by room_id, sent"),
        ({"lower": {"creation_time__lt": 1}}, "creation_time__gt or __gte"),
        ({"take": 1000}, "1 to 100"),
        ({"filter": "x"}, "the body must be"),
        ({"cursor": "made up"}, "InvalidCursor"),
    ],
)
def test_a_read_that_cannot_be_says_why(served: Served, body: Any, text: str) -> None:
    """The same words as the function would have been told, and the nearest name."""
    answer = read(served, **body)
    assert text in f"{answer['code']} {answer['message']}"


def test_the_manifest_is_told_and_no_value_of_a_variable(served: Served) -> None:
    """Tables, functions and the names of variables, with whether they are set; nothing else."""
    headers = {"Authorization": served.admin}
    answer = served.request("GET", "/api/v1/manifest", headers=headers)
    told = answer.json()
    assert [table["name"] for table in told["manifest"]["tables"]] == ["messages"]
    assert [one["path"] for one in told["manifest"]["functions"]] == ["messages:send"]
    there = {one["name"]: one["set"] for one in told["variables"]}
    assert (there["ALSO"], there["THERE"]) == (False, False)
    assert "a secret default" not in answer.text


@pytest.mark.parametrize("path", sorted(TOOLS_ROUTES))
def test_strangers_are_refused(served: Served, path: str) -> None:
    """Without the admin key nothing is told."""
    method = "POST" if path.endswith("read") else "GET"
    assert served.request(method, path).status_code == 403
