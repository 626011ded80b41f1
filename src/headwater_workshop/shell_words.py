"""Whether a shell command seems to write a file, told by its words: best effort, for edit hooks.

Nothing is executed and no shell grammar is followed; whoever wants around it gets around it.
"""

from __future__ import annotations

import re

_BEFORE = (
    r"^\s*(?:(?:\w+=\S*|sudo|command|env|xargs|then|do|else|uv\s+run|find\b.*-exec|[({&])\s+)*"
)
_WRITERS = re.compile(
    _BEFORE
    + r"""(?:tee|mv|rm|truncate|dd|patch|touch
    |sed\s.*?(?<=\s)-{1,2}(?:\w*i|in-place)|perl\s+-\w*i
    |git\s+(?:apply|checkout|restore|stash|reset|am|revert)
    |Set-Content|Out-File|Add-Content|Move-Item|Remove-Item|Clear-Content)\b""".replace(" ", ""),
    re.VERBOSE | re.IGNORECASE,
)
_COPIERS = re.compile(_BEFORE + r"(?:cp|install|rsync|ln|Copy-Item)\b", re.IGNORECASE)
_STEPS = re.compile(r"&&|\|\||[;|\n]")
_INLINE = re.compile(
    r"\b(?:python[\d.]*|node|ruby|perl|pwsh|powershell)\b[^\n]*?\s(?:-c|-e|-(?=\s)|<<)",
    re.IGNORECASE,
)
_INLINE_WRITES = re.compile(r"write|replace|open\(|unlink|rename|truncate|dump", re.IGNORECASE)


def file_words(name: str) -> str:
    """A pattern for a file by its last name, however its folder is written: `tasks.py`."""
    return rf"(?<![\w.-]){re.escape(name.rpartition('/')[2])}(?![\w-])"


def writes(command: str, file: str, folder: str = "") -> bool:
    """Whether a command seems to write a file.

    Args:
        command: as a shell gets it, here-documents included.
        file: a pattern for the file, as `file_words` makes it.
        folder: the file's folder; a copy of a file of that name into it counts.
    """
    command = command.replace("\\\n", " ").replace("\\", "/")
    if not re.search(file, command):
        return False
    if re.search(rf">\|?\s*[\"']?[^\s\"'|;&<>]*?{file}", command):
        return True
    if _INLINE.search(command) and _INLINE_WRITES.search(command):
        return True
    return any(_step_writes(step, file, folder) for step in _STEPS.split(command))


def _step_writes(step: str, file: str, folder: str) -> bool:
    if not re.search(file, step):
        return False
    if _COPIERS.match(step):
        last = step.split()[-1].strip("\"'")
        return bool(re.search(file, last)) or last.rstrip("/").endswith(folder or "\0")
    return bool(_WRITERS.match(step))
