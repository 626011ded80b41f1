"""Stages R and T of the rules: a load refuses, a run refuses, each by code, file and line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from headwater.core.placement import InProcess
from headwater.errors import BackendRefused, HeadwaterError, SettingsInvalid
from headwater.loader import load
from headwater.rules import RULES, Finding, Stage
from headwater.settings import GUARDED, Limits, guards_from_environment
from headwater.testing import Backend, FunctionFailed

STAGES: dict[str, tuple[Stage, ...]] = {
    "HW000": ("S",),
    "HW101": ("S", "R"),
    "HW102": ("S", "R"),
    "HW103": ("S", "R", "T"),
    "HW104": ("S", "R", "T"),
    "HW201": ("S", "T"),
    "HW202": ("S", "T"),
    "HW203": ("S", "T"),
    "HW204": ("S", "T"),
    "HW205": ("S", "T"),
    "HW206": ("S", "T"),
    "HW301": ("S", "T"),
    "HW302": ("S", "R"),
    "HW303": ("S",),
    "HW304": ("S", "T"),
    "HW401": ("S", "R", "T"),
    "HW402": ("S", "T"),
    "HW403": ("S", "T"),
    "HW404": ("S", "R"),
    "HW405": ("S", "R", "T"),
    "HW406": ("S", "T"),
    "HW501": ("S", "R"),
    "HW502": ("S", "R"),
    "HW503": ("S", "R", "T"),
    "HW504": ("H",),
}
"""Where each rule is enforced: the one table that registry, examples and pages are held to."""

HEAD = """
from typing import Any

from headwater import (
    ActionCtx, Crons, Document, Id, Index, MutationCtx, QueryCtx, Settings,
    action, internal_mutation, mutation, query,
)


class Task(Document, table="tasks"):
    title: str
    by_title = Index("title")
"""

AT_LOAD: dict[tuple[str, str], dict[str, str]] = {
    ("HW101", "a router in another file"): {
        "tasks.py": """
        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/tasks")  # <- HW101
        async def get_tasks() -> list[str]:
            return []
        """
    },
    ("HW101", "an application"): {
        "web.py": """
        from fastapi import FastAPI

        app = FastAPI()

        @app.post("/tasks")  # <- HW101
        async def make() -> None: ...
        """
    },
    ("HW102", "a function of the package itself"): {
        "__init__.py": """
        from headwater import QueryCtx, query

        @query
        async def word(ctx: QueryCtx) -> str:
            return "hello"
        """
    },
    ("HW103", "a function that cannot be awaited"): {
        "tasks.py": f"""{HEAD}
@query  # <- HW103
def word(ctx: QueryCtx) -> str:
    return "hello"
"""
    },
    ("HW103", "a type that is nowhere"): {
        "tasks.py": f"""{HEAD}
@query  # <- HW103
async def word(ctx: QueryCtx, who: "Person") -> str:
    return "hello"
"""
    },
    ("HW104", "a call while the module is imported"): {
        "tasks.py": f"""{HEAD}
@query
async def word(ctx: QueryCtx) -> str:
    return "hello"

WORD = word(None)  # <- HW104
"""
    },
    ("HW302", "a public target of a cron"): {
        "crons.py": """
        from headwater import Crons, MutationCtx, mutation

        @mutation
        async def tick(ctx: MutationCtx) -> None: ...

        crons = Crons()
        crons.interval("tick", tick, hours=1)  # <- HW302
        """
    },
    ("HW401", "an index of a field that is not there"): {
        "schema.py": """
        from headwater import Document, Index

        class Task(Document, table="tasks"):
            title: str
            by_title = Index("tilte")  # <- HW401
        """
    },
    ("HW404", "an id of one's own"): {
        "schema.py": """
        from headwater import Document

        class Task(Document, table="tasks"):
            id: str  # <- HW404
        """
    },
    ("HW404", "the creation time in an index"): {
        "schema.py": """
        from headwater import Document, Index

        class Task(Document, table="tasks"):
            title: str
            by_title = Index("title", "creation_time")  # <- HW404
        """
    },
    ("HW405", "a field that cannot be stored"): {
        "schema.py": """
        from headwater import Document

        class Task(Document, table="tasks"):
            title: str
            tags: set[str]  # <- HW405
        """
    },
    ("HW405", "an argument that cannot be sent"): {
        "tasks.py": f"""{HEAD}
