"""How long an assistant's edit waits for its hooks: `python -m benchmarks.edit_hook PROJECT`.

The project is a generated one with its environment. One of its files is edited, in name only; both
hooks of the edit are started as Claude Code starts them, launcher and all.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

EVENTS = {"PreToolUse": "before an edit", "PostToolUse": "after it, with headwater check"}


def wait_s(project: Path, event: str, file: Path) -> float:
    """Seconds from a hook's start to its answer."""
    settings = json.loads((project / ".claude" / "settings.json").read_text(encoding="utf-8"))
    handler = settings["hooks"][event][0]["hooks"][0]
    words = [handler["command"], *handler["args"]]
    command = [word.replace("${CLAUDE_PROJECT_DIR}", str(project)) for word in words]
    given = {"file_path": str(file), "old_string": "a", "new_string": "a"}
    payload = {"session_id": "benchmark", "cwd": str(project), "hook_event_name": event}
    text = json.dumps({**payload, "tool_name": "Edit", "tool_input": given})
    surroundings = {**os.environ, "CLAUDE_PROJECT_DIR": str(project)}
    started = perf_counter()
    subprocess.run(
        command, input=text.encode(), env=surroundings, stdout=subprocess.DEVNULL, check=True
    )
    return perf_counter() - started


def main() -> None:
    """Print median and slowest of twenty edits, for each hook."""
    project = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    file = project / "backend" / "tasks.py"
    for event, what in EVENTS.items():
        runs = [wait_s(project, event, file) for _ in range(20)]
        middle, slowest = statistics.median(runs), max(runs)
        print(f"{event:<12} {what:<32} median {middle:.2f} s, slowest {slowest:.2f} s")


if __name__ == "__main__":
    main()
