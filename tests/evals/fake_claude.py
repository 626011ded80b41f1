"""A stand-in for `claude -p`: it replays what was recorded, a recording for each call.

A recording has `text`, `edits` (`Write` and `Edit` as the command has them), and `end`, what the
last line of the stream says. `hangs` never ends; `turns` says something that often. The arguments
of each call are kept beside the recordings.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_CLAUDE"])


def tell(**event: Any) -> None:
    """Prints a line of the stream."""
    print(json.dumps(event), flush=True)


def assistant(*content: dict[str, Any]) -> None:
    """Says something, or uses a tool."""
    tell(type="assistant", parent_tool_use_id=None, message={"content": list(content)})


def edit(tool: str, given: dict[str, Any]) -> None:
    """Makes a recorded edit in the folder it was started in, and tells of it."""
    path = Path.cwd() / given["file_path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if tool == "Write":
        path.write_text(given["content"], encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(given["old_string"], given["new_string"], 1))
    use(tool, {**given, "file_path": str(path)}, "done")


def use(tool: str, given: dict[str, Any], result: str, is_error: bool = False) -> None:
    """Tells of a tool's use."""
    assistant({"type": "tool_use", "id": "1", "name": tool, "input": given})
    answer = {"type": "tool_result", "tool_use_id": "1", "content": result, "is_error": is_error}
    tell(type="user", message={"content": [answer]})


def main() -> None:
    """Replays the next recording."""
    if sys.argv[1:] == ["--version"]:
        print("2.1.329 (a stand-in)")
        return
    calls = FOLDER / "calls.json"
    made = json.loads(calls.read_text()) if calls.is_file() else []
    calls.write_text(json.dumps([*made, sys.argv[1:]]))
    said = json.loads((FOLDER / "recordings.json").read_text())[len(made)]
    tell(type="system", subtype="init", session_id="s-1", model="recorded")
    for tool, given in said.get("edits", []):
        edit(tool, given)
    for _ in range(said.get("turns", 1)):
        assistant({"type": "text", "text": said.get("text", "Done.")})
    if said.get("hangs"):
        signal.pause()
    end = {"subtype": "success", "is_error": False, "result": said.get("text", "Done.")}
    end |= {"num_turns": len(said.get("edits", [])) + 1, "total_cost_usd": 0.25}
    tell(type="result", session_id="s-1", **{**end, **said.get("end", {})})


if __name__ == "__main__":
    main()
