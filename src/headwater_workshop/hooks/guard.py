"""PreToolUse: refuses edits of generated files, lessons' tests, the learner's functions and hooks.

A refusal is an answer in JSON, with the rule (HW504), what the file is and what to do in its place.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from ..ai_files import mode_of
from . import own, shell
from .payload import Call, Payload, cut

_REVEALS = re.compile(
    r"\bheadwater\s+(?:solution\b|mode\s+pair\b|lesson\s+(?:goto\b|diff\b[^;|&\n]*--solution\b))"
)


def before(call: Call) -> Payload:
    """A refusal, with its reason; nothing when the tool may go on."""
    if call.tool in ("Bash", "PowerShell"):
        reason = _of_command(call, str(call.input.get("command", "")))
    else:
        reason = _of_edit(call)
    if reason is None:
        return {}
    decision = {"permissionDecision": "deny", "permissionDecisionReason": cut(reason)}
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}


def _of_edit(call: Call) -> str | None:
    for name in call.edited:
        found = own.refusal(name) or _of_lesson(call, name)
        if found:
            return found
    return None


def _of_lesson(call: Call, name: str) -> str | None:
    """Whether an edit changes a test of the lesson in hand, or in tutor mode the learner's part."""
    if not name.startswith(("backend/", "tests/")):
        return None
    in_hand = own.safe_lesson(call.root)
    if in_hand is None:
        return None
    lesson, _ = in_hand
    if name.startswith("tests/"):
        return own.lesson_test(name, lesson)
    if mode_of(call.root) != "tutor":
        return None
    old = _text(call.root / name)
    new = own.edited_text(call.tool, dict(call.input), old)
    names = own.touched(name, old, new, own.regions(lesson))
    return own.learners(names, lesson, name) if names else None


def _of_command(call: Call, command: str) -> str | None:
    for target in shell.targets(command, powershell=call.tool == "PowerShell"):
        for name in _names(call, target):
            found = own.refusal(name, gone=target.gone) or _of_written(call, name)
            if found:
                return found
    return _of_reveal(call) if _REVEALS.search(command) else None


def _of_written(call: Call, name: str) -> str | None:
    """What a command writes is not known, so that a file counts as a whole."""
    in_hand = own.safe_lesson(call.root) if name.startswith(("backend/", "tests/")) else None
    if in_hand is None:
        return None
    lesson, _ = in_hand
    if name.startswith("tests/"):
        return own.lesson_test(name, lesson)
    mine = sorted(part for file, part in own.regions(lesson) if file == name)
    return own.learners(mine, lesson, name) if mine and mode_of(call.root) == "tutor" else None


def _of_reveal(call: Call) -> str | None:
    in_hand = own.safe_lesson(call.root)
    if in_hand is None or mode_of(call.root) != "tutor":
        return None
    lesson, _ = in_hand
    return own.asked_by_human(lesson)


def _names(call: Call, target: shell.Target) -> Iterator[str]:
    """What a word of a command names in the project: with `~`, the project's variable, and `*`."""
    path = target.path.replace("${CLAUDE_PROJECT_DIR}", str(call.root))
    path = path.replace("$CLAUDE_PROJECT_DIR", str(call.root)).replace("$PWD", call.cwd)
    folder = posixpath.join(call.cwd.replace("\\", "/"), target.cwd.replace("\\", "/"))
    yield from call.names(os.path.expanduser(path), folder)
    if any(letter in path for letter in "*?["):
        for found in glob.glob(path, root_dir=folder, recursive=True):
            yield from call.names(found, folder)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
