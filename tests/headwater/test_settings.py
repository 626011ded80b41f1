"""Limits: each with a name, a unit, a default and a reason."""

from __future__ import annotations

from dataclasses import fields

import pytest

from headwater.settings import Limits, limits_from_environment


@pytest.mark.parametrize("limit", fields(Limits), ids=lambda limit: limit.name)
def test_every_limit_has_a_reason(limit: object) -> None:
    """And a default above zero."""
    metadata, default = getattr(limit, "metadata", {}), getattr(limit, "default", 0)
    assert len(metadata["reason"]) > 20
    assert default > 0


def test_limits_are_set_by_the_environment() -> None:
    """By their name, with their own type; other variables say nothing."""
    found = limits_from_environment(
        {"HEADWATER_FUNCTION_LIMIT_S": "2.5", "HEADWATER_DOCUMENTS_READ": "7", "HOME": "x"}
    )
    assert (found.function_limit_s, found.documents_read) == (2.5, 7)
    assert found.bytes_read == Limits().bytes_read


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5"])
def test_a_limit_is_a_positive_number(text: str) -> None:
    """The error names the variable, the kind of number and the default."""
    with pytest.raises(ValueError, match=r"HEADWATER_DOCUMENTS_READ=.* is not a positive int"):
        limits_from_environment({"HEADWATER_DOCUMENTS_READ": text})


def test_what_belongs_to_the_format_cannot_be_set() -> None:
    """A value that one server takes, every client and export must take."""
    with pytest.raises(ValueError, match="HEADWATER_ARRAY_LENGTH cannot be set: 8192 is a part"):
        limits_from_environment({"HEADWATER_ARRAY_LENGTH": "9000"})
