"""PreToolUse: refuses edits of generated files, lessons' tests, the learner's part and hooks.

A refusal is an answer in JSON, with the rule (HW504), what the file is and what to do in its place.
"""

from __future__ import annotations

import glob
import os
import posixpath
from collections.abc import Iterator

from .. import shell, tutor
from . import own
from .payload import Call, Payload, cut

_HINT = "name the failing check and ask one question, or give the next hint"
_MORE = 'AGENTS.md, "Lessons: tutor mode"'


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
        found = own.refusal(name) or own.lesson_test(call.root, name)
        if found:
            return found
        after = tutor.edited_text(call.root, {**call.input, "file_path": name})
        found = _of_learner(call, name, after)
        if found:
            return found
    return None


def _of_command(call: Call, command: str) -> str | None:
    for target in shell.targets(command, powershell=call.tool == "PowerShell"):
        for name in _names(call, target):
            found = own.refusal(name, gone=target.gone) or own.lesson_test(call.root, name)
            found = found or _of_learner(call, name, None)
            if found:
                return found
    reason = tutor.command_reason(call.root, command)
    return own.told("", reason.removesuffix("."), _HINT, _MORE) if reason else None


def _of_learner(call: Call, name: str, after: str | None) -> str | None:
    """In tutor mode: whether the file would hold another text of the learner's part."""
    reason = tutor.protected_reason(call.root, name, after)
    return own.told(name, reason.removesuffix("."), _HINT, _MORE) if reason else None


def _names(call: Call, target: shell.Target) -> Iterator[str]:
    """What a word of a command names in the project: with `~`, the project's variable, and `*`."""
    path = target.path.replace("${CLAUDE_PROJECT_DIR}", str(call.root))
    path = path.replace("$CLAUDE_PROJECT_DIR", str(call.root)).replace("$PWD", call.cwd)
    folder = posixpath.join(call.cwd.replace("\\", "/"), target.cwd.replace("\\", "/"))
    yield from call.names(os.path.expanduser(path), folder)
    if any(letter in path for letter in "*?["):
        for found in glob.glob(path, root_dir=folder, recursive=True):
            yield from call.names(found, folder)
