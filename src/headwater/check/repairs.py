"""`headwater check --fix`: the repairs that need no judgement, made in place.

`await` before a call of ctx that stands alone or is returned (HW205), and `creation_time` taken
out of an index, which ends with it anyway (HW404). Nothing else is safe to write for somebody.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headwater.check.sources import Source
from headwater.rules import Finding


@dataclass(frozen=True)
class Edit:
    """Bytes `start` to `end` of a line replaced by a text."""

    line: int
    start: int
    end: int
    text: str


def repaired(source: Source, findings: Sequence[Finding]) -> str:
    """A file's text with what can be mended mended; the same text where nothing can be."""
    edits = [edit for finding in findings if (edit := _edit(source, finding)) is not None]
    lines = source.text.splitlines(keepends=True)
    for edit in sorted(set(edits), key=lambda e: (e.line, e.start), reverse=True):
        raw = lines[edit.line - 1].encode()  # columns of the parser count bytes
        lines[edit.line - 1] = (raw[: edit.start] + edit.text.encode() + raw[edit.end :]).decode()
    return "".join(lines)


def repair(root: Path, source: Source, findings: Sequence[Finding]) -> str:
    """Mend a file in place; gives the change as a diff, empty if there was none.

    A file whose mended text would not parse, or is not UTF-8, is left as it is.
    """
    path = root / source.path
    if path.read_bytes() != source.text.encode():
        return ""
    text = repaired(source, findings)
    if text == source.text or not _parses(text):
        return ""
    path.write_bytes(text.encode())
    before, after = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, after, source.path, source.path, n=0))


def _edit(source: Source, finding: Finding) -> Edit | None:
    if finding.code == "HW205":
        return _await(source, finding)
    if finding.code == "HW404" and "lists creation_time" in finding.what:
        return _index(source, finding)
    return None


def _await(source: Source, finding: Finding) -> Edit | None:
    """`await` where the call is a statement or is returned, directly in an `async def`."""
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for statement in _own_statements(function):
            call = statement.value if isinstance(statement, ast.Expr | ast.Return) else None
            if isinstance(call, ast.Call) and _is_at(call, finding):
                return Edit(call.lineno, call.col_offset, call.col_offset, "await ")
    return None


def _own_statements(function: ast.AsyncFunctionDef) -> list[ast.AST]:
    """The statements of a function, without those of functions inside it."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        found.append(node)
        waiting += ast.iter_child_nodes(node)
    return found


def _index(source: Source, finding: Finding) -> Edit | None:
    """The last argument of Index(...), with the comma before it."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and len(node.args) > 1):
            continue
        before, last = node.args[-2:]
        if _is_at(last, finding) and before.end_lineno == last.lineno == last.end_lineno:
            return Edit(last.lineno, before.end_col_offset or 0, last.end_col_offset or 0, "")
    return None


def _is_at(node: ast.expr, finding: Finding) -> bool:
    return (node.lineno, node.col_offset + 1) == (finding.line, finding.col)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
