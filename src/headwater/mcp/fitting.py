"""Answers that fit into an assistant's context: long texts and lists are cut, and it is said."""

from __future__ import annotations

from typing import Any

import orjson

ANSWER_BYTES = 60_000
"""Of one answer's data: about 15,000 tokens; Claude Code takes at most 25,000 of a tool."""

SHORTENED = "long texts and lists are cut; read fewer documents, or one, to see them whole"

_STEPS = ((2_000, 1_000), (500, 200), (100, 50), (40, 10))
"""How long texts and lists may be; the first that is enough is taken."""


def fits(value: Any) -> bool:
    """Whether a value is small enough for an answer."""
    return len(orjson.dumps(value)) <= ANSWER_BYTES


def fitted(value: Any) -> tuple[Any, dict[str, str]]:
    """A value of at most about ANSWER_BYTES, and what to add to an answer when it was cut."""
    made, added = value, dict[str, str]()
    for characters, items in _STEPS:
        if fits(made):
            break
        made, added = _cut(value, characters, items), {"shortened": SHORTENED}
    return made, added


def _cut(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str) and len(value) > characters:
        return f"{value[:characters]}... ({len(value):,} characters)"
    if isinstance(value, dict):
        return {name: _cut(each, characters, items) for name, each in value.items()}
    if isinstance(value, list):
        kept = [_cut(each, characters, items) for each in value[:items]]
        return kept + ([f"... ({len(value) - items:,} more)"] if len(value) > items else [])
    return value
