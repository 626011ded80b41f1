"""The learner's part of a lesson's files: functions and classes, and whether an edit changes them.

A lesson names them in lesson.toml: `targets = ["backend/tasks.py:create_task", ...]`. A region is
the text of every top-level statement that gives the name, decorators and comments included.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..kit import Tree
from ..lessons import Lesson

MARK = "TODO(human)"
"""The one comment that an assistant leaves in the learner's part."""
_TODO_LINE = re.compile(rf"^\s*#\s*{re.escape(MARK)}[^\n]{{0,120}}$")
_TODOS_AT_MOST = 1


def changed_regions(before: str, after: str, names: Iterable[str]) -> list[str]:
    """The names whose text an edit changes, in more than one added `# TODO(human)` comment.

    A file that Python cannot read, before or after, has no regions: then all of it counts.
    """
    old, new = _without_todo(before), _without_todo(after)
    if old == new:
        return []
    try:
        was, becomes = regions(old), regions(new)
    except (SyntaxError, ValueError):
        return list(names)
    return [name for name in names if was.get(name) != becomes.get(name)]


def regions(text: str) -> dict[str, list[str]]:
    """The text of every top-level statement by the name it gives.

    Raises:
        SyntaxError: it is no Python.
    """
    lines, found = text.splitlines(), dict[str, list[str]]()
    for node in statements(ast.parse(text).body):
        for name in given(node):
            found.setdefault(name, []).append(_text(node, lines))
    return found


def targets_of(lesson: Lesson) -> dict[str, list[str]]:
    """The names of the learner's part, by their file."""
    found: dict[str, list[str]] = {}
    for target in lesson.targets:
        path, _, name = target.partition(":")
        found.setdefault(path, []).append(name)
    return found


def own_part(project: Path, lesson: Lesson) -> str:
    """A fingerprint of the learner's part: other when they tried something."""
    paths = {name: project / name for name in targets_of(lesson)}
    return part_of({k: path.read_bytes() for k, path in paths.items() if path.is_file()}, lesson)


def part_of(files: Tree, lesson: Lesson) -> str:
    """The same of files that lie in no project: of a stage, of a lesson's beginning."""
    digest = hashlib.sha256()
    for name, names in targets_of(lesson).items():
        text = _without_todo(files.get(name, b"").decode(errors="replace"))
        try:
            found = regions(text)
            text = repr([found.get(each) for each in names])
        except (SyntaxError, ValueError):
            pass  # a try that does not parse is one: all of its text counts
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:16]


def too_many_todos(before: str, after: str) -> bool:
    """Whether an edit adds a `TODO(human)` where there is one already: one question at a time."""
    return after.count(MARK) > max(_TODOS_AT_MOST, before.count(MARK))


def _without_todo(text: str) -> str:
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if not _TODO_LINE.match(line)).rstrip()


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, those inside `if` and `try` too."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                yield from statements(getattr(node, part, []))


def given(node: ast.stmt) -> Iterator[str]:
    """The names a statement gives."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    targets = list(getattr(node, "targets", [])) or [getattr(node, "target", None)]
    for target in (*targets, getattr(node, "name", None)):  # `type X = ...` has a name
        if isinstance(target, ast.AST):
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _text(node: ast.stmt, lines: list[str]) -> str:
    return "\n".join(lines[first_line(node) - 1 : node.end_lineno])
