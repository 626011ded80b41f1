"""Eight mistakes of common guides, typed into the complete project: found, clean when mended."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from headwater.check import check_project

COMPLETE = Path(__file__).parents[3] / "template" / "{% if start == 'complete' %}backend{% endif %}"


@dataclass(frozen=True)
class Mistake:
    """What is typed into which file, the words of its message, and the repaired code."""

    code: str
    path: str
    wrong: str
    reason: str
    fix: str
    right: str
    right_path: str = ""


MISTAKES = {
    "REST handler": Mistake(
        "HW101",
        "backend/reports.py",
        """
        from fastapi import APIRouter

        router = APIRouter()


        @router.get("/reports")  # here
        async def reports() -> list[str]:
            return []
        """,
        "reports is an HTTP route; nobody can subscribe to a route",
        "make it a @query (reads), @mutation (writes) or @action",
        """
        from headwater import QueryCtx, query


        @query
        async def reports(ctx: QueryCtx) -> list[str]:
            return []
        """,
    ),
    "raw SQL": Mistake(
        "HW403",
        "backend/reports.py",
        """
        from headwater import QueryCtx, query


        @query
        async def late(ctx: QueryCtx, project: str) -> list[str]:
            rows = await ctx.db.execute("SELECT title FROM tasks")  # here
            return [row.title for row in rows]
        """,
        "ctx.db has no method execute(); there is no such method",
        "ctx.db.query(Task).with_index(name, field=value).take(n)",
        """
        from backend.schema import Project, Task
        from headwater import Id, QueryCtx, query


        @query
        async def late(ctx: QueryCtx, project_id: Id[Project]) -> list[str]:
            tasks = ctx.db.query(Task).with_index("by_project_completed", project_id=project_id)
            return [task.title for task in await tasks.take(50)]
        """,
    ),
    "missing types": Mistake(
        "HW103",
        "backend/reports.py",
        """
        from headwater import QueryCtx, query


        @query
        async def shout(ctx: QueryCtx, text) -> str:  # here
            return text.upper()
        """,
        "parameter text has no type; the signature is what refuses wrong calls",
        "for example `text: str`",
        """
        from headwater import QueryCtx, query


        @query
        async def shout(ctx: QueryCtx, text: str) -> str:
            return text.upper()
        """,
    ),
    "wrong folder": Mistake(
        "HW102",
        "src/api/reports.py",
        """
        from headwater import QueryCtx, query


        @query
        async def shout(ctx: QueryCtx, text: str) -> str:  # here
            return text.upper()
        """,
        "outside backend/; only backend/ is loaded, so nobody can call it",
        "move it to backend/reports.py",
        """
        from headwater import QueryCtx, query


        @query
        async def shout(ctx: QueryCtx, text: str) -> str:
            return text.upper()
        """,
        "backend/reports.py",
    ),
    "timer in a mutation": Mistake(
        "HW204",
        "backend/reports.py",
        """
        import asyncio

        from backend.schema import Task
        from headwater import Id, MutationCtx, internal_mutation


        @internal_mutation
        async def expire(ctx: MutationCtx, task_id: Id[Task]) -> None:
            await asyncio.sleep(3600)  # here
            await ctx.db.delete(task_id)
        """,
        "asyncio.sleep() waits for time to pass; it holds a transaction open",
        "await ctx.scheduler.run_after(",
        """
        from backend.schema import Task
        from headwater import Id, MutationCtx, internal_mutation


        @internal_mutation
        async def remove(ctx: MutationCtx, task_id: Id[Task]) -> None:
            await ctx.db.delete(task_id)


        @internal_mutation
        async def expire(ctx: MutationCtx, task_id: Id[Task]) -> None:
            await ctx.scheduler.run_after(3_600_000, remove, task_id=task_id)
        """,
    ),
    "wall clock in a query": Mistake(
        "HW201",
        "backend/reports.py",
        """
        from datetime import UTC, datetime

        from headwater import QueryCtx, query


        @query
        async def is_late(ctx: QueryCtx, due_at: float) -> bool:
            return due_at < datetime.now(UTC).timestamp() * 1000  # here
        """,
        "calls datetime.now(); a query is not run again when time passes",
        "take the time as an argument",
        """
        from headwater import QueryCtx, query


        @query
        async def is_late(ctx: QueryCtx, due_at: float, now: float) -> bool:
            return due_at < now
        """,
    ),
    "registered query called from a mutation": Mistake(
        "HW104",
        "backend/reports.py",
        """
        from backend.tasks import get_tasks
        from headwater import MutationCtx, internal_mutation


        @internal_mutation
        async def note(ctx: MutationCtx) -> int:
            return len(await get_tasks(ctx))  # here
        """,
        "calls get_tasks, a registered query; a call past the runtime skips",
        "await ctx.run_query(get_tasks, ...)",
        """
        from backend.tasks import get_tasks
        from headwater import MutationCtx, internal_mutation


        @internal_mutation
        async def note(ctx: MutationCtx) -> int:
            return len(await ctx.run_query(get_tasks))
        """,
    ),
    "multipart parsing": Mistake(
        "HW502",
        "backend/routes.py",
        """
        from fastapi import APIRouter, UploadFile

        router = APIRouter()


        @router.post("/pictures")
        async def picture(file: UploadFile) -> int:  # here
            return len(await file.read())
        """,
        "picture parses a multipart form for file; the server would hold and parse",
        "ctx.storage.generate_upload_url()",
        """
        from fastapi import APIRouter, Request
        from headwater import HttpCtx

        router = APIRouter()


        @router.post("/pictures")
        async def picture(request: Request, ctx: HttpCtx) -> str:
            return await ctx.storage.store(await request.body())
        """,
    ),
}


def write(root: Path, path: str, text: str) -> Path:
    """The complete project's backend with one more file, or another one in its place."""
    shutil.copytree(COMPLETE, root / "backend", dirs_exist_ok=True)
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text).lstrip(), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", MISTAKES)
def test_a_common_mistake_is_found_with_its_place_reason_and_repair(
    tmp_path: Path, name: str
) -> None:
    """One finding in the whole project, at the line that was typed."""
    mistake = MISTAKES[name]
    write(tmp_path, mistake.path, mistake.wrong)
    lines = dedent(mistake.wrong).lstrip().splitlines()
    (line,) = (number for number, text in enumerate(lines, 1) if "# here" in text)
    (found,) = check_project(tmp_path)
    assert (found.code, found.path, found.line) == (mistake.code, mistake.path, line)
    message = found.render()
    assert mistake.reason in message
    assert mistake.fix in message


@pytest.mark.parametrize("name", MISTAKES)
def test_the_repaired_code_is_clean(tmp_path: Path, name: str) -> None:
    """Whoever follows the message ends with no finding."""
    mistake = MISTAKES[name]
    write(tmp_path, mistake.right_path or mistake.path, mistake.right)
    assert [found.render() for found in check_project(tmp_path)] == []
