"""What hooks remember of a session: `.headwater/hooks.json`, the newest sessions only.

A session's record: the state of the code when it began or last ended a turn well, and how often a
turn was not let end since then.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..kit import write_whole

SESSIONS_KEPT = 20
FILE = ".headwater/hooks.json"
AI_FILES = ".headwater/ai-files.json"
"""The digests of the files that headwater wrote for assistants; `managed` keeps them."""


@dataclass
class Record:
    """One session: the code's mark when it was last in order, and the blocks since."""

    mark: str = ""
    blocks: int = 0


def load(root: Path) -> dict[str, Record]:
    """Every session's record; none when the file is missing or is not one."""
    try:
        data = json.loads((root / FILE).read_text(encoding="utf-8"))
        return {name: Record(**record) for name, record in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save(root: Path, session: str, record: Record) -> None:
    """Keep a session's record; a reader finds the old file or the new one."""
    records = load(root)
    records.pop(session, None)
    records[session] = record
    newest = list(records.items())[-SESSIONS_KEPT:]
    text = json.dumps({name: asdict(each) for name, each in newest}, indent=2)
    write_whole(root / FILE, text + "\n")


def mark(root: Path) -> str:
    """A name for the code as it is now: how many files, and when the last one was written."""
    files = [path for top in ("backend", "tests") for path in (root / top).rglob("*.py")]
    times = [path.stat().st_mtime_ns for path in files if path.is_file()]
    return f"{len(times)}-{max(times, default=0)}"
