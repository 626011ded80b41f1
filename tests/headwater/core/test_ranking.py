"""From postings to documents, best first."""

from __future__ import annotations

from headwater.core.keys import search_prefix, successor
from headwater.core.ranking import Filter, document_of, lookups, ranked
from headwater.core.search import list_prefix, posting_keys, searched_words, value_digest

HEAD = list_prefix(1, None)


def postings(texts: list[str]) -> list[tuple[bytes, str]]:
    """The postings of documents named by their texts, each newer than the one before."""
    return sorted(
        (key, text)
        for time, text in enumerate(texts)
        for key in posting_keys(1, "t", (), {"t": text, "_id": text, "_creationTime": float(time)})
    )


def found(texts: list[str], typed: str) -> list[str]:
    """The texts a search finds, in its order."""
    stored = postings(texts)
    scores = [
        look.scores([e for e in stored if look.start <= e[0] < look.end], Filter())
        for look in lookups(HEAD, searched_words(typed, 16))
    ]
    prefix = search_prefix(1)
    entries = ranked(prefix, scores)
    assert [document_of(rank) for rank, _ in entries] == [text for _, text in entries]
    assert all(prefix < rank < successor(prefix) for rank, _ in entries)
    return [text for _, text in entries]


def test_more_of_the_words_come_first() -> None:
    """However often one word is repeated, and however old the text with both is."""
    assert found(["b and a", "a a a", "c"], "a b") == ["b and a", "a a a"]


def test_a_whole_word_comes_before_a_beginning() -> None:
    """Also when the text is longer and older."""
    texts = ["app and a good many other words", "apple", "application"]
    assert found(texts, "app")[0] == texts[0]


def test_repetition_and_brevity_come_before_age() -> None:
    """Then what is repeated, then the shorter text, then the newer one."""
    texts = ["a b a", "a", "a b c d e f g", "a b c", "a c b"]
    assert found(texts, "a") == ["a b a", "a", "a c b", "a b c", "a b c d e f g"]


def test_only_the_last_word_may_be_begun() -> None:
    """A word that something follows is whole."""
    assert found(["hello", "help", "world"], "hel wor") == ["world"]
    assert set(found(["hello", "help", "world"], "world hel")) == {"hello", "help", "world"}


def test_a_document_counts_once_for_a_beginning_of_several_of_its_words() -> None:
    """The best of them counts, a whole one before all."""
    assert found(["app apple apply", "apple app"], "app") == ["apple app", "app apple apply"]
    assert found(["apple apply", "app"], "app") == ["app", "apple apply"]


def test_other_filter_values_are_tested_in_the_posting() -> None:
    """By place, without any document."""
    keys = posting_keys(
        1, "t", ("a", "b", "c"), {"t": "x", "_id": "i", "_creationTime": 1.0, "b": 2.0, "c": 3.0}
    )
    (look,) = lookups(list_prefix(1, 1, value_digest(2.0)), ["x"])
    entries = [(key, "i") for key in keys if look.start <= key < look.end]
    assert entries
    assert look.scores(entries, Filter(((0, value_digest(3.0)),)))
    assert not look.scores(entries, Filter(((0, value_digest(2.0)),)))
