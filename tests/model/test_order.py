"""Keys, encoding and sizes of values against their order said anew."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from headwater import UNSET
from headwater.core.keys import encode_key, encode_keys, successor
from headwater.core.values import decode, encode, normalize, size
from tests.model.kinds import anything, pairs
from tests.model.order import order, same


@given(pairs)
def test_keys_compare_as_values_do(pair: tuple[Any, Any]) -> None:
    """Comparing keys as bytes is comparing the values."""
    left, right = pair
    assert (encode_key(left) < encode_key(right)) == (order(left) < order(right))
    assert (encode_key(left) == encode_key(right)) == same(left, right)


@given(anything)
def test_absent_sorts_before_everything(value: Any) -> None:
    """A field that is not there comes before null and all other values."""
    assert encode_key(UNSET) < encode_key(value)


@given(pairs, anything)
def test_keys_of_several_fields_compare_field_by_field(pair: tuple[Any, Any], other: Any) -> None:
    """No value runs over into the next: the first field that differs decides."""
    low, high = sorted(pair, key=order)
    assert encode_keys([other, low]) <= encode_keys([other, high])
    if not same(low, high):
        assert encode_keys([low, other]) < encode_keys([high, UNSET])


@given(anything, anything)
def test_the_successor_ends_a_prefix(prefix: Any, rest: Any) -> None:
    """Every key that starts with a value lies before the successor of the value's key."""
    start = encode_key(prefix)
    assert start <= start + encode_key(rest) < successor(start)


@given(anything)
def test_what_is_decoded_is_what_was_encoded(value: Any) -> None:
    """Encoding loses neither type nor bit, and is the same each time."""
    body = encode(normalize(value))
    assert same(decode(body), value)
    assert encode(decode(body)) == body


@given(anything)
def test_every_value_has_a_size(value: Any) -> None:
    """The size counts each part once: a list adds two bytes to those of its items."""
    assert size(value) >= 1
    assert size([value, value]) == 2 + 2 * size(value)
    assert size({"ab": value}) == 2 + 3 + size(value)
