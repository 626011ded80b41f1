"""Values: what may be stored or sent, its encoding, its size, its limits."""

from __future__ import annotations

import math
from typing import Any

import pytest

from headwater import UNSET, Int64
from headwater.core.values import (
    Encoded,
    clean,
    decode,
    encode,
    from_json,
    normalize,
    own_copy,
    size,
    type_name,
)
from headwater.errors import InvalidValue
from headwater.settings import Limits

LIMITS = Limits()


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_int64_holds_64_bits(number: int) -> None:
    """The largest and the smallest fit, one more does not."""
    assert Int64(number) == number
    with pytest.raises(InvalidValue, match="does not fit 64 bits"):
        Int64(number + (1 if number > 0 else -1))


@pytest.mark.parametrize(
    ("given", "value"),
    [(3, 3.0), ((1, 2), [1.0, 2.0]), ({"a": UNSET, "b": 1}, {"b": 1.0}), (True, True)],
)
def test_python_values_become_values(given: Any, value: Any) -> None:
    """An int is a number, a tuple a list, what is unset is not there; a bool stays one."""
    assert normalize(given) == value
    assert type(normalize(given)) is type(value)


def test_an_int_that_would_lose_digits_is_refused() -> None:
    """2**53 is a number, the next one is not; the error names Int64 and the place."""
    assert normalize(2**53) == 2.0**53
    with pytest.raises(InvalidValue, match=r"a\[0\] is 9007199254740993.*use Int64"):
        normalize({"a": [2**53 + 1]})


@pytest.mark.parametrize("wrong", [object(), {1, 2}, 1j, [object()]])
def test_what_is_no_value_is_refused(wrong: Any) -> None:
    """The error says what may be stored instead."""
    with pytest.raises(InvalidValue, match="can be stored or sent; use None, bool"):
        normalize(wrong)


@pytest.mark.parametrize("key", ["", "$x", "é", "a\n", 1, "k" * 1025])
def test_object_keys_are_printable_ascii(key: Any) -> None:
    """Other keys are refused on both ways, with the path of the object."""
    with pytest.raises(InvalidValue, match="at outer"):
        normalize({"outer": {key: 1, "other": 2}})
    if isinstance(key, str):
        with pytest.raises(InvalidValue, match="at outer"):
            from_json({"outer": {key: 1, "other": 2}})


def test_a_lone_surrogate_is_no_text() -> None:
    """Half a character can be neither stored nor sent."""
    with pytest.raises(InvalidValue, match=r"at a .*lone surrogate"):
        normalize({"a": "\ud800"})


def nested(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("read", [normalize, from_json])
def test_values_are_nested_as_deep_as_value_depth(read: Any) -> None:
    """64 levels pass, 65 do not."""
    assert read(nested(LIMITS.value_depth))
    with pytest.raises(InvalidValue, match="nested deeper than 64 levels"):
        read(nested(LIMITS.value_depth + 1))


@pytest.mark.parametrize("read", [normalize, from_json])
def test_arrays_are_as_long_as_array_length(read: Any) -> None:
    """8,192 elements pass, one more does not."""
    assert len(read([0] * LIMITS.array_length)) == LIMITS.array_length
    with pytest.raises(InvalidValue, match="a is an array of 8193 elements, the limit is 8192"):
        read({"a": [0] * (LIMITS.array_length + 1)})


@pytest.mark.parametrize("read", [normalize, from_json])
def test_objects_have_as_many_fields_as_object_fields(read: Any) -> None:
    """1,024 fields pass, one more does not."""
    fields: dict[str, Any] = {f"f{n}": 0 for n in range(LIMITS.object_fields)}
    assert len(read(fields)) == LIMITS.object_fields
    with pytest.raises(InvalidValue, match=r"a\[0\] is an object of 1025 fields"):
        read({"a": [{**fields, "more": 0}]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, b"1.0"),
        (Int64(1), b'{"$integer":"AQAAAAAAAAA="}'),
        (b"hi", b'{"$bytes":"aGk="}'),
        (-0.0, b'{"$float":"AAAAAAAAAIA="}'),
        (math.inf, b'{"$float":"AAAAAAAA8H8="}'),
        (math.nan, b'{"$float":"AAAAAAAA+H8="}'),
        ({"b": [Int64(-1)], "a": None}, b'{"a":null,"b":[{"$integer":"//////////8="}]}'),
        ([Encoded(b'{"x":1}')], b'[{"x":1}]'),
    ],
)
def test_values_are_encoded_as_convex_does(value: Any, text: bytes) -> None:
    """What JSON lacks is an object with one `$` key; keys are sorted; encoded parts are joined."""
    assert encode(value) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"$integer":"AQ=="}',
        '{"$integer":1}',
        '{"$float":"AAAAAAAA8D8="}',
        '{"$bytes":"?"}',
        '{"$date":"x"}',
        "{",
    ],
)
def test_a_malformed_encoding_is_refused(text: str) -> None:
    """Too few bytes, an ordinary number as `$float`, an unknown tag, no JSON at all."""
    with pytest.raises(InvalidValue):
        decode(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Int64(5), "5"),
        (b"hi", "aGk="),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        ({"a": [math.inf]}, {"a": ["Infinity"]}),
    ],
)
def test_the_json_format_spells_what_json_lacks(value: Any, shown: Any) -> None:
    """The HTTP API's plain format has texts for it."""
    assert clean(value) == shown


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [(None, 1), (True, 1), (1.0, 9), (Int64(1), 9), ("é", 4), (b"ab", 4), ([1.0], 11)],
)
def test_sizes_follow_convex(value: Any, bytes_: int) -> None:
    """The rule of wire.md: null and bool 1, numbers 9, texts and bytes 2 and their length."""
    assert size(value) == bytes_
    assert size({"ab": value}) == 2 + 3 + bytes_


def test_an_own_copy_shares_nothing_that_can_change() -> None:
    """Changing the copy leaves the value as it was."""
    value = {"a": [1.0, {"b": []}]}
    own_copy(value)["a"][1]["b"].append(2.0)
    assert value == {"a": [1.0, {"b": []}]}


def test_unset_is_one_and_false() -> None:
    """There is one UNSET; in a condition it counts as nothing."""
    assert type(UNSET)() is UNSET
    assert not UNSET
    assert repr(UNSET) == "UNSET"


def test_types_have_the_words_of_the_wire() -> None:
    """Messages speak of numbers and arrays, not of floats and lists."""
    several: list[Any] = [None, 1.0, Int64(1), [], {}]
    assert [type_name(value) for value in several] == [
        "null",
        "number",
        "int64",
        "array",
        "object",
    ]
