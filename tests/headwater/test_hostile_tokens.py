"""Tokens and headers made to deceive: they prove nothing, and break nothing."""

import asyncio
import base64
import json
import warnings
from pathlib import Path
from typing import Any

import jwt
import pytest

from headwater.auth import Auth, Caller
from headwater.clock import VirtualClock
from headwater.errors import InvalidToken

NOW_S = 1_700_000_000


@pytest.fixture
def auth(tmp_path: Path) -> Auth:
    """The secrets of a new deployment."""
    return Auth(tmp_path, VirtualClock(NOW_S * 1_000_000_000))


def signed(auth: Auth, key: str | None = None, alg: str = "HS256", **changes: Any) -> str:
    """A token like the deployment's own, but for some changes; None takes a claim away."""
    claims = jwt.decode(auth.token("ana"), options={"verify_signature": False})
    secret = "" if alg == "none" else key or auth._dev._secret
    left = {name: value for name, value in (claims | changes).items() if value is not None}
    with warnings.catch_warnings(action="ignore"):  # of a key that is short for the algorithm
        return jwt.encode(left, secret, algorithm=alg)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW_S},
        {"exp": None},
        {"exp": str(NOW_S + 60)},
        {"exp": float("nan")},
        {"iss": "https://elsewhere.example"},
        {"aud": "somebody-else"},
        {"aud": None},
        {"sub": None},
        {"sub": 5},
        {"key": "k" * 43},
        {"alg": "HS512"},
        {"alg": "none"},
    ],
    ids=str,
)
def test_other_tokens_prove_nothing(auth: Auth, changes: dict[str, Any]) -> None:
    """Expired, for others, by others, signed otherwise or not at all."""
    assert identity(auth, signed(auth))["subject"] == "ana"
    with pytest.raises(InvalidToken):
        identity(auth, signed(auth, **changes))


NESTED = base64.urlsafe_b64encode(b'{"alg":"HS256","x":' + b"[" * 50_000).decode().rstrip("=")


@pytest.mark.parametrize("token", ["", "x", "é.é.é", "." * 9_000, "a.b.c", f"{NESTED}.e30.AAAA"])
def test_what_is_no_token_is_refused(auth: Auth, token: str) -> None:
    """By the same error, whatever it is."""
    with pytest.raises(InvalidToken):
        identity(auth, token)


def test_no_claim_says_who_somebody_is(auth: Auth) -> None:
    """Claims named as members of an identity are left out; only sub and iss count."""
    names = {"subject": "eve", "issuer": "eve", "tokenIdentifier": "eve|eve"}
    assert identity(auth, signed(auth, **names)) == identity(auth, signed(auth))


def identity(auth: Auth, token: str) -> dict[str, Any]:
    """Whom a token proves."""
    return asyncio.run(auth.user(token)).identity or {}


def caller(auth: Auth, authorization: str | None) -> Caller:
    """Who a header speaks for."""
    return asyncio.run(auth.caller(authorization))


def encoded(identity: Any) -> str:
    """An identity as it follows an admin key."""
    return base64.b64encode(json.dumps(identity).encode()).decode()


@pytest.mark.parametrize("prefix", ["", "dev:name|"])
def test_the_admin_key_speaks_for_anybody(auth: Auth, prefix: str) -> None:
    """For nobody in particular, or for the identity after it."""
    key = f"Convex {prefix}{auth.admin_key}"
    assert caller(auth, key) == auth.admin(auth.admin_key)
    zoe = caller(auth, f"{key}:{encoded({'subject': 'zoe', 'issuer': 'i', 'team': 'blue'})}")
    assert zoe.admin
    assert zoe.identity == {
        "subject": "zoe",
        "issuer": "i",
        "tokenIdentifier": "i|zoe",
        "team": "blue",
    }


@pytest.mark.parametrize("rest", [":!!", f":{encoded([])}", f":{encoded({'subject': 5})}"])
def test_an_identity_to_act_as_needs_a_subject(auth: Auth, rest: str) -> None:
    """Else the key is of no use either."""
    with pytest.raises(InvalidToken):
        caller(auth, f"Convex {auth.admin_key}{rest}")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Convex", "Convex |", "Convex x", "Convex é", "Basic eDp5", "?"]
)
def test_other_headers_prove_nothing(auth: Auth, header: str) -> None:
    """And are refused, for whoever sends one means to be somebody."""
    with pytest.raises(InvalidToken):
        caller(auth, header)