@query  # <- HW405
async def word(ctx: QueryCtx, words: tuple[str, ...]) -> str:
    return "hello"
"""
    },
    ("HW501", "two crons of one name"): {
        "crons.py": """
        from headwater import Crons, MutationCtx, internal_mutation

        @internal_mutation
        async def tick(ctx: MutationCtx) -> None: ...

        crons = Crons()
        crons.interval("tick", tick, hours=1)
        crons.hourly("tick", tick, minute_utc=5)  # <- HW501
        """
    },
    ("HW501", "arguments that do not fit"): {
        "crons.py": """
        from headwater import Crons, MutationCtx, internal_mutation

        @internal_mutation
        async def tick(ctx: MutationCtx) -> None: ...

        crons = Crons()
        crons.interval("tick", tick, hours=1, args={"days": 3})  # <- HW501
        """
    },
    ("HW501", "crons in another file"): {
        "tasks.py": f"""{HEAD}
crons = Crons()  # <- HW501
"""
    },
    ("HW502", "a route that is none"): {
        "routes.py": """
        from fastapi import APIRouter

        router = APIRouter()
        router.on_startup.append(print)
        """
    },
}

WHILE_RUNNING: dict[tuple[str, str], str] = {
    ("HW103", "a result of another type"): """
@query
async def go(ctx: QueryCtx) -> str:
    return 7
""",
    ("HW104", "a call of a registered function"): """
@query
async def word(ctx: QueryCtx) -> str:
    return "hello"

@mutation
async def go(ctx: MutationCtx) -> str:
    return await word(ctx)  # <- HW104
""",
    ("HW201", "a clock, in a helper"): """
import time

def stamp() -> float:
    return time.time()  # <- HW201

@mutation
async def go(ctx: MutationCtx) -> None:
    await ctx.db.insert(Task(title=str(stamp())))
""",
    ("HW201", "a date"): """
from datetime import datetime

@query
async def go(ctx: QueryCtx) -> str:
    return datetime.now().isoformat()  # <- HW201
""",
    ("HW201", "the time, in a query"): """
@query
async def go(ctx: QueryCtx) -> float:
    return ctx.now  # <- HW201
""",
    ("HW202", "an id by chance"): """
import uuid

@mutation
async def go(ctx: MutationCtx) -> str:
    return str(uuid.uuid4())  # <- HW202
""",
    ("HW202", "one of two"): """
import random

@query
async def go(ctx: QueryCtx) -> int:
    return random.randint(1, 1000)  # <- HW202
""",
    ("HW202", "chance, in a query"): """
@query
async def go(ctx: QueryCtx) -> float:
    return ctx.random.random()  # <- HW202
""",
    ("HW203", "a file"): """
@query
async def go(ctx: QueryCtx) -> str:
    return open("words.txt").read()  # <- HW203
""",
    ("HW203", "a file by pathlib, its refusal swallowed"): """
from pathlib import Path

@mutation
async def go(ctx: MutationCtx) -> str:
    try:
        return Path("words.txt").read_text()  # <- HW203
    except Exception:
        return "no words"
""",
    ("HW203", "a socket"): """
import socket

@mutation
async def go(ctx: MutationCtx) -> None:
    socket.create_connection(("127.0.0.1", 9), 1)  # <- HW203
""",
    ("HW203", "a process"): """
import subprocess

@mutation
async def go(ctx: MutationCtx) -> None:
    subprocess.run(["true"])  # <- HW203
""",
    ("HW203", "another database"): """
import sqlite3

