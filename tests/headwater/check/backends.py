"""Small backends for the checker, written to a folder."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from headwater.check import check_project
from headwater.rules import Finding

SCHEMA = """
from typing import Annotated, Literal

from pydantic import Field

from headwater import Document, Id, Index, SearchIndex


class Project(Document, table="projects"):
    name: str


class Task(Document, table="tasks"):
    title: Annotated[str, Field(max_length=200)]
    completed: bool = False
    assignee: str
    priority: Literal["low", "high"] | None = None
    project_id: Id[Project] | None = None
    by_assignee = Index("assignee")
    by_project = Index("project_id", "completed", "priority")
    search_title = SearchIndex("title", filter_fields=("project_id", "completed"))
"""

HEADER = """
from backend.schema import Project, Task
from headwater import (
    ActionCtx, Id, MutationCtx, QueryCtx,
    action, internal_action, internal_mutation, internal_query, mutation, query,
)
"""


def write_backend(root: Path, files: dict[str, str]) -> Path:
    """Write files below root/backend, with a schema unless they bring one; gives the root."""
    for name, text in {"schema.py": SCHEMA, **files}.items():
        path = root / "backend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return root


def findings(root: Path, files: dict[str, str] | str) -> list[Finding]:
    """What the checker says of these files; a text alone is tasks.py below the usual imports."""
    if isinstance(files, str):
        files = {"tasks.py": HEADER + dedent(files)}
    return check_project(write_backend(root, files))


def marked(files: dict[str, str] | str) -> list[tuple[str, int]]:
    """Codes and lines of the `# <- HW000` marks, file by file."""
    if isinstance(files, str):
        files = {"tasks.py": HEADER + dedent(files)}
    found = []
    for name in sorted(files):
        for number, line in enumerate(dedent(files[name]).splitlines(), 1):
            _, mark, code = line.partition("# <- ")
            found += [(code.split()[0], number)] if mark else []
    return found
