"""Document ids: Convex's format, from which the table can be read.

Lowercase Crockford base32 over: the table's number as a varint, 14 random bytes, the day as two
bytes, and a Fletcher-16 checksum (wire.md 3.1; `id_v6.rs` of get-convex/convex-backend).
"""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS: Final = {letter: i for i, letter in enumerate(_ALPHABET)}
_BODY: Final = 16
_DAY_MS: Final = 86_400_000


def make_id(table: int, random: bytes, now_ms: float) -> str:
    """A new id in the table of this number.

    Args:
        table: the table's number, 1 or more.
        random: 14 random bytes.
        now_ms: ms since 1970; only its day goes into the id.
    """
    day = int(now_ms // _DAY_MS) & 0xFFFF
    raw = _varint(table) + random + day.to_bytes(2, "big")
    return _base32(raw + _fletcher16(raw))


def table_of(document_id: str) -> int | None:
    """The table number inside an id, or None when the text is no id."""
    if not 31 <= len(document_id) <= 37:
        return None
    raw = _unbase32(document_id)
    if raw is None or raw[-2:] != _fletcher16(raw[:-2]):
        return None
    return _read_varint(raw[: -2 - _BODY])


def span(table: int) -> tuple[str, str]:
    """Texts between which the ids of a table lie, and those of no other: low <= id < high."""
    raw = _varint(table)
    spare = -len(raw) * 8 % 5
    bits = int.from_bytes(raw, "big") << spare
    width = (len(raw) * 8 + spare) // 5
    return _digits(bits, width), _digits(bits | (1 << spare) - 1, width) + "~"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(raw: bytes) -> int | None:
    number = 0
    for i, byte in enumerate(raw):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number if i == len(raw) - 1 and (byte or i == 0) else None
    return None


def _fletcher16(raw: bytes) -> bytes:
    low = high = 0
    for byte in raw:
        low = (low + byte) % 255
        high = (high + low) % 255
    return bytes((low, high))


def _base32(raw: bytes) -> str:
    width = -(-len(raw) * 8 // 5)
    bits = int.from_bytes(raw, "big") << (width * 5 - len(raw) * 8)
    return _digits(bits, width)


def _digits(bits: int, width: int) -> str:
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(width * 5 - 5, -1, -5))


def _unbase32(text: str) -> bytes | None:
    bits = 0
    for letter in text:
        digit = _DIGITS.get(letter)
        if digit is None:
            return None
        bits = bits << 5 | digit
    length = len(text) * 5 // 8
    spare = len(text) * 5 - length * 8
    return (bits >> spare).to_bytes(length, "big") if not bits & ((1 << spare) - 1) else None
