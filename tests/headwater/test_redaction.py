"""No secret stays in a text that is logged."""

from __future__ import annotations

import json

import pytest

from headwater.redaction import HIDDEN, Redactor

SECRET = "it's \n secret"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk_live_1 used", f"key {HIDDEN} used"),
        ("[LOG] 'it\\'s \\n secret'", f"[LOG] '{HIDDEN}'"),
        (f"[LOG] {SECRET!r}", f'[LOG] "{HIDDEN}"'),
        (json.dumps([SECRET]), f'["{HIDDEN}"]'),
        (f"token {JWT}.", f"token {HIDDEN}."),
        ("Authorization: Basic YW5hOnB3", f"Authorization: {HIDDEN}"),
        ("{'authorization': 'Bearer abc'}", f"{{'authorization': '{HIDDEN}'}}"),
        ("sent Bearer abcdefghij", f"sent Bearer {HIDDEN}"),
        ("Convex dev:a|0123456789abcdef0123", f"Convex {HIDDEN}"),
        ("http://h/api/storage/upload?token=abc&x=1", f"http://h/api/storage/upload?token={HIDDEN}&x=1"),
    ],
)  # fmt: skip
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    """Known values, also as repr writes them, and what looks like a token."""
    redact = Redactor(lambda: frozenset({"sk_live_1", SECRET}))
    assert redact(text) == shown


@pytest.mark.parametrize("text", ["a Convex client", "the bearer of news", "abc", "a token=1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    """A value of three characters is no secret: it would be found everywhere."""
    assert Redactor(lambda: frozenset({"abc", ""}))(text) == text


def test_the_longer_of_two_secrets_is_taken_out_whole() -> None:
    """Not only the part that is a secret too; and a new secret counts from then on."""
    known = [frozenset({"abcd", "abcdefgh"})]
    redact = Redactor(lambda: known[0])
    assert redact("abcdefgh abcd") == f"{HIDDEN} {HIDDEN}"
    known[0] = frozenset({"other"})
    assert redact("abcd other") == f"abcd {HIDDEN}"
