"""Answers that fit into an assistant's context."""

import orjson

from headwater.mcp.fitting import ANSWER_BYTES, fitted
from headwater.mcp.tools_functions import _listed


def test_what_fits_is_given_as_it_is() -> None:
    """Nothing is cut, and nothing is said about it."""
    value = {"text": "x" * 50_000, "list": list(range(1_000))}
    assert fitted(value) == (value, {})


def test_a_long_text_is_cut_and_its_length_told() -> None:
    """The beginning stays; short fields are whole."""
    value, added = fitted([{"text": "x" * 100_000, "name": "a"}])
    assert value == [{"text": f"{'x' * 2_000}... (100,000 characters)", "name": "a"}]
    assert "cut" in added["shortened"]


def test_many_large_documents_fit() -> None:
    """A hundred documents of 100 kB each are still one answer, each recognisable."""
    documents = [{"id": str(n), "body": "y" * 100_000} for n in range(100)]
    value, added = fitted(documents)
    assert len(orjson.dumps(value)) <= ANSWER_BYTES
    assert [one["id"] for one in value] == [str(n) for n in range(100)]
    assert added


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    """A query's result of a million numbers is no answer."""
    value, _ = fitted({"rows": list(range(1_000_000))})
    assert value["rows"][-1] == "... (999,000 more)"


def test_very_many_functions_are_told_by_name() -> None:
    """With their schemas they would fill the context; a part of them still has all."""
    one = {"name": "a:b", "kind": "query", "visibility": "public", "args": {"x": "y" * 1_000}}
    assert _listed([one]) == {"functions": [one]}
    many = _listed([one] * 100)
    assert many["functions"][0] == {"name": "a:b", "kind": "query", "visibility": "public"}
    assert "`name`" in many["shortened"]
