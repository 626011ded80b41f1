"""Secrets are taken out of every text that goes into a log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

HIDDEN: Final = "[redacted]"
_SHORTEST: Final = 4  # what is shorter is no secret, and would be found in every word
_AUTHORIZATION: Final = re.compile(
    r"""(authorization["']?\s*[:=,]\s*["']?)(?:(?:bearer|basic|convex|token)\s+)?[^\s"',;}\])]+""",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\b(bearer\s+|convex\s+(?=\S{20}))[\w.~+/|:=-]{8,}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
_QUERY: Final = re.compile(r"([?&](?:access_)?token=)[^&\s\"']+", re.IGNORECASE)


class Redactor:
    """Takes secrets out of texts: known values, and what looks like a token.

    Args:
        known: gives the values that are secret now; a new set when they have changed.
    """

    def __init__(self, known: Callable[[], frozenset[str]] = frozenset) -> None:
        self._known = known
        self._compiled: tuple[frozenset[str], re.Pattern[str] | None] = (frozenset(), None)

    def __call__(self, text: str) -> str:
        """The text, each secret in it replaced."""
        known = self._known()
        if known is not self._compiled[0] and known != self._compiled[0]:
            self._compiled = known, _any_of(known)
        pattern = self._compiled[1]
        if pattern is not None:
            text = pattern.sub(HIDDEN, text)
        text = _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)
        text = _SCHEME.sub(rf"\1{HIDDEN}", text)
        text = _TOKEN.sub(HIDDEN, text)
        return _QUERY.sub(rf"\1{HIDDEN}", text)


def _written(text: str) -> tuple[str, ...]:
    quoted = repr(text)[1:-1]
    return text, quoted, quoted.replace("'", "\\'"), json.dumps(text)[1:-1]


def _any_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Finds each of the secrets, whole or in lines, also as `repr` and JSON write it; a longer one
    before its own part.
    """
    forms = {form for text in secrets for form in (*_written(text), *text.splitlines())}
    words = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words))) if words else None
