"""PostToolUse: what `headwater check` finds in the file that was just edited."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.check import check_project
from headwater.rules import Finding

from .payload import Call, Payload, context

AT_MOST = 10


def after(call: Call) -> Payload:
    """The findings in the edited file, ten at most; nothing for a file without."""
    names = {name.casefold() for name in call.edited if name.endswith(".py")}
    if not names or not (call.root / "backend").is_dir():
        return {}
    found = [each for each in check_project(call.root) if each.path.casefold() in names]
    return context("PostToolUse", listed(found)) if found else {}


def listed(found: Sequence[Finding]) -> str:
    """Findings of one file as a text: errors first, ten at most, and how many more there are."""
    first = sorted(found, key=lambda each: each.severity)[:AT_MOST]
    rest = len(found) - len(first)
    count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    parts = [f"headwater check: {count} in {found[0].path}, as it is after this edit."]
    parts += [each.render() for each in first]
    parts += [f"{rest} more: uv run headwater check {found[0].path}"] if rest else []
    return "\n\n".join(parts)
