"""How far somebody is, as one line of text: the same in a terminal, in docs and beside a chat."""

from __future__ import annotations

from typing import Final

WIDTH: Final = 24


def how_far(done: int, total: int, what: str) -> str:
    """The bar and its numbers: `[######..................] 3 of 12 lessons done`.

    Args:
        done: how many of them; the bar is full only when it is all.
        total: how many there are; none leaves the bar empty.
        what: what is counted, and what became of it.
    """
    filled = WIDTH * done // max(total, 1)
    return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done} of {total} {what}"
