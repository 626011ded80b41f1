"""Crons: declared by name, internal, never overlapping, and one of each however often loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import CronJob, Crons, MutationCtx, internal_mutation, mutation
from headwater.clock import VirtualClock
from headwater.core import schedules
from headwater.core.crons import Target
from headwater.core.manifest import CronSpec, Manifest
from headwater.core.placement import InProcess
from headwater.core.work import Reload
from headwater.errors import RegistrationError, RuleViolation
from headwater.loader import load
from headwater.settings import Limits
from headwater.testing import Backend
from tests.headwater.core.things import app_of
from tests.headwater.projects import write_project

DAY_MS = 86_400_000.0
START_MS = 1_699_920_000_000.0  # midnight, 14 November 2023, a Tuesday

BACKEND = """
from headwater import (
    ActionCtx, CronJob, Document, MutationCtx, QueryCtx, internal_action, internal_mutation, query,
)

class Tick(Document, table="ticks"):
    name: str
    at: float

@internal_mutation
async def tick(ctx: MutationCtx, name: str = "tick") -> None:
    await ctx.db.insert(Tick(name=name, at=ctx.now))

@internal_action
async def slow(ctx: ActionCtx) -> None:
    await ctx.run_mutation(tick, name="slow")

@query
async def ticks(ctx: QueryCtx) -> list[float]:
    return [tick.at for tick in await ctx.db.query(Tick).collect()]

@query
async def crons(ctx: QueryCtx) -> list[CronJob]:
    return await ctx.db.system.query(CronJob).collect()
"""

EVERY_MINUTE = """
from headwater import Crons
from backend.ticking import tick

