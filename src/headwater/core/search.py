"""Text search: words, and the postings an inverted index keeps as ordinary index keys.

A document has one posting for each of its words in the list of all documents, and one more in the
list of each filter field's value. A word, or all words with a beginning, within one filter value
are therefore one range of keys:

    index   list   value   word   00   weight   time   other filters   id
    5       1      0|16    1-32   1    1        8      16 each

`weight` and `time` are stored inverted: a word's postings begin with the weightiest, and among
equals with the newest. `other filters` are the values of the fields declared after the list's own:
a search reads the list of the first field it filters by, and tests the rest without loading
documents. Whoever changes this layout, or what a word weighs, changes what is stored: give
`search_prefix` another letter, so that old indexes are built anew.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from headwater.core.keys import encode_key, field_value, search_prefix
from headwater.settings import Limits

VALUE_BYTES: Final = 16  # of a filter value's digest: nobody can make two values that share one
TIME_BYTES: Final = 8

_WORD_BYTES: Final = Limits.search_word_bytes
_WORD = re.compile(r"[^\W_]+")
WORD_END: Final = b"\x00"  # after a word; no letter or digit has it in its UTF-8
_ALL_BITS: Final = (1 << 64) - 1
_SATURATION: Final = 1.2  # of repeated words: BM25's k1
_LENGTH_STEPS: Final = 8  # doublings of a text's length that halve what its words weigh


def words(text: str) -> Iterator[str]:
    """The words of a text: runs of letters and digits in lower case, those over 32 bytes left out.

    Letters are lowered one by one, so that a beginning of a word gives a beginning of its form
    (`str.lower` alone treats a sigma at the end of a word differently).
    """
    for match in _WORD.finditer(text):
        word = match[0]
        word = word.lower() if word.isascii() else "".join(map(str.lower, word))
        if len(word.encode()) <= _WORD_BYTES:
            yield word


def searched_words(text: str, at_most: int) -> list[str]:
    """The words a search is for, the last one a beginning: the first ones of the text, each once.

    Args:
        text: what somebody typed.
        at_most: words that count.
    """
    typed = list(itertools.islice(words(text), at_most))
    return [word for word in dict.fromkeys(typed) if word != typed[-1]] + typed[-1:]


def weight(count: int, length: int) -> int:
    """What a word counts for in a text, 1 to 220: more when repeated, less in a longer text.

    Nothing here depends on other documents, so that a document's postings never change because of
    them. Lengths are rounded to powers of two: texts of about one length weigh the same.
    """
    repeated = count * (_SATURATION + 1) / (count + _SATURATION)
    return max(1, int(100 * repeated / (1 + (length.bit_length() - 1) / _LENGTH_STEPS)))


def posting_keys(
    number: int, field: str, filters: Sequence[str], document: dict[str, Any]
) -> Iterator[bytes]:
    """The keys of a document's postings in search index `number`; none where there is no text.

    Args:
        number: of the index.
        field: path of the text.
        filters: paths of the filter fields, as declared.
        document: the document, system fields included.
    """
    text = field_value(document, field)
    counts = Counter(words(text)) if type(text) is str else None
    if not counts:
        return
    values = [value_digest(field_value(document, path)) for path in filters]
    lists = [(list_prefix(number, None), b"")]
    for place, value in enumerate(values):
        lists.append((list_prefix(number, place, value), b"".join(values[place + 1 :])))
    time, document_id = _newest_first(document["_creationTime"]), document["_id"].encode()
    length = counts.total()
    for word, count in counts.items():
        middle = word.encode() + WORD_END + bytes((255 - weight(count, length),)) + time
        for head, others in lists:
            yield head + middle + others + document_id


def value_digest(value: Any) -> bytes:
    """What stands for a filter value, or for its absence, in postings."""
    return hashlib.blake2b(encode_key(value), digest_size=VALUE_BYTES).digest()


def list_prefix(number: int, place: int | None, value: bytes = b"") -> bytes:
    """What the postings of a list start with: all documents', or those of one filter value."""
    return search_prefix(number) + (b"\x00" if place is None else bytes((place + 1,)) + value)


def _newest_first(creation_time: float) -> bytes:
    key = encode_key(creation_time)[-TIME_BYTES:]  # a float: its kind, then its bits in order
    return (int.from_bytes(key, "big") ^ _ALL_BITS).to_bytes(TIME_BYTES, "big")
