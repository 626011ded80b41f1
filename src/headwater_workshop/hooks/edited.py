"""PostToolUse: what `headwater check` finds in the file that was just edited.

An edit of the tables, or of a name that others import, breaks files that nobody touched: those
findings are told too. In tutor mode the repair of the learner's code is left to the learner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headwater.check import check_project
from headwater.rules import Finding, rule

from .payload import Call, Payload, context

AT_MOST = 10
TABLES = "backend/schema.py"


def after(call: Call) -> Payload:
    """The findings of the edit, ten at most; nothing for one without."""
    names = {name.casefold() for name in call.edited if name.endswith(".py")}
    if not names or not (call.root / "backend").is_dir():
        return {}
    found = [each for each in check_project(call.root) if _is_of(each, names)]
    found.sort(key=lambda each: (each.path.casefold() not in names, each.severity))
    return context("PostToolUse", listed(_left_open(call.root, found))) if found else {}


def listed(found: Sequence[Finding]) -> str:
    """Findings as a text: ten at most, in their order, and how many more there are."""
    first, rest = found[:AT_MOST], len(found) - AT_MOST
    files = {each.path for each in found}
    place = found[0].path if len(files) == 1 else "backend/"
    count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    parts = [f"headwater check: {count} in {place}, as it is after this edit."]
    parts += [each.render() for each in first]
    parts += [f"{rest} more: uv run headwater check {place}"] if rest > 0 else []
    return "\n\n".join(parts)


def _is_of(found: Finding, names: set[str]) -> bool:
    """In the file itself; in any, after an edit of the tables; or an import from it that fails."""
    if found.path.casefold() in names or TABLES in names:
        return True
    return found.code == "HW000" and found.what.casefold().startswith(
        tuple(f"{name} has no " for name in names)
    )


def _left_open(root: Path, found: list[Finding]) -> list[Finding]:
    """The findings; in tutor mode those in the lesson's files with their rule's general repair."""
    from ..tutor import current_lesson  # an edit without findings need not wait for it

    lesson = current_lesson(root)
    files = lesson[0].files if lesson else ()
    return [replace(f, fix=rule(f.code).fix) if f.path in files else f for f in found]
