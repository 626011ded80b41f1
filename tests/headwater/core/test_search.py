"""Words, what they weigh, and the postings of a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater import UNSET
from headwater.core.search import (
    list_prefix,
    posting_keys,
    searched_words,
    value_digest,
    weight,
    words,
)
from headwater.settings import Limits

LONG = Limits.search_word_bytes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, World!", "hello world"),
        ("snake_case e-mail it's", "snake case e mail it s"),
        ("Äpfel ΟΔΟΣ Straße 日本語 ½ x²", "äpfel οδοσ straße 日本語 ½ x²"),
        ("2024 v2.0", "2024 v2 0"),
        (" .,;- \n\x00\ud800", ""),
    ],
)
def test_words_are_lowered_runs_of_letters_and_digits(text: str, found: str) -> None:
    """Everything else only parts them."""
    assert " ".join(words(text)) == found


def test_search_word_bytes_is_a_limit() -> None:
    """A word of 32 bytes is found, a longer one is not there; bytes are those of UTF-8."""
    fits, much, umlauts = "a" * LONG, "b" * (LONG + 1), "ä" * (LONG // 2 + 1)
    assert list(words(f"{fits} {much} {umlauts} end")) == [fits, "end"]


@given(st.text(max_size=8), st.integers(0, 8))
@example("ΣΑΣ", 2)
@example("İstanbul", 1)
def test_a_begun_word_is_a_beginning_of_its_word(text: str, typed: int) -> None:
    """Who types letter by letter looks for a beginning of what is stored at every letter."""
    whole, begun = list(words(text)), list(words(text[:typed]))
    assert begun[:-1] == whole[: len(begun[:-1])]
    assert not begun or whole[len(begun) - 1].startswith(begun[-1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("b a", ["b", "a"]),
        ("a b a", ["b", "a"]),
        ("a b c d e", ["a", "b", "c"]),
        ("", []),
        ("?!", []),
    ],
)
def test_a_search_is_for_its_first_words(text: str, found: list[str]) -> None:
    """Each once, the last one last: it is the one that may be begun only."""
    assert searched_words(text, 3) == found


def test_weight_rises_with_repetition_and_falls_with_length() -> None:
    """It is between 1 and 255 whatever the text, and about equal lengths weigh the same."""
    assert weight(2, 8) > weight(1, 8) > weight(1, 100) > weight(1, 10_000)
    assert weight(1, 4) == weight(1, 7)
    everything = [weight(n, n * m) for n in (1, 9, 10**6) for m in (1, 9, 10**6)]
    assert 1 <= min(everything) <= max(everything) <= 220


def keys_of(fields: dict[str, Any], filters: tuple[str, ...] = ()) -> list[bytes]:
    """The postings of a document in index 7 of its text."""
    document = {**fields, "_id": "an-id", "_creationTime": 5.0}
    return sorted(posting_keys(7, "text", filters, document))


def test_a_document_has_a_posting_for_each_word_in_each_list() -> None:
    """In that of all documents and in that of each filter value."""
    keys = keys_of({"text": "b a b", "room": "x", "by": UNSET}, ("room", "by"))
    everywhere = list_prefix(7, None)
    room = list_prefix(7, 0, value_digest("x"))
    nobody = list_prefix(7, 1, value_digest(UNSET))
    assert len(keys) == 6
    for head in (everywhere, room, nobody):
        assert [key for key in keys if key.startswith(head + b"a\x00")]
        assert [key for key in keys if key.startswith(head + b"b\x00")]


@pytest.mark.parametrize("fields", [{}, {"text": None}, {"text": 5.0}, {"text": "..."}])
def test_without_words_there_are_no_postings(fields: dict[str, Any]) -> None:
    """A missing text, another value or a text of no words is found by no search."""
    assert keys_of(fields, ("room",)) == []


def test_postings_of_a_word_begin_with_the_weightiest_then_the_newest() -> None:
    """So that reading some of a range reads the best of it."""

    def key(text: str, created: float) -> bytes:
        document = {"text": text, "_id": "x", "_creationTime": created}
        return next(posting_keys(7, "text", (), document))

    often, new, old = key("a a", 1.0), key("a b", 2.5), key("a c", -2.5)
    assert often < new < old
