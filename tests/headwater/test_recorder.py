"""The recorder: every call that ended is in the records, whoever ran it and however it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from headwater import ActionCtx, MutationCtx, action, mutation
from headwater.clock import Clock
from headwater.core.calls import Call, Outcome
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.work import Execute
from headwater.errors import StorageFailure
from headwater.hub import Hub
from headwater.recorder import Recorder
from headwater.records import Record, Records
from headwater.settings import Limits
from tests.headwater.core.things import app_of


class FullDisk(Clock):
    """A world whose disk takes no commit once it is full."""

    full = False

    def fault(self, point: str) -> None:
        """Raises at a commit."""
        if self.full and point == "commit":
            raise StorageFailure("the disk is full")


@mutation
async def write(ctx: MutationCtx) -> None:
    """Writes something."""
    await ctx.db.insert("notes", {"text": "a"})


@action
async def outside(ctx: ActionCtx) -> None:
    """Runs a mutation."""
    await ctx.run_mutation(write)


@action
async def wait(ctx: ActionCtx) -> None:
    """Does not end by itself."""
    await asyncio.Event().wait()


class Deployed:
    """An engine and its recorder."""

    def __init__(self) -> None:
        self.clock, limits = FullDisk(), Limits()
        database = Database(SqliteStorage(), self.clock, limits)
        app = app_of(write, outside, wait)
        self.hub = Hub(Engine(database, InProcess(app, limits)))

    def run(self, *paths: str) -> list[Outcome]:
        """Mutations, as one batch."""
        outcomes: list[Outcome] = []
        works = [
            Execute(Call(path, "mutation", {}), lambda outcome, _ts: outcomes.append(outcome))
            for path in paths
        ]
        for output in self.hub.engine.process(works):
            output.send()
        return outcomes

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return self.hub.recorder.records.since(0, 100).records


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    """One with an empty database in memory."""
    made = Deployed()
    yield made
    made.hub.engine.database.storage.close()


def test_a_commit_that_is_lost_is_recorded_as_failed(deployed: Deployed) -> None:
    """Under the id its caller is told; when the call ran it had not failed yet."""
    deployed.clock.full = True
    first, second = deployed.run("things:write", "things:write")
    records = deployed.records
    assert [record.failed for record in records] == [False, False, True, True]
    assert [record.request_id for record in records[2:]] == [first.request_id, second.request_id]
    assert records[2].failure is not None
    assert records[2].failure.tag == "StorageFailure"


def test_an_action_whose_caller_goes_away_is_recorded(deployed: Deployed) -> None:
    """It is cancelled, which nobody else would learn."""

    async def leave() -> None:
        running = asyncio.create_task(deployed.hub.actions.run(Call("things:wait", "action", {})))
        while not deployed.hub.actions.host.running:
            await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(leave())
    (record,) = deployed.records
    assert (record.kind, record.function) == ("action", "things:wait")
    assert record.failure is not None
    assert "its caller is gone" in record.failure.message


def test_requests_to_routes_are_counted_by_their_method(deployed: Deployed) -> None:
    """Paths hold ids, and a client may make up methods too."""
    for path in ("GET /users/1", "GET /users/2", "BREW /pot"):
        deployed.hub.engine.on_call(Call(path, "http", {}), Outcome(took_s=0.1))
    assert {key[0] for key in deployed.hub.recorder.figures} == {"GET", "(none)"}
    assert [record.function for record in deployed.records][1] == "GET /users/2"


def test_an_engine_can_be_recorded_without_a_hub() -> None:
    """Each call gets the time it took."""
    limits = Limits()
    database = Database(SqliteStorage(), Clock(), limits)
    engine = Engine(database, InProcess(app_of(write), limits))
    recorder = Recorder(Records(limits))
    recorder.attach(engine)
    engine.process([Execute(Call("things:write", "mutation", {}), lambda _outcome, _ts: None)])
    (record,) = recorder.records.since(0, 10).records
    assert 0 < record.took_ms < 60_000
    assert record.counters.documents_written == 1
    database.storage.close()
