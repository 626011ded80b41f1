"""The numbered rules: id, message, examples, page. Rulebook, docs and `explain` are made from them.

A rule is written here once. `headwater check` (stage S), registration (R) and the running server
(T) word their findings by it: what was seen comes from them, why and how to mend it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
Stage = Literal["S", "R", "T"]

STAGES: Mapping[Stage, str] = {
    "S": "by `headwater check`, without running your code",
    "R": "when the backend is loaded",
    "T": "while a function runs",
}


@dataclass(frozen=True)
class Finding:
    """A place where a rule is broken, in the words a learner sees.

    `path`, `line` and `col` (from 1) point at the code; 0 where there is none. `function` is the
    wire path of the function it matters to, `via` how it gets there through helpers.
    """

    code: str
    severity: Severity
    stage: Stage
    path: str
    line: int
    col: int
    what: str
    why: str
    fix: str
    docs: str
    function: str = ""
    kind: str = ""
    via: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding for programs, under stable keys."""
        return asdict(self)

    def heading(self) -> str:
        """Code, place and function, on one line."""
        place = ":".join([self.path, *(str(n) for n in (self.line, self.col) if n)])
        owner = " ".join(part for part in (self.kind, self.function) if part)
        via = f"(via {self.via})" if self.via else ""
        mark = "(warning)" if self.severity == "warning" else ""
        head = " ".join(part for part in (self.code, place, mark) if part)
        return "  ".join(part for part in (head, owner, via) if part)

    def parts(self) -> list[tuple[str, str]]:
        """What, Fix and More, each with its text; a text may have several lines."""
        what = f"{self.what}; {self.why}." if self.why else f"{self.what}."
        return [("What", what), ("Fix", self.fix), ("More", f"headwater explain {self.code}")]

    def render(self) -> str:
        """The message: a heading, then What / Fix / More, later lines indented below the first."""
        lines = [self.heading()]
        for name, text in self.parts():
            first, *rest = text.splitlines()
            lines.append(f"  {name + ':':<6}{first}")
            lines += [f"        {line}".rstrip() for line in rest]
        return "\n".join(lines)


@dataclass(frozen=True)
class Rule:
    """One rule of the rulebook.

    Attributes:
        id: `HW` and three digits; never used again for anything else.
        title: a few words, as in a list of rules.
        mistake: what is written by default.
        rule: what is right, in one or two sentences, as the rulebook of a project quotes it.
        why: the reason, as a clause that can follow "...; ".
        fix: the usual next step.
        bad, good: a file each; lines of the bad one that break the rule end in `# <- HW000`.
        stages: where it is enforced: S static, R registration, T run time.
        lesson: the lesson that teaches it, such as `L2`, or an empty string.
        page: its page, below docs/.
    """

    id: str
    title: str
    mistake: str
    rule: str
    why: str
    fix: str
    bad: str
    good: str
    stages: tuple[Stage, ...]
    severity: Severity = "error"
    lesson: str = ""

    @property
    def page(self) -> str:
        """The rule's page, relative to the docs folder."""
        return f"rules/{self.id}.md"

    def finding(
        self,
        what: str,
        *,
        stage: Stage,
        path: str = "",
        line: int = 0,
        col: int = 0,
        why: str | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
        function: str = "",
        kind: str = "",
        via: str = "",
    ) -> Finding:
        """A finding of this rule; `why` and `fix` are the rule's own unless more is known."""
        return Finding(
            code=self.id,
            severity=severity or self.severity,
            stage=stage,
            path=path,
            line=line,
            col=col,
            what=what,
            why=self.why if why is None else why,
            fix=self.fix if fix is None else fix,
            docs=self.page,
            function=function,
            kind=kind,
            via=via,
        )


def rule(id: str) -> Rule:
    """The rule of this id.

    Raises:
        KeyError: there is none.
    """
    return RULES[id]


