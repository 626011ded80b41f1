"""Document ids: Convex's form, from which the table is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.ids import make_id, table_of

NOW_MS = 1_700_000_000_000.0


@given(st.integers(1, 2**32), st.binary(min_size=14, max_size=14))
def test_the_table_is_read_from_the_id(table: int, random: bytes) -> None:
    """For any table number; the text has 31 to 37 letters and digits."""
    made = make_id(table, random, NOW_MS)
    assert table_of(made) == table
    assert 31 <= len(made) <= 37
    assert made.isalnum()
    assert made == made.lower()


def test_a_changed_letter_is_noticed() -> None:
    """The checksum tells a mistyped id from a right one."""
    made = make_id(5, bytes(range(14)), NOW_MS)
    changed = [made[:at] + ("0" if made[at] != "0" else "1") + made[at + 1 :] for at in range(31)]
    assert [table_of(text) for text in changed] == [None] * 31


@pytest.mark.parametrize("text", ["", "abc", "u" * 31, "é" * 31, "0" * 30, "0" * 38])
def test_other_texts_are_no_ids(text: str) -> None:
    """Too short, too long, letters that are not used, a wrong checksum."""
    assert table_of(text) is None


def test_only_the_day_is_in_the_id() -> None:
    """Two ids of one day differ by their random bytes alone."""
    random = bytes(14)
    assert make_id(1, random, NOW_MS) == make_id(1, random, NOW_MS + 1000)
    assert make_id(1, random, NOW_MS) != make_id(1, random, NOW_MS + 86_400_000)
