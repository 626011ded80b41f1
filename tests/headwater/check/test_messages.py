"""Each message as a learner sees it: what, why, what to do, and where to read on."""

# ruff: noqa: E501 - messages stand here as they are printed, on one line

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from .backends import HEADER, findings

TASKS_LINES = len(HEADER.splitlines())


def said(root: Path, code: str) -> str:
    """The only finding of this code, rendered; its line counted from the snippet's first."""
    (finding,) = findings(root, code)
    return finding.render().replace(f"tasks.py:{finding.line}", f"tasks.py:{line_in(finding.line)}")


def line_in(line: int) -> int:
    """A line of tasks.py as a line of the snippet below the header."""
    return line - TASKS_LINES


MESSAGES = {
    "HW101 route": (
        """
        from fastapi import APIRouter
        router = APIRouter()
        @router.get("/tasks")
        async def get_tasks() -> list[str]: ...
        """,
        """
        HW101 backend/tasks.py:4:2
          What: get_tasks is an HTTP route; nobody can subscribe to a route.
          Fix:  make it a @query (reads), @mutation (writes) or @action (outside world):
                @query
                async def get_tasks(ctx: QueryCtx) -> ...: ...
                A webhook or a file download belongs into backend/routes.py
          More: headwater explain HW101
        """,
    ),
    "HW101 import": (
        "\nimport fastapi\n",
        """
        HW101 backend/tasks.py:2:1 (warning)
          What: imports fastapi; nobody can subscribe to a route.
          Fix:  remove the import: arguments come in as parameters, errors go out as
                raise AppError("..."); HTTP itself is for backend/routes.py
          More: headwater explain HW101
        """,
    ),
    "HW103 Any": (
        """
        from typing import Any
        @mutation
        async def put_it(ctx: MutationCtx, data: Any) -> None: ...
        """,
        """
        HW103 backend/tasks.py:4:36  mutation tasks:putIt
          What: parameter data is `Any`, which accepts anything; the signature is what refuses wrong calls.
          Fix:  write the type; if it truly can be anything, say why on the line above:
                # headwater: allow HW103 -- <reason>
          More: headwater explain HW103
        """,
    ),
    "HW103 dict of Any": (
        """
        from typing import Any
        @query
        async def get(ctx: QueryCtx) -> dict[str, Any]: ...
        """,
        """
        HW103 backend/tasks.py:4:33  query tasks:get
          What: get returns `dict[str, Any]`, whose Any may be anything; the return type says what clients get, and is checked too.
          Fix:  write the type; if it truly can be anything, say why on the line above:
                # headwater: allow HW103 -- <reason>
          More: headwater explain HW103
        """,
    ),
    "HW103 no ctx": (
        """
        @mutation
        async def put(title: str) -> None: ...
        """,
        """
        HW103 backend/tasks.py:3:15  mutation tasks:put
          What: put starts with title where ctx is expected; the runtime passes ctx first: the database, the identity, the clock.
          Fix:  begin the parameters with `ctx: MutationCtx`
          More: headwater explain HW103
        """,
    ),
    "HW203 mutation": (
        """
        import httpx
        @mutation
        async def send(ctx: MutationCtx) -> None:
            httpx.post("https://example.org")
        """,
        """
        HW203 backend/tasks.py:5:5  mutation tasks:send
          What: calls httpx.post(); a mutation may be retried and must not do I/O.
          Fix:  move the call into an @action, and let that run the mutation with the result:
                await ctx.run_mutation(send, ...)
          More: headwater explain HW203
        """,
    ),
    "HW203 file in a query": (
        """
        from pathlib import Path
        WORDS = Path(__file__).parent / "words.txt"
        @query
        async def words(ctx: QueryCtx) -> list[str]:
            return WORDS.read_text().split()
        """,
        """
        HW203 backend/tasks.py:6:12  query tasks:words
          What: calls Path.read_text(); a query is run again whenever what it read changes and must not do I/O.
          Fix:  fetch it in an @action that stores it by ctx.run_mutation(save, ...);
                the query then reads what is stored
          More: headwater explain HW203
        """,
    ),
    "HW203 database": (
        """
        import sqlite3
        @query(name="list")
        async def list_tasks(ctx: QueryCtx) -> None:
            sqlite3.connect("tasks.db")
        """,
        """
        HW203 backend/tasks.py:5:5  query tasks:list
          What: calls sqlite3.connect(); a query is run again whenever what it read changes and must not do I/O.
          Fix:  keep the data in a table of backend/schema.py and read it with ctx.db.query(...):
                no subscription can see what is read past ctx.db, so no client would be updated
          More: headwater explain HW203
        """,
    ),
    "HW302 mutation": (
        """
        @mutation
        async def send(ctx: MutationCtx) -> None: ...
        @mutation
        async def create(ctx: MutationCtx) -> None:
            await ctx.scheduler.run_after(0, send)
        """,
        """
        HW302 backend/tasks.py:6:38  mutation tasks:create
          What: schedules tasks:send, a public mutation; any client may run a public function, at any time and with any arguments.
          Fix:  make send an @internal_mutation; if clients call it too, let both
                call one plain helper that takes ctx
          More: headwater explain HW302
        """,
    ),
    "HW401 filter that an index could serve": (
        """
        @query
        async def mine(ctx: QueryCtx, who: str) -> list[Task]:
            return await ctx.db.query(Task).filter(lambda t: t.assignee == who).take(9)
        """,
        """
        HW401 backend/tasks.py:4:37  query tasks:mine
          What: Task is read whole: .filter() without .with_index(); each document is read, and a write to any invalidates the query.
          Fix:  .with_index("by_assignee", assignee=...), then .filter() what is left
          More: headwater explain HW401
        """,
    ),
    "HW401 filter that needs an index": (
        """
        @query
        async def titled(ctx: QueryCtx, title: str) -> list[Task]:
            return await ctx.db.query(Task).filter(lambda t: t.title == title).take(9)
        """,
        """
        HW401 backend/tasks.py:4:37  query tasks:titled
          What: Task is read whole: .filter() without .with_index(); each document is read, and a write to any invalidates the query.
          Fix:  declare in class Task (backend/schema.py):
                by_title = Index("title")
          More: headwater explain HW401
        """,
    ),
    "HW401 misspelt index": (
        """
        @query
        async def mine(ctx: QueryCtx, who: str) -> Task | None:
            return await ctx.db.query(Task).with_index("by_asignee", assignee=who).first()
        """,
        """
        HW401 backend/tasks.py:4:48  query tasks:mine
          What: Task has no index "by_asignee"; a query reads through the indexes its table declares.
          Fix:  did you mean "by_assignee"?
          More: headwater explain HW401
        """,
    ),
    "HW401 index to declare": (
        """
        async def mine(ctx: QueryCtx, title: str) -> Task | None:
            return await ctx.db.query(Task).with_index("titles", title=title).first()
        """,
        """
        HW401 backend/tasks.py:3:48  helper mine
          What: Task has no index "titles"; a query reads through the indexes its table declares.
          Fix:  declare in class Task (backend/schema.py):
                titles = Index("title")
          More: headwater explain HW401
        """,
    ),
    "HW401 misspelt field": (
        """
        @query
        async def mine(ctx: QueryCtx, who: str) -> Task | None:
            return await ctx.db.query(Task).with_index("by_assignee", asignee=who).first()
        """,
        """
        HW401 backend/tasks.py:4:63  query tasks:mine
          What: index "by_assignee" has no field "asignee"; its fields are assignee, creation_time.
          Fix:  did you mean "assignee"?
          More: headwater explain HW401
        """,
    ),
    "HW401 misspelt search index": (
        """
        @query
        async def found(ctx: QueryCtx, words: str) -> list[Task]:
            return await ctx.db.query(Task).with_search_index("serch_title", words).take(9)
        """,
        """
        HW401 backend/tasks.py:4:55  query tasks:found
          What: Task has no search index "serch_title"; a search reads a search index that its table declares.
          Fix:  did you mean "search_title"?
          More: headwater explain HW401
        """,
    ),
    "HW401 search by an ordinary index": (
        """
        @query
        async def found(ctx: QueryCtx, words: str) -> list[Task]:
            return await ctx.db.query(Task).with_search_index("by_assignee", words).take(9)
        """,
        """
        HW401 backend/tasks.py:4:37  query tasks:found
          What: "by_assignee" is an ordinary index, read by with_index(); with_search_index searches for words.
          Fix:  .with_index("by_assignee", ...), or search by search_title
          More: headwater explain HW401
        """,
    ),
    "HW401 search filter to declare": (
        """
        @query
        async def found(ctx: QueryCtx, words: str, who: str) -> Task | None:
            return await ctx.db.query(Task).with_search_index("search_title", words, assignee=who).first()
        """,
        """
        HW401 backend/tasks.py:4:78  query tasks:found
          What: search index "search_title" has no filter field "assignee"; its filter fields are project_id, completed.
          Fix:  test it after the search: .filter(lambda d: d.assignee ...),
                or declare in search_title of class Task (backend/schema.py):
                filter_fields=("project_id", "completed", "assignee")
          More: headwater explain HW401
        """,
    ),
    "HW401 field of the table, not of the index": (
        """
        @query
        async def mine(ctx: QueryCtx) -> Task | None:
            return await ctx.db.query(Task).with_index("by_assignee", completed=True).first()
        """,
        """
        HW401 backend/tasks.py:4:63  query tasks:mine
          What: index "by_assignee" has no field "completed"; its fields are assignee, creation_time.
          Fix:  test it after the index: .filter(lambda d: d.completed ...),
                or declare in class Task (backend/schema.py):
                by_assignee_and_completed = Index("assignee", "completed")
          More: headwater explain HW401
        """,
    ),
    "HW401 wrong start": (
        """
        @query
        async def done(ctx: QueryCtx) -> Task | None:
            return await ctx.db.query(Task).with_index("by_project", completed=True).first()
        """,
        """
        HW401 backend/tasks.py:4:62  query tasks:done
          What: the index cannot start at completed: by_project is ordered by project_id, completed, priority, creation_time; equal values come in that order, then one range.
          Fix:  give project_id= too, or declare an index that begins with completed
          More: headwater explain HW401
        """,
    ),
    "HW401 after a range": (
        """
        @query
        async def done(ctx: QueryCtx, id: Id[Project]) -> Task | None:
            q = ctx.db.query(Task)
            return await q.with_index("by_project", project_id__gt=id, completed=True).first()
        """,
        """
        HW401 backend/tasks.py:5:64  query tasks:done
          What: completed comes after the range on project_id: by_project is ordered by project_id, completed, priority, creation_time; equal values come in that order, then one range.
          Fix:  test completed in .filter(), or declare an index that begins with completed
          More: headwater explain HW401
        """,
    ),
    "HW401 unknown lookup": (
        """
        @query
        async def some(ctx: QueryCtx, who: str) -> Task | None:
            return await ctx.db.query(Task).with_index("by_assignee", assignee__min=who).first()
        """,
        """
        HW401 backend/tasks.py:4:63  query tasks:some
          What: "min" in assignee__min is no range; equal values come in that order, then one range.
          Fix:  ranges are assignee__gt, assignee__gte, assignee__lt, assignee__lte
          More: headwater explain HW401
        """,
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_why_and_what_next(tmp_path: Path, name: str) -> None:
    """The whole text, word for word."""
    code, message = MESSAGES[name]
    assert said(tmp_path, code) == dedent(message).strip()


def test_a_finding_in_a_helper_says_the_way_there(tmp_path: Path) -> None:
    """The place is the helper's; the function and the line it calls from stand beside it."""
    files = {
        "mail.py": "import smtplib\n\n\ndef deliver() -> None:\n    smtplib.SMTP('localhost')\n",
        "tasks.py": HEADER
        + "from backend.mail import deliver\n\n\n"
        + "def notify() -> None:\n    deliver()\n\n\n"
        + "@mutation\nasync def send(ctx: MutationCtx) -> None:\n    notify()\n",
    }
    (finding,) = findings(tmp_path, files)
    line = TASKS_LINES + 10
    assert finding.heading() == (
        "HW203 backend/mail.py:5:5  mutation tasks:send  "
        f"(via helpers notify > deliver, line {line} of backend/tasks.py)"
    )


def test_a_helper_in_the_same_file_is_named_with_its_line(tmp_path: Path) -> None:
    """The short form, where the call stands in the same file."""
    code = """
    def notify() -> None:
        open("log")

    @mutation
    async def send(ctx: MutationCtx) -> None:
        notify()
    """
    (finding,) = findings(tmp_path, code)
    assert finding.via == f"helper notify, line {TASKS_LINES + 7}"


def test_findings_have_a_twin_for_programs(tmp_path: Path) -> None:
    """The JSON form has one key for each part of the message."""
    (finding,) = findings(tmp_path, "\nimport fastapi\n")
    assert finding.to_json() == {
        "code": "HW101",
        "severity": "warning",
        "stage": "S",
        "path": "backend/tasks.py",
        "line": TASKS_LINES + 2,
        "col": 1,
        "function": "",
        "kind": "",
        "via": "",
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
        "docs": "rules/HW101.md",
    }
