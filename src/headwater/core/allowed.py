"""`# headwater: allow HW203 -- reason`, as the guards of a running function read it.

They stop what a reviewer may have allowed for good reasons; `headwater check` says what is wrong
with a comment, here it counts or it does not.
"""

from __future__ import annotations

import re
from pathlib import Path


def is_allowed(root: Path | None, where: str, code: str) -> bool:
    """Whether a comment with a reason allows a rule at a line, on it or right above it.

    Args:
        root: the project's folder.
        where: such as `backend/tasks.py:12`.
        code: the rule's id.
    """
    path, _, line = where.rpartition(":")
    try:
        lines = (root or Path()).joinpath(path).read_text(encoding="utf-8").splitlines()
        place = int(line) - 1
        told = [lines[place]]
    except (OSError, ValueError, IndexError):
        return False
    while place > 0 and lines[place - 1].lstrip().startswith("#"):
        place -= 1
        told.append(lines[place])
    mark = re.compile(rf"#\s*headwater\s*:\s*allow\b.*\b{code}\b.*?(?:--|—|:)\s*\S")
    return any(mark.search(text) for text in told)
