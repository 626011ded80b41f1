"""What has changed on a server, for whoever is to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.headwater.served import Served

ADD = {"path": "tasks:add", "args": {"title": "a", "copies": 3}}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with tasks."""
    made = Served(tmp_path)
    yield made
    made.close()


def news(served: Served, **place: Any) -> Any:
    """What the server tells."""
    headers = {"Authorization": served.admin}
    return served.request("GET", "/api/v1/changes", params=place, headers=headers).json()


def place(told: Any) -> dict[str, Any]:
    """Where to go on."""
    return {"cursor": told["cursor"], "epoch": told["epoch"]}


def test_tables_that_were_written_to_are_told(served: Served) -> None:
    """Once, to whoever had not seen it; a query changes nothing."""
    began = news(served)
    assert (began["tables"], began["code"]) == ([], False)
    assert news(served, **place(began))["tables"] == []
    served.post("/api/mutation", ADD)
    told = news(served, **place(began))
    assert "tasks" in told["tables"]
    assert told["code"] is False
    served.post("/api/query", {"path": "tasks:titles", "args": {}})
    assert news(served, **place(told))["tables"] == []


def test_who_was_away_for_long_is_told_of_every_table(served: Served) -> None:
    """While nobody asks, commits are not looked into: any table may have changed."""
    began = news(served)
    served.post("/api/mutation", ADD)
    told = news(served, **place(began))
    assert told["tables"] == sorted(served.hub.engine.database.catalog.tables)


def test_an_import_may_have_written_to_any_table(served: Served) -> None:
    """It works on the database itself, so every table is told."""
    began = news(served)
    news(served, **place(began))
    headers, query = {"Authorization": served.admin}, {"format": "jsonl", "table": "notes"}
    body = b'{"text": "a"}'
    sent = served.request("POST", "/api/data/import", params=query, content=body, headers=headers)
    assert "done" in sent.text
    assert {"notes", "tasks"} <= set(news(served, **place(began))["tables"])


def test_code_that_was_loaded_anew_is_told(served: Served) -> None:
    """So that schemas and functions are read again."""
    began = news(served)
    served.changes.loaded()
    assert news(served, **place(began))["code"] is True


def test_another_life_of_the_server_is_told_as_all_new(served: Served) -> None:
    """Its cursors begin anew, so nothing is known of what was missed."""
    told = news(served, cursor=0, epoch="another")
    assert told["code"] is True
    assert told["tables"] == sorted(served.hub.engine.database.catalog.tables)


def test_who_waits_is_woken(served: Served) -> None:
    """By the next change, and not by asking again: the wait ends long before its time."""

    async def story() -> None:
        changes = served.changes
        waiting = asyncio.create_task(changes.wait(changes.newest, 3600))
        await asyncio.sleep(0)
        changes.loaded()
        async with asyncio.timeout(20):
            await waiting

    asyncio.run(story())


def test_places_that_are_none_are_refused(served: Served) -> None:
    """A cursor is a number of this server."""
    began = news(served)
    assert "whole number" in news(served, cursor="x", epoch=began["epoch"])["message"]