@query
async def go(ctx: QueryCtx) -> None:
    sqlite3.connect(":memory:")  # <- HW203
""",
    ("HW203", "an action, run by a mutation"): """
@action
async def send(ctx: ActionCtx) -> None: ...

@mutation
async def go(ctx: MutationCtx) -> None:
    await ctx.run_action(send)  # <- HW203
""",
    ("HW204", "a sleep"): """
import asyncio

@mutation
async def go(ctx: MutationCtx) -> None:
    await asyncio.sleep(1)  # <- HW204
""",
    ("HW204", "a schedule, in a query"): """
@query
async def go(ctx: QueryCtx) -> None:
    await ctx.scheduler.run_after(0, go)  # <- HW204
""",
    ("HW205", "a forgotten await"): """
@mutation
async def go(ctx: MutationCtx) -> None:
    ctx.db.insert(Task(title="lost"))  # <- HW205
""",
    ("HW206", "a count in the module"): """
seen: list[int] = []

@mutation  # <- HW206
async def go(ctx: MutationCtx) -> int:
    seen.append(1)
    return len(seen)
""",
    ("HW206", "a cache in the module"): """
cache: dict[str, int] = {}

@query  # <- HW206
async def go(ctx: QueryCtx) -> int:
    if "tasks" not in cache:
        cache["tasks"] = len(await ctx.db.query(Task).take(5))
    return cache["tasks"]
""",
    ("HW301", "the database in an action"): """
@action
async def go(ctx: ActionCtx) -> None:
    await ctx.db.insert(Task(title="a"))  # <- HW301
""",
    ("HW401", "an index that is not there"): """
