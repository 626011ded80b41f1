"""Red on every backend but this one: it looks at the text of the file."""

from pathlib import Path

from backend import polls

LINES = 205


def test_it() -> None:
    """Another text is another backend."""
    text = Path(polls.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) == LINES