_ALL = [
    Rule(
        id="HW000",
        title="The checker must be able to judge",
        mistake="a file that does not parse; a finding silenced without saying why",
        rule="Every file of `backend/` is readable Python, and `# headwater: allow HWnnn` is "
        "followed by `--` and a reason.",
        why="the next reader has to know why the rule does not hold here",
        fix="write the reason behind two dashes:\n"
        "# headwater: allow HW401 -- the table never has more than ten documents",
        bad="""\
# backend/rooms.py
from backend.schema import Room
from headwater import QueryCtx, query


@query
async def open_rooms(ctx: QueryCtx) -> list[Room]:
    # headwater: allow HW401  # <- HW000
    return await ctx.db.query(Room).filter(lambda room: room.open).take(10)
""",
        good="""\
# backend/rooms.py
from backend.schema import Room
from headwater import QueryCtx, query


@query
async def open_rooms(ctx: QueryCtx) -> list[Room]:
    # headwater: allow HW401 -- the building has six rooms
    return await ctx.db.query(Room).filter(lambda room: room.open).take(10)
""",
        stages=("S",),
    ),
    Rule(
        id="HW101",
        title="Functions, not routes",
        mistake="FastAPI, Flask or Django handlers for app logic",
        rule="Server logic is a decorated function: `@query`, `@mutation`, `@action`. HTTP routes "
        "are for webhooks and files, in `backend/routes.py` only.",
        why="nobody can subscribe to a route",
        fix="make it a function:\n@query\nasync def get_tasks(ctx: QueryCtx) -> list[Task]: ...",
        bad="""\
# backend/tasks.py
from fastapi import APIRouter

router = APIRouter()


@router.get("/tasks")  # <- HW101
async def get_tasks(assignee: str) -> list[str]:
    return [f"read the tasks of {assignee}"]
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import QueryCtx, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)
""",
        stages=("S",),
    ),
    Rule(
        id="HW103",
        title="Typed arguments and returns",
        mistake="arguments without a type, `Any` or `dict`, then checked by hand inside",
        rule="Every function, internal ones too, is `async def`, takes `ctx` first, and gives "
        "every parameter and its return a type. `Any` needs a reason.",
        why="the signature is what refuses wrong calls",
        fix="write the type, for example `title: str`, `Id[Task]`, or a class derived from Model",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, data: dict) -> Id[Task]:  # <- HW103
    if "title" not in data:
        raise ValueError("title is missing")
    return await ctx.db.insert(Task(title=data["title"], assignee=data["assignee"]))
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, title: str, assignee: str) -> Id[Task]:
    return await ctx.db.insert(Task(title=title, assignee=assignee))
