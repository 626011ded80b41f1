"""Payloads as Claude Code 2.1 writes them, recorded once, for any project and file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headwater_workshop.hooks import Answer, answer
from headwater_workshop.lessons import find_lesson
from headwater_workshop.progress import record_start
from headwater_workshop.stages import stage, started, write

SESSION = "5f0a1c1e-6f0e-4a53-9a43-0d4b7c2f7d10"
AT = "2026-11-02T09:00:00Z"
BAD = '"""Tasks."""\n\nimport time\n\nfrom headwater import QueryCtx, query\n\n\n@query\n'
BAD += "async def now(ctx: QueryCtx) -> float:\n    return time.time()\n"


def recorded(project: Path | str, event: str, **more: Any) -> dict[str, Any]:
    """What every payload has, with what this event adds."""
    return {
        "session_id": SESSION,
        "transcript_path": f"{project}/../.claude/projects/x/{SESSION}.jsonl",
        "cwd": str(project),
        "permission_mode": "default",
        "hook_event_name": event,
        **more,
    }


def tool(project: Path | str, name: str, event: str = "PreToolUse", **given: Any) -> dict[str, Any]:
    """A tool's payload, before or after its use."""
    more: dict[str, Any] = {
        "tool_name": name,
        "tool_input": given,
        "tool_use_id": "toolu_01J8Zt5mJ6dWc9vKZkT3pQ7w",
    }
    if event == "PostToolUse":
        more |= {"tool_response": {"filePath": given.get("file_path")}, "duration_ms": 12}
    return recorded(project, event, **more)


def stop(project: Path | str, *, active: bool = False, **more: Any) -> dict[str, Any]:
    """The payload at the end of a turn."""
    said = {"last_assistant_message": "Done.", "background_tasks": [], "session_crons": []}
    return recorded(project, "Stop", stop_hook_active=active, **said, **more)


def asked(event: str, payload: dict[str, Any]) -> Answer:
    """The answer to a payload, in this process."""
    return answer(event, json.dumps(payload).encode())


def refused(payload: dict[str, Any]) -> str:
    """The reason of a refusal before a tool's use; empty when it may go on."""
    told = asked("pre-tool-use", payload).get("hookSpecificOutput", {})
    assert told.get("permissionDecision", "deny") == "deny"
    return str(told.get("permissionDecisionReason", ""))


def make(folder: Path, *, mode: str = "pair", lesson: str = "") -> Path:
    """A project in a folder whose name has a space; in a lesson, if one is named."""
    project = folder / "my app"
    write(started(find_lesson(lesson)) if lesson else stage(0), project)
    (project / ".copier-answers.yml").write_text(f"assistant_mode: {mode}\n")
    if lesson:
        record_start(project, find_lesson(lesson), AT)
    return project
