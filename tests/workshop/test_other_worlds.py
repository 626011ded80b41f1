"""The jailed worker in three worlds: what depends on more than ctx shows, all else does not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from headwater.pipe import WorkerFailed
from headwater.worker_placement import WorkerPlacement
from headwater_workshop.checks import Lab
from headwater_workshop.lab.learner_process import LearnerProcess
from headwater_workshop.lab.other_worlds import OtherWorlds, three_worlds
from headwater_workshop.sandbox import jail

SCHEMA = """
from headwater import Document

class Note(Document, table="notes"):
    text: str
    at: float = 0
"""
NOTES = """
import os, random
from datetime import date
from headwater import ActionCtx, MutationCtx, QueryCtx, action, internal_mutation, mutation, query
from backend.schema import Note

calls = []

@mutation
async def good(ctx: MutationCtx) -> float:
    await ctx.db.insert(Note(text=str(ctx.random.random()), at=ctx.now))
    return ctx.random.random()

@mutation
async def by_day(ctx: MutationCtx) -> None:
    await ctx.db.insert(Note(text=str(date.today())))

@mutation
async def by_chance(ctx: MutationCtx) -> int:
    return random.randrange(10**9)

@mutation
async def by_order(ctx: MutationCtx) -> None:
    for word in {"red", "green", "blue", "white", "black"}:
        await ctx.db.insert(Note(text=word))

@mutation
async def sixth_is_refused(ctx: MutationCtx) -> None:
    calls.append(1)
    if len(calls) > 5:
        raise ValueError("no more tokens")

@query
async def count(ctx: QueryCtx) -> int:
    return len(await ctx.db.query(Note).take(100))

@mutation
async def note(ctx: MutationCtx, text: str) -> None:
    await ctx.db.insert(Note(text=text, at=ctx.now))

@action
async def in_steps(ctx: ActionCtx) -> int:
    seen = await ctx.run_query(count)
    await ctx.run_mutation(note, text=str(seen))
    return seen

@mutation
async def opens(ctx: MutationCtx) -> None:
    open("backend/notes.py")

@internal_mutation
async def end(ctx: MutationCtx) -> None:
    os._exit(3)

@mutation
async def end_later(ctx: MutationCtx) -> None:
    await ctx.scheduler.run_after(1000, end)
    await ctx.scheduler.run_after(2000, note, text="after")
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose worlds are jailed processes."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "backend").mkdir()
    (folder / "backend" / "schema.py").write_text(SCHEMA)
    (folder / "backend" / "notes.py").write_text(NOTES)

    def made(world: Any, launch: Any) -> WorkerPlacement:
        return WorkerPlacement(launch, folder, end=jail.kill, world=world)

    process = LearnerProcess(folder)
    worlds, worker = OtherWorlds(process.started_in, made, 3), made(None, process)
    lab = Lab(worker, {}, objective="L1.1", seed="1", worlds=worlds)
    yield lab
    lab.close()
    worlds.close()
    worker.close()


def test_what_comes_from_ctx_is_the_same_in_every_world(lab: Lab) -> None:
    """Time, chance and ids of three processes are those of the host."""
    replay = lab.replay(lab.anonymous, "notes:good", {})
    assert replay.same, replay
    assert all(attempt.ok for attempt in replay.attempts)
    assert lab.documents("notes") == []


@pytest.mark.parametrize(
    ("path", "field"),
    [("notes:byDay", "notes.text"), ("notes:byChance", "result"), ("notes:byOrder", "notes.text")],
)
def test_what_comes_from_elsewhere_shows(path: str, field: str, lab: Lab) -> None:
    """The day, chance that is not ctx's, the order of a set: no rule has to catch them first."""
    replay = lab.replay(lab.anonymous, path, {})
    assert (replay.same, replay.fields) == (False, (field,))
    assert all(attempt.ok for attempt in replay.attempts)


def test_rules_that_a_call_broke_are_named(lab: Lab) -> None:
    """The guards of `headwater dev` look on in the jail too."""
    lab.empty()
    lab.restart()  # some calls of each function are looked at closely, the first among them
    rules = [
        lab.anonymous.attempt(f"notes:{name}", {}).rule for name in ("byChance", "opens", "good")
    ]
    assert rules == ["HW202", "HW203", ""]


def test_a_restart_forgets_what_the_process_remembered(lab: Lab) -> None:
    """What is in a dict and not in the database is gone, and documents are there."""
    lab.empty()
    lab.anonymous.mutation("notes:note", {"text": "kept"})
    attempts = [lab.anonymous.attempt("notes:sixthIsRefused", {}) for _ in range(6)]
    assert (attempts[0].ok, attempts[-1].ok) == (True, False)
    lab.restart()
    assert lab.anonymous.attempt("notes:sixthIsRefused", {}).ok
    assert [each["text"] for each in lab.documents("notes")] == ["kept"]


def test_actions_in_the_jail_take_turns_at_every_step(lab: Lab) -> None:
    """Several are under way at once in one process; what a step did is its own action's."""
    lab.empty()
    calls: list[Any] = [(lab.anonymous, "notes:inSteps", {}) for _ in range(8)]
    attempts = lab.together(calls, kind="action")
    assert [len(attempt.changes) for attempt in attempts] == [1] * 8
    assert len({attempt.value for attempt in attempts}) < 8
    assert len(lab.documents("notes")) == 8


def test_a_scheduled_call_that_ends_the_process_fails_the_check(lab: Lab) -> None:
    """Also when later calls went well: nobody was there to hear of it."""
    lab.empty()
    lab.anonymous.mutation("notes:endLater", {})
    with pytest.raises(WorkerFailed, match="exit code 3"):
        lab.advance(seconds=5)
    assert [each["text"] for each in lab.documents("notes")] == ["after"]


def test_worlds_lie_months_apart_and_come_from_the_seed() -> None:
    """The same for a seed, so that a grading can be repeated."""
    before, later = sorted(three_worlds(Random(1)), key=lambda world: world.shift_s)[::2]
    assert (later.shift_s - before.shift_s) / 86_400 > 100
    assert three_worlds(Random(1)) == three_worlds(Random(1))
    assert len({world.hash_seed for world in three_worlds(Random(1))}) == 3
