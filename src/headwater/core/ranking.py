"""From the postings of a search's words to its documents, best first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from headwater.core.keys import PREFIX, successor
from headwater.core.search import TIME_BYTES, VALUE_BYTES, WORD_END
from headwater.core.storage import Entry

Scored = tuple[int, bytes]
"""A document's score, higher is better, and its inverted creation time."""

# A score is three counters in one number: words matched, those of them that are whole, and weight.
# Sums over all words of a search stay apart: at most 16 words, each of weight 220 at most.
_MATCHED: Final = 1 << 24
_WHOLE: Final = 1 << 16
_BEST: Final = (1 << 32) - 1
_SCORE_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter values a list does not itself guarantee, by their place in its postings."""

    values: tuple[tuple[int, bytes], ...] = ()

    def refuses(self, key: bytes, others_at: int) -> bool:
        """True for an unwanted posting, whose other filter values begin at `others_at`."""
        for place, value in self.values:
            at = others_at + place * VALUE_BYTES
            if key[at : at + VALUE_BYTES] != value:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Lookup:
    """One word of a search in one list of postings.

    Attributes:
        start: the first key of its range.
        end: the first one after it.
        word_ends: where in a key a word ends that is whole, and not only a beginning.
    """

    start: bytes
    end: bytes
    word_ends: int

    def scores(self, postings: Iterable[Entry], wanted: Filter) -> dict[str, Scored]:
        """What each document that passes the filter has of this word."""
        best: dict[str, Scored] = {}
        for key, document_id in postings:
            ends = key.index(WORD_END, self.word_ends)
            tail = ends + 2 + TIME_BYTES
            if wanted.values and wanted.refuses(key, tail):
                continue
            score = _MATCHED + (_WHOLE if ends == self.word_ends else 0) + 255 - key[ends + 1]
            known = best.get(document_id)
            if known is None or known[0] < score:
                best[document_id] = score, key[ends + 2 : tail]
        return best


def lookups(head: bytes, wanted: Sequence[str]) -> list[Lookup]:
    """The ranges of a list that a search for these words reads.

    Args:
        head: what the list's postings start with.
        wanted: different words, of which the last is a beginning.
    """
    found = []
    for word in wanted:
        start = head + word.encode()
        ends = len(start)
        if word != wanted[-1]:
            start += WORD_END
        found.append(Lookup(start, successor(start), ends))
    return found


def ranked(prefix: bytes, scores: Iterable[dict[str, Scored]]) -> list[Entry]:
    """All documents found, under their ranks, best first.

    More words come first, then more whole ones, then weight, then the newest. A rank is a key of
    its own kind: the prefix of the search index, then what orders it, then the document's id.
    """
    totals: dict[str, Scored] = {}
    for found in scores:
        for document_id, (score, time) in found.items():
            known = totals.get(document_id)
            totals[document_id] = (score if known is None else known[0] + score), time
    return sorted(
        (_rank(prefix, score, time, document_id), document_id)
        for document_id, (score, time) in totals.items()
    )


def _rank(prefix: bytes, score: int, time: bytes, document_id: str) -> bytes:
    return prefix + (_BEST - score).to_bytes(_SCORE_BYTES, "big") + time + document_id.encode()


def document_of(rank: bytes) -> str:
    """The id of the document that has this rank."""
    return rank[PREFIX + _SCORE_BYTES + TIME_BYTES :].decode()
