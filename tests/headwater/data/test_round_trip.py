"""Out, and in elsewhere: equal documents, whatever values they hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.core.manifest import Manifest
from headwater.core.values import Int64, encode
from headwater.data.exporting import line_of
from headwater.data.values_in import lossless_in, parsed
from tests.headwater.data.doors import Door

NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,8}", fullmatch=True)
KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=6).filter(
    lambda key: not key.startswith("$")
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["$integer", '"$', "5", "NaN", "AAE=", "\x00", "\u2028"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from([-0.0, 0.0, 1e16, 1.0, 2.0**63, float("nan"), float("-inf")])
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | TEXTS
    | st.binary(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(VALUES)
def test_a_value_survives_a_line_of_an_export(value: Any) -> None:
    """Its type, every bit of a float, and bytes; compared by the encoding, which has all these."""
    line = line_of(encode({"value": value}))
    assert encode(lossless_in(parsed(line))["value"]) == encode(value)


@given(st.lists(DOCUMENTS, max_size=4))
def test_documents_survive_export_and_import(rows: list[dict[str, Any]]) -> None:
    """With their ids and times, into another deployment and over themselves."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = (Door(Path(folder), Manifest(), seed) for seed in (1, 2))
        for row in rows:
            one.insert("things", **row)
        path = one.export()
        other.load(path)
        one.load(path, "replace")
        expected = [encode(document) for document in one.all("things")]
        assert len(expected) == len(rows)
        assert [encode(document) for document in other.all("things")] == expected


@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_an_export_of_an_import_is_the_same_file(rows: list[dict[str, Any]]) -> None:
    """Byte for byte: nothing but the documents is in it."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = (Door(Path(folder), Manifest(), seed) for seed in (1, 2))
        for row in rows:
            one.insert("things", **row)
        path = one.export()
        before = path.read_bytes()
        other.load(path)
        assert other.export("again.zip").read_bytes() == before