@query
async def go(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_titel", title="a").take(5)  # <- HW401
""",
    ("HW401", "a field that the index has not"): """
@query
async def go(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_title", titel="a").take(5)  # <- HW401
""",
    ("HW402", "a table that has grown"): """
@mutation
async def go(ctx: MutationCtx) -> int:
    for number in range(30):
        await ctx.db.insert(Task(title=str(number)))
    return len(await ctx.db.query(Task).collect())  # <- HW402
""",
    ("HW403", "another database's method"): """
@query
async def go(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).where(title="a").all()  # <- HW403
""",
    ("HW403", "SQL"): """
@query
async def go(ctx: QueryCtx) -> Any:
    return await ctx.db.execute("SELECT * FROM tasks")  # <- HW403
""",
    ("HW403", "a write in a query"): """
@query
async def go(ctx: QueryCtx) -> None:
    await ctx.db.insert(Task(title="a"))  # <- HW403
""",
    ("HW403", "a filter that is no function"): """
@query
async def go(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).filter(True).take(5)  # <- HW403
""",
    ("HW405", "a field the table has not"): """
@mutation
async def go(ctx: MutationCtx) -> None:
    id = await ctx.db.insert(Task(title="a"))
    await ctx.db.patch(id, titel="b")  # <- HW405
""",
    ("HW405", "a value of another type"): """
@mutation
async def go(ctx: MutationCtx) -> None:
    id = await ctx.db.insert(Task(title="a"))
    await ctx.db.patch(id, title=7)  # <- HW405
""",
    ("HW406", "a document that is gone"): """
@mutation
async def go(ctx: MutationCtx) -> None:
    id = await ctx.db.insert(Task(title="a"))
    await ctx.db.delete(id)
    await ctx.db.patch(id, title="b")  # <- HW406
""",
    ("HW406", "more than one transaction takes"): """
@mutation
async def go(ctx: MutationCtx) -> None:
    for number in range(60):
        await ctx.db.insert(Task(title=str(number)))  # <- HW406
""",
    ("HW503", "a variable that is set by a function"): """
import os

@mutation
async def go(ctx: MutationCtx) -> None:
    os.environ["HEADWATER_STAGES"] = "T"  # <- HW503
""",
}

RIGHT = """
import datetime
import functools
import logging
import random
import re
import uuid
import zoneinfo
from decimal import Decimal

started = re.compile("a+")


@functools.cache
def squared(number: int) -> int:
    return number * number


async def some(ctx: QueryCtx) -> Any:
    async for task in ctx.db.query(Task).with_index("by_title", title__gte="a"):
        yield task


@query
async def imports_late(ctx: QueryCtx) -> str:
    import colorsys
    from backend import late
    return late.WORD + colorsys.__name__


@query
async def calendar(ctx: QueryCtx, now: float) -> str:
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    day = datetime.datetime.strptime("2020-02-01", "%Y-%m-%d").replace(tzinfo=zone)
    return str(day - datetime.datetime.fromtimestamp(now / 1000, zone))


@query
async def computes(ctx: QueryCtx) -> str:
    logging.warning("once")
    print("once")
    rolled = random.Random(7).randint(1, 6)
    made = uuid.uuid5(uuid.NAMESPACE_DNS, "a")
    return f"{rolled} {made} {squared(3)} {Decimal(1) / 3} {started.match('aa')} {float('nan')}"


@query
async def reads(ctx: QueryCtx) -> list[Task]:
    found = [task async for task in some(ctx)]
    more = await ctx.db.query(Task).filter(lambda task: task.title > "a").take(2)
    return [*found, *more]


@internal_mutation
async def note(ctx: MutationCtx, title: str) -> Id[Task]:
    return await ctx.db.insert(Task(title=title))


@mutation
async def writes(ctx: MutationCtx) -> list[float]:
    id = await ctx.run_mutation(note, title=str(ctx.random.random()))
    await ctx.db.patch(id, title=f"a{ctx.now}")
    dicts = await ctx.db.query("tasks").take(3)
    dicts[0]["title"] = "changed"
    await ctx.scheduler.run_after(0, note, title="later")
    try:
        await ctx.db.get(Task, "no id")
    except Exception:
        pass
    return [ctx.random.random(), len(dicts)]


@query
async def looks(ctx: QueryCtx) -> list[bool]:
    return [hasattr(ctx, "scheduler"), hasattr(ctx.db, "insert"), hasattr(ctx, "db")]
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """Files below root/backend."""
    for name, text in files.items():
        path = root / "backend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def marked(root: Path) -> tuple[str, str, int] | None:
    """Code, path and line of the only mark in a project, if there is one."""
    found = [
        (line.partition("# <- ")[2], path.relative_to(root).as_posix(), number)
        for path in (root / "backend").glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# <- " in line
    ]
    assert len(found) <= 1
    return found[0] if found else None


def backend_of(root: Path, code: str, **limits: int) -> Backend:
    """A backend of one module, below small limits."""
    write(root, {"tasks.py": HEAD + code, "late.py": "WORD = 'late'"})
    small = replace(Limits(), documents_read=20, documents_written=50, **limits)
    return Backend(InProcess(load(root), small, GUARDED), limits=small)


def failure(call: Callable[[], Any]) -> FunctionFailed:
    """What a call failed with."""
    with pytest.raises(FunctionFailed) as failed:
        call()
    return failed.value


# --- the table ---


@pytest.mark.parametrize("code", RULES)
def test_the_registry_says_where_each_rule_is_enforced(code: str) -> None:
    """Page, `explain` and rulebook say it from there."""
    assert RULES[code].stages == STAGES[code]


@pytest.mark.parametrize(("stage", "examples"), [("R", AT_LOAD), ("T", WHILE_RUNNING)])
def test_each_stage_of_each_rule_has_an_example(stage: Stage, examples: Any) -> None:
    """What a rule claims is shown below, and nothing below is without a claim."""
    elsewhere = {"R": {"HW503"}, "T": {"HW304"}}  # in tests of their own
    shown = {code for code, _ in examples} | elsewhere[stage]
    assert shown == {code for code, stages in STAGES.items() if stage in stages}


# --- R ---


@pytest.mark.parametrize(("code", "about"), AT_LOAD, ids=" ".join)
def test_a_load_is_refused_by_rule(tmp_path: Path, code: str, about: str) -> None:
    """Exactly this code, at this line, in the form of `headwater check`."""
    write(tmp_path, AT_LOAD[code, about])
    with pytest.raises(BackendRefused) as refused:
        load(tmp_path)
    finding = refused.value.finding
    assert (finding.code, finding.stage, finding.severity) == (code, "R", "error")
    place = marked(tmp_path)
    assert place in (None, (finding.code, finding.path, finding.line))
    assert finding.path == f"backend/{next(iter(AT_LOAD[code, about]))}"
    assert re.match(rf"{code} \S+.*\n  What: .*\n  Fix:  (.|\n)*\n  More: ", refused.value.message)


def test_what_the_routes_include_may_stand_elsewhere(tmp_path: Path) -> None:
    """A router that routes.py takes in is served, near or far, and so is one it merely knows."""
    router = """
        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/{path}")
        async def get() -> str:
            return "served"
        """
    main = """
        from fastapi import APIRouter

        from backend import debugging
        from backend.hooks import router as hooks

        router = APIRouter()
        router.include_router(hooks, prefix="/hooks")
        """
    files = {"hooks.py": router, "debugging.py": router, "routes.py": main}
    assert load(write(tmp_path, files)).manifest.routes


def test_a_variable_that_is_missing_is_told_by_its_rule(tmp_path: Path) -> None:
    """At load every variable is named, with the rule that asks for a declaration."""
    from headwater.environment import Environment

    own = "from headwater import Settings\n\n\nclass Own(Settings):\n    stage_key: str\n"
    write(tmp_path, {"settings.py": own})
    with pytest.raises(SettingsInvalid) as missing:
        Environment(tmp_path).load()
    assert "STAGE_KEY is missing" in missing.value.message
    assert missing.value.message.endswith("More: headwater explain HW503")


# --- T ---


@pytest.mark.parametrize(("code", "about"), WHILE_RUNNING, ids=" ".join)
def test_a_run_is_refused_by_rule(tmp_path: Path, code: str, about: str) -> None:
    """Exactly this code, at this line; whoever swallows it does not undo it."""
    backend = backend_of(tmp_path, WHILE_RUNNING[code, about])
    kind = backend.manifest.functions["tasks:go"].kind
    finding = failure(lambda: getattr(backend, kind)("tasks:go")).finding
    assert isinstance(finding, Finding)
    known = (finding.code, finding.stage, finding.function, finding.kind)
    assert known == (code, "T", "tasks:go", kind)
    assert marked(tmp_path) in (None, (code, finding.path, finding.line))
    assert backend.run(count) == 0


async def count(ctx: Any) -> int:
    """How many tasks there are."""
    return len(await ctx.db.query("tasks").take(1))


def test_right_code_is_not_refused(tmp_path: Path) -> None:
    """First imports, calendars, logs, seeded chance, caches of what is computed: all of it may."""
    backend = backend_of(tmp_path, RIGHT)
    for _ in range(4):
        assert backend.query("tasks:importsLate") == "latecolorsys"
        assert backend.query("tasks:calendar", {"now": 0.0})
        assert backend.query("tasks:computes").endswith("nan")
        assert backend.log_lines == ["[WARN] 'once'", "[LOG] 'once'"]
        assert backend.mutation("tasks:writes")
        assert backend.query("tasks:looks") == [False, False, True]
        backend.query("tasks:reads")
    backend.finish_scheduled()
    assert len(backend.query("tasks:reads")) == 2 * 4 + 2


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """Neither documents nor what is scheduled, counters, log lines and read sets are doubled."""
    code = """
@internal_mutation
async def note(ctx: MutationCtx) -> None: ...

@mutation
async def go(ctx: MutationCtx) -> int:
    print("once")
    await ctx.db.insert(Task(title="a"))
    await ctx.scheduler.run_after(0, note)
    return len([task async for task in ctx.db.query(Task)])
"""
    plain, twice = tmp_path / "plain", tmp_path / "twice"
    write(plain, {"tasks.py": HEAD + code})
    seen = []
    for backend in (Backend(InProcess(load(plain), Limits())), backend_of(twice, code)):
        for _ in range(2):
            backend.mutation("tasks:go")
        last = backend.last_call
        seen.append((last.counters, last.log_lines, len(last.write_set.keys), last.reads.intervals))
        assert backend.run(count) == 1
    assert seen[0] == seen[1]


def test_a_call_in_a_helper_is_told_with_its_way(tmp_path: Path) -> None:
    """The line is the one to mend, the way there stands beside it."""
    backend = backend_of(tmp_path, WHILE_RUNNING["HW201", "a clock, in a helper"])
    failed = failure(lambda: backend.mutation("tasks:go"))
    heading = str(failed).splitlines()[0]
    assert re.search(
        r"HW201 backend/tasks\.py:\d+  mutation tasks:go  \(via helper stamp, line", heading
    )


def test_a_comment_with_a_reason_holds_for_the_guards_too(tmp_path: Path) -> None:
    """What `headwater check` lets pass does not fail in development; without a reason it does."""
    code = """
import time
from pathlib import Path

@query
async def go(ctx: QueryCtx) -> str:
    # headwater: allow HW201 -- a test of the clock
    now = time.time()
    # headwater: allow HW203 -- it never changes
    # and it is small
    return Path(__file__).read_text() + str(now)

@query
async def not_so(ctx: QueryCtx) -> str:
    return Path(__file__).read_text()  # headwater: allow HW203
"""
    backend = backend_of(tmp_path, code)
    assert backend.query("tasks:go")
    finding = failure(lambda: backend.query("tasks:notSo")).finding
    assert finding is not None
    assert finding.code == "HW203"


SPENDS = """
import socket
import twilio

def send() -> None:
    with socket.socket() as opened:
        opened.settimeout(1)
        opened.connect_ex(("127.0.0.1", 9))

@internal_mutation
async def take_token(ctx: MutationCtx) -> None: ...

@action
async def free_for_all(ctx: ActionCtx) -> None:
    send()

@action
async def limited(ctx: ActionCtx) -> None:
    await ctx.run_mutation(take_token)
    send()
"""


def test_spending_without_a_limit_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public action that reaches a paid service, and has run no mutation that could refuse."""
    monkeypatch.setitem(sys.modules, "twilio", ModuleType("twilio"))
    backend = backend_of(tmp_path, SPENDS)
    backend.action("tasks:freeForAll")
    (line,) = backend.log_lines
    wanted = r"\[WARN\] .HW304 backend/tasks\.py:\d+ \(warning\)  action tasks:freeForAll"
    assert re.match(wanted, line)
    backend.action("tasks:limited")
    assert backend.log_lines == []


def test_tests_of_ones_own_may_do_as_they_like(tmp_path: Path) -> None:
    """A step of a test is no function of the backend: it may read a file."""

    async def step(_ctx: Any) -> bool:
        return bool(Path(__file__).read_text(encoding="utf-8"))

    assert backend_of(tmp_path, "").run(step)


def test_a_server_guards_in_development_only() -> None:
    """Nothing of it is in the way of a deployment, unless a variable says so."""
    assert guards_from_environment(True, {}).outside
    assert not guards_from_environment(False, {}).twice
    assert guards_from_environment(False, {"HEADWATER_GUARDS": "on"}).twice
    assert not guards_from_environment(True, {"HEADWATER_GUARDS": "off"}).outside
    with pytest.raises(ValueError, match="neither `on` nor `off`"):
        guards_from_environment(True, {"HEADWATER_GUARDS": "yes"})


def test_a_finding_of_a_rule_is_an_error_of_ours() -> None:
    """Whoever catches errors of the runtime catches it."""
    assert issubclass(BackendRefused, HeadwaterError)