crons = Crons()
crons.interval("beat", tick, minutes=1, args={"name": "beat"})
"""


def project(tmp_path: Path, crons: str = EVERY_MINUTE) -> Path:
    """A project with crons."""
    return write_project(tmp_path, ticking=BACKEND, crons=crons)


def backend_at(root: Path) -> Backend:
    """Its backend, at midnight."""
    return Backend.load(root, clock=VirtualClock(start_ms=START_MS))


def reload(backend: Backend, root: Path) -> None:
    """Saves the backend anew."""
    said: list[Any] = []
    work = Reload(lambda: InProcess(load(root), Limits()), said.append)
    backend._host.process(work)
    assert said == [None]


def minutes(backend: Backend) -> list[float]:
    """When the cron ran, in minutes since midnight."""
    return [round((at - START_MS) / 60_000, 3) for at in backend.query("ticking:ticks")]


def test_an_interval_runs_at_once_and_then_each_time(tmp_path: Path) -> None:
    """As in Convex: the first run comes with the deploy."""
    backend = backend_at(project(tmp_path))
    backend.advance(minutes=2.5)
    assert minutes(backend) == [0, 1, 2]


def test_last_and_next_run_are_to_be_seen(tmp_path: Path) -> None:
    """In the system table of crons."""
    backend = backend_at(project(tmp_path))
    backend.advance(seconds=90)
    (cron,) = backend.query("ticking:crons")
    assert (cron["name"], cron["function"], cron["schedule"]) == (
        "beat",
        "ticking.js:tick",
        "every 60 s",
    )
    assert cron["args"] == [{"name": "beat"}]
    assert (cron["lastRun"], cron["nextRun"]) == (START_MS + 60_000, START_MS + 120_000)


def test_loading_again_leaves_one_of_each_at_its_time(tmp_path: Path) -> None:
    """However often a file is saved, the cron neither doubles nor begins anew."""
    root = project(tmp_path)
    backend = backend_at(root)
    backend.advance(seconds=90)
    for _ in range(3):
        reload(backend, root)
    backend.advance(seconds=60)
    assert minutes(backend) == [0, 1, 2]
    assert len(backend.query("ticking:crons")) == 1


def test_a_changed_schedule_counts_from_the_change(tmp_path: Path) -> None:
    """And a cron that is taken out is gone."""
    root = project(tmp_path)
    backend = backend_at(root)
    backend.advance(seconds=1)
    write_project(root, crons=EVERY_MINUTE.replace("minutes=1", "minutes=10"))
    reload(backend, root)
    backend.advance(minutes=11)
    assert minutes(backend) == [0, 10.017]
    write_project(root, crons="")
    reload(backend, root)
    backend.advance(hours=1)
    assert len(minutes(backend)) == 2
    assert backend.query("ticking:crons") == []


def test_runs_that_a_stopped_server_missed_are_skipped(tmp_path: Path) -> None:
    """After a night without power a cron runs once, then at its own times again."""
    backend = backend_at(project(tmp_path))
    backend.advance()
    backend.clock.advance(8 * 3_600_000 + 30_000)  # nobody ran anything
    backend.advance()
    backend.advance(minutes=1)
    assert minutes(backend) == [0, 480.5, 481]


def test_a_run_that_goes_on_is_not_overlapped(tmp_path: Path) -> None:
    """While an action of a cron runs, its next runs are skipped."""
    crons = EVERY_MINUTE.replace("tick", "slow").replace("backend.slowing", "backend.ticking")
    backend = backend_at(project(tmp_path, crons.replace(', args={"name": "beat"}', "")))
    held: list[Any] = []
    background = backend._host.engine.background
    background.start_action = held.append
    backend.advance(minutes=5)
    assert len(held) == 1
    outcome = backend._host.engine.calls.run(held[0])
    backend._host.process(background.ended(held[0], outcome))
    backend.advance(minutes=1)
    assert len(held) == 2


@pytest.mark.parametrize(
    ("declared", "first_days"),
    [
        ("crons.hourly('c', tick, minute_utc=30)", 0.5 / 24),
        ("crons.daily('c', tick, hour_utc=2)", 2 / 24),
        ("crons.daily('c', tick, hour_utc=0)", 1),
        ("crons.weekly('c', tick, day_of_week='monday', hour_utc=0)", 6),
        ("crons.monthly('c', tick, day=15, hour_utc=12)", 1.5),
        ("crons.monthly('c', tick, day=31, hour_utc=0)", 47),
        ("crons.cron('c', '*/20 * * * *', tick)", 1 / 72),
        ("crons.interval('c', tick, hours=1, minutes=30)", 0),
    ],
)
def test_each_kind_of_schedule(tmp_path: Path, declared: str, first_days: float) -> None:
    """The first run of each, in days from midnight of Tuesday, 14 November 2023, in UTC."""
    backend = backend_at(project(tmp_path, EVERY_MINUTE.split("crons.interval")[0] + declared))
    (cron,) = backend.query("ticking:crons")
    assert (cron["nextRun"] - START_MS) / DAY_MS == pytest.approx(first_days)


@mutation
async def public(ctx: MutationCtx) -> None:
    """Any client may run it."""


@internal_mutation
async def inner(ctx: MutationCtx) -> None:
    """No client may."""


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("crons.interval('c', tick)", "an interval is 1 second or more, not 0 s"),
        ("crons.interval('c', tick, seconds=0.5)", "an interval is 1 second or more"),
        ("crons.hourly('c', tick, minute_utc=60)", "minute_utc is a whole number from 0 to 59"),
        ("crons.daily('c', tick, hour_utc=24)", "hour_utc is a whole number from 0 to 23, not 24"),
        ("crons.daily('c', tick, hour_utc=2.5)", "hour_utc is a whole number"),
        ("crons.weekly('c', tick, day_of_week='mon', hour_utc=1)", "'mon' is no day of the week"),
        ("crons.monthly('c', tick, day=0, hour_utc=1)", "day is a whole number from 1 to 31"),
        ("crons.cron('c', '* * * *', tick)", "it has five fields"),
        ("crons.cron('c', '61 * * * *', tick)", "is no cron expression: Bad minute"),
        ("crons.cron('c', '0 0 30 2 *', tick)", "is no cron expression"),
        ("crons.hourly('c', ticks, minute_utc=1)", "target is an @internal_mutation or"),
        ("crons.interval('c', tick, hours=1, args={'nam': 'x'})", "do not fit ticking:tick"),
        ("crons.interval('beat', tick, hours=1)\ncrons.interval('beat', tick, hours=2)",
         "two crons are called 'beat'"),
        ("crons = 7", r"`crons` must be a Crons\(\)"),
    ],
)  # fmt: skip
def test_a_wrong_cron_does_not_load(tmp_path: Path, declared: str, text: str) -> None:
    """The error says which, and what would be right."""
    head = EVERY_MINUTE.split("crons.interval")[0].replace("import tick", "import tick, ticks")
    with pytest.raises(RegistrationError, match=text):
        load(project(tmp_path, head + declared))


def test_crons_stand_in_crons_py(tmp_path: Path) -> None:
    """Elsewhere they would be missed, so they are refused."""
    with pytest.raises(RegistrationError, match=r"declared in backend/crons\.py"):
        load(write_project(tmp_path, ticking=BACKEND, other=EVERY_MINUTE))


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (public, "(?s)HW302 tests/.*cron 'c': .* is public; any client may"),
        (inner, "is in no module"),
    ],
)
def test_targets_are_internal_functions_of_the_backend(target: Target, text: str) -> None:
    """A public function would let anybody run what only a clock should."""
    functions = app_of(public).functions
    crons = Crons()
    crons.interval("c", target, hours=1)
    with pytest.raises((RegistrationError, RuleViolation), match=text):
        crons.specs(functions)


def test_a_manifest_carries_crons() -> None:
    """Between processes, arguments included."""
    crons = {
        "a": CronSpec("a", "m:f", schedules.every(90), {"n": 3.0, "b": b"x"}),
        "b": CronSpec("b", "m:g", schedules.cron("0 1 * * *")),
    }
    manifest = Manifest(crons=crons)
    assert Manifest.from_json(manifest.to_json()).crons == crons


@given(seconds=st.integers(1, 100_000), due_s=st.integers(0, 10**6), late_s=st.floats(0, 10**7))
def test_the_run_that_follows_is_the_first_on_the_grid_that_is_not_past(
    seconds: int, due_s: int, late_s: float
) -> None:
    """However late a run is, the next is in the future, less than an interval away, on the grid."""
    due, now = due_s * 1000.0, (due_s + late_s) * 1000.0
    following = schedules.every(seconds).following(due, now)
    assert now < following + 1e-3
    assert following - now <= seconds * 1000 + 1e-3
    steps = (following - due) / (seconds * 1000)
    assert steps == pytest.approx(round(steps), abs=1e-6)


def test_a_cron_is_a_document_for_functions() -> None:
    """Exported, so that a backend can name its type."""
    assert CronJob.table_name == "_crons"
