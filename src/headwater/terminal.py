"""Records of calls as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from headwater.errors import shortened

_LEVELS = {"warning": "yellow", "error": "red"}


def visible(text: str) -> str:
    """The text without control codes: much of what is shown is a client's."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def told(entry: Mapping[str, Any], *, every: bool = True, time: bool = False) -> Iterator[Text]:
    """The lines a record is shown in.

    Args:
        entry: the record as it is logged.
        every: show each call, with what it read and wrote; else only those with something to say.
        time: begin with the time of day, as UTC.
    """
    clock = f"{entry['time'][11:19]} " if time else ""
    if "function" not in entry:
        style = _LEVELS.get(entry["level"], "dim")
        yield Text.assemble((f"{clock}{entry['level']}", style), f" {visible(entry['message'])}")
        return
    took = (f"{clock}{entry['duration_ms']:7.1f} ms ", "dim")
    name = visible(f"{entry['kind']} {shortened(entry['function'])}")
    for line in entry.get("log_lines", ()):
        yield Text.assemble(took, (name, "dim"), f" {visible(line)}")
    if "error" in entry:
        error = visible(f" {entry['error']}\n    request {entry['request_id']}")
        yield Text.assemble(took, (name, "red"), error)
    elif every:
        yield Text.assemble(took, (name, "green"), f" {_amounts(entry)}")


def _amounts(entry: Mapping[str, Any]) -> str:
    """`read 3 documents (412 bytes), wrote 1 (90 bytes)`."""
    parts = []
    for verb, suffix in (("read", "read"), ("wrote", "written")):
        count, size = entry[f"documents_{suffix}"], entry[f"bytes_{suffix}"]
        if count or verb == "read":
            noun = "document" if count == 1 else "documents"
            parts.append(f"{verb} {count} {noun} ({size} bytes)")
    return ", ".join(parts)
