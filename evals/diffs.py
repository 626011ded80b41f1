"""A diff as people write it in an answer: no line numbers, `...` for what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Change:
    """Lines that go and lines that come, with the line before and the one after."""

    before: str = ""
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    after: str = ""


def is_diff(language: str, text: str) -> bool:
    """Whether a block is a diff: it says so, or each line is marked and some are added."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = all(line[0] in "+-@ " for line in lines)
    return language == "diff" or (marked and any(line[0] == "+" for line in lines))


def applied(diff: str, files: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The files with every change that finds its place in one of them; what is added elsewhere."""
    made, elsewhere = dict(files), list[str]()
    for change in _changes(diff):
        for path, text in made.items():
            lines = _with(change, text.splitlines())
            if lines is not None:
                made[path] = "\n".join(lines) + "\n"
                break
        else:
            elsewhere.append("\n".join(change.added))
    return made, elsewhere


def left_by(diff: str) -> str:
    """What a diff leaves: added lines and those around them."""
    kept = [x for x in diff.splitlines() if not x.startswith(("-", "+++", "@@", "\\"))]
    return "\n".join(x[1:] if x[:1] in ("+", " ") else x for x in kept)


def _changes(diff: str) -> Iterator[Change]:
    change, open_ = Change(), False
    for line in diff.splitlines():
        if line.startswith(("+++", "---", "@@", "\\")):
            continue
        sign, text = line[:1], line[1:]
        if sign in ("+", "-"):
            (change.added if sign == "+" else change.removed).append(text)
            open_ = True
            continue
        if open_:
            change.after = text
            yield change
            change, open_ = Change(), False
        change.before = text
    if open_:
        yield change


def _with(change: Change, lines: list[str]) -> list[str] | None:
    """The lines with a change made; None when they have no place for it."""
    bare = [line.strip() for line in lines]
    gone = [line.strip() for line in change.removed]
    for at in range(len(bare)) if gone else ():
        if bare[at : at + len(gone)] == gone:
            return [*lines[:at], *change.added, *lines[at + len(gone) :]]
    if gone:
        return None
    for line, beyond in ((change.before, 1), (change.after, 0)):
        if line.strip() and line.strip() in bare:
            at = bare.index(line.strip()) + beyond
            return [*lines[:at], *change.added, *lines[at:]]
    return None
