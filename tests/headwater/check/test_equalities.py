"""What HW401 proposes for a filter: an index by every field that has one value."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import findings

SCHEMA = """
from headwater import Document, Index


class Note(Document, table="notes"):
    folder: str
    author: str
    pinned: bool = False
    text: str = ""
    by_author_and_pinned = Index("author", "pinned")
"""


def proposed(root: Path, condition: str) -> str:
    """The fix for a filter with this condition."""
    text = f"""
from backend.schema import Note
from headwater import QueryCtx, query


@query
async def get(ctx: QueryCtx, who: str, at: str) -> list[Note]:
    return await ctx.db.query(Note).filter(lambda note: {condition}).take(9)
"""
    (found,) = findings(root, {"schema.py": SCHEMA, "notes.py": text})
    assert found.code == "HW401"
    return found.fix


@pytest.mark.parametrize(
    "condition",
    [
        "note.folder == at and not note.pinned",
        "not note.pinned and at == note.folder",
        "note.folder == at and note.pinned is False",
        "note.folder == at).filter(lambda note: note.pinned",
    ],
)
def test_a_flag_is_a_field_of_the_index_too(tmp_path: Path, condition: str) -> None:
    """An index by the folder alone would read every pinned note for nothing."""
    assert proposed(tmp_path, condition) == (
        "declare in class Note (backend/schema.py):\n"
        'by_folder_and_pinned = Index("folder", "pinned")'
    )


def test_an_index_that_is_there_is_given_all_it_takes(tmp_path: Path) -> None:
    """Only what it cannot choose by is left to the filter."""
    assert proposed(tmp_path, "note.author == who and not note.pinned and note.text != at") == (
        '.with_index("by_author_and_pinned", author=..., pinned=...), then .filter() what is left'
    )


@pytest.mark.parametrize(
    "condition", ["note.folder == at or note.pinned", "note.folder == note.text", "note.text != at"]
)
def test_what_has_not_one_value_is_no_field_of_an_index(tmp_path: Path, condition: str) -> None:
    """Then the rule's own words are all that can be said."""
    assert proposed(tmp_path, condition).startswith("read through an index")