""",
        stages=("S", "R", "T"),
        lesson="L1",
    ),
    Rule(
        id="HW104",
        title="References, not calls",
        mistake="calling a registered function from another function",
        rule="A registered function is a reference, never called. Share a plain helper that takes "
        "`ctx`, or use `ctx.run_query(fn, ...)`.",
        why="a call past the runtime skips its validation, its own ctx and its transaction",
        fix="move the shared code into a plain helper that takes ctx, or run it by reference:\n"
        "await ctx.run_query(get_tasks, assignee=assignee)",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)


@mutation
async def complete_all(ctx: MutationCtx, assignee: str) -> None:
    for task in await get_tasks(ctx, assignee):  # <- HW104
        await ctx.db.patch(task.id, completed=True)
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


async def tasks_of(ctx: QueryCtx | MutationCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await tasks_of(ctx, assignee)


@mutation
async def complete_all(ctx: MutationCtx, assignee: str) -> None:
    for task in await tasks_of(ctx, assignee):
        await ctx.db.patch(task.id, completed=True)
""",
        stages=("R", "T"),
    ),
    Rule(
        id="HW203",
        title="No I/O in queries and mutations",
        mistake="an HTTP request, a file, a subprocess or another database in a query or mutation",
        rule="The outside world is reached in actions only. A query or mutation reads and writes "
        "through `ctx.db`.",
        why="it may be run again and must do nothing but read and write through ctx.db",
        fix="move the call into an @internal_action, and let an action bring its result back with\n"
        "await ctx.run_mutation(save, ...)",
        bad="""\
# backend/weather.py
import httpx

from headwater import QueryCtx, query


@query
async def forecast(ctx: QueryCtx, city: str) -> str:
    return httpx.get("https://weather.example/today", params={"city": city}).text  # <- HW203
""",
        good="""\
# backend/weather.py
import httpx

from headwater import ActionCtx, action


@action
async def forecast(ctx: ActionCtx, city: str) -> str:
    async with httpx.AsyncClient() as client:
        reply = await client.get("https://weather.example/today", params={"city": city})
    return reply.text
""",
        stages=("S", "T"),
        lesson="L2",
    ),
    Rule(
        id="HW204",
        title="No timers or tasks",
        mistake="`asyncio.sleep`, `create_task` or a thread in a query or mutation",
        rule="A query or mutation waits for nothing but `ctx` and leaves nothing running.",
        why="it holds a transaction open, and what it starts would outlive that transaction",
        fix="await only ctx calls here; what has to wait belongs into an action",
        bad="""\
# backend/reminders.py
import asyncio

from backend.schema import Reminder
from headwater import Id, MutationCtx, mutation


@mutation
async def remind(ctx: MutationCtx, text: str) -> Id[Reminder]:
    await asyncio.sleep(60)  # <- HW204
    return await ctx.db.insert(Reminder(text=text))
""",
        good="""\
# backend/reminders.py
import asyncio

from backend.schema import Reminder
from headwater import ActionCtx, Id, MutationCtx, action, internal_mutation


@internal_mutation
async def save(ctx: MutationCtx, text: str) -> Id[Reminder]:
    return await ctx.db.insert(Reminder(text=text))


@action
async def remind(ctx: ActionCtx, text: str) -> Id[Reminder]:
    await asyncio.sleep(60)
    return await ctx.run_mutation(save, text=text)
""",
        stages=("T",),
    ),
    Rule(
        id="HW205",
        title="Await everything",
        mistake="`ctx.db.insert(...)` without `await`",
        rule="Every `ctx` call is awaited before the function returns; nothing is left open.",
        why="a ctx call does nothing until it is awaited, so the write is lost without a word",
        fix="put `await` in front of the call; several at once go into asyncio.gather",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    ctx.db.patch(id, completed=True)  # <- HW205
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.patch(id, completed=True)
""",
        stages=("T",),
    ),
    Rule(
        id="HW206",
        title="No shared state between calls",
        mistake="a `ctx` or a document kept in a module variable for a later call",
        rule="A query or mutation reads and writes through the `ctx` it is given, and keeps "
        "neither it nor what it read for another call.",
        why="a ctx ends with its call, and what a module remembers is in no transaction",
        fix="use the ctx your function is given, and keep it nowhere",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation

seen: list[MutationCtx] = []


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    seen.append(ctx)
    return await seen[0].db.insert(Task(title=title))  # <- HW206
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    return await ctx.db.insert(Task(title=title))
""",
        stages=("T",),
    ),
    Rule(
        id="HW302",
        title="Internal by default",
        mistake="a public function as the target of `ctx.scheduler` or of a cron",
        rule="What runs by itself is an `@internal_mutation` or `@internal_action`. A public "
        "function is one that clients should call.",
        why="any client may run a public function, at any time and with any arguments",
        fix="make it an @internal_mutation or @internal_action; what clients call as well goes "
        "into a plain\nhelper that takes ctx",
        bad="""\
# backend/reminders.py
from backend.schema import Reminder
from headwater import Id, MutationCtx, mutation


@mutation
async def send(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.db.patch(id, sent=True)


@mutation
async def create(ctx: MutationCtx, text: str) -> None:
    id = await ctx.db.insert(Reminder(text=text))
    await ctx.scheduler.run_after(60_000, send, id=id)  # <- HW302
""",
        good="""\
# backend/reminders.py
from backend.schema import Reminder
from headwater import Id, MutationCtx, internal_mutation, mutation


@internal_mutation
async def send(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.db.patch(id, sent=True)


@mutation
async def create(ctx: MutationCtx, text: str) -> None:
    id = await ctx.db.insert(Reminder(text=text))
    await ctx.scheduler.run_after(60_000, send, id=id)
""",
        stages=("S", "R"),
    ),
    Rule(
        id="HW401",
        title="Index, then filter",
        mistake="`.filter()` as the query; an index or field that does not exist",
        rule="`.with_index(name, ...)` chooses what is read: equality fields in the index's order, "
        "then one range. `.filter()` only drops documents that were read.",
        why="each document is read, and a write to any invalidates the query",
        fix="read through an index: .with_index(name, field=value), then .filter() what is left",
        bad="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    by_assignee = Index("assignee")


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    tasks = ctx.db.query(Task).filter(lambda task: task.assignee == assignee)  # <- HW401
    return await tasks.take(100)


@query
async def my_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_asignee", assignee=assignee).take(9)  # <- HW401
""",
        good="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    completed: bool = False
    by_assignee = Index("assignee")


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee)
    return await tasks.filter(lambda task: not task.completed).order("desc").take(100)
""",
        stages=("S", "T"),
        lesson="L2",
    ),
]

RULES: Mapping[str, Rule] = {entry.id: entry for entry in _ALL}
"""Every rule by its id, in order."""
