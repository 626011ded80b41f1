"""Who a request comes from: development tokens and the admin key."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from headwater.auth import NOBODY, Auth, Caller
from headwater.clock import VirtualClock
from headwater.errors import InvalidToken
from headwater.settings import DEV_ISSUER


@pytest.fixture
def clock() -> VirtualClock:
    """A clock to let tokens expire by."""
    return VirtualClock()


@pytest.fixture
def auth(tmp_path: Path, clock: VirtualClock) -> Auth:
    """A deployment's secrets."""
    return Auth(tmp_path / "state", clock)


def identity(auth: Auth, token: str) -> dict[str, Any]:
    """Whom a token proves."""
    return asyncio.run(auth.user(token)).identity or {}


def caller(auth: Auth, authorization: str | None) -> Caller:
    """Who a header speaks for."""
    return asyncio.run(auth.caller(authorization))


def encoded(identity: object) -> str:
    """An identity as it follows an admin key."""
    return base64.b64encode(json.dumps(identity).encode()).decode()


def test_a_token_is_an_identity(auth: Auth) -> None:
    """With its claims under the names functions see."""
    token = auth.token("ana", 60, name="Ana", email_verified=True, **{"https://x/role": "admin"})
    proven = identity(auth, token)
    assert proven["tokenIdentifier"] == f"{DEV_ISSUER}|ana"
    assert (proven["name"], proven["emailVerified"]) == ("Ana", True)
    assert proven["https://x/role"] == "admin"
    assert "exp" not in proven


def test_claims_cannot_make_somebody_else(auth: Auth) -> None:
    """Subject and issuer are what the token is for."""
    proven = identity(auth, auth.token("ana", sub="eve", iss="https://eve"))
    assert (proven["subject"], proven["issuer"]) == ("ana", DEV_ISSUER)


def test_a_token_expires(auth: Auth, clock: VirtualClock) -> None:
    """At its second, not before."""
    token = auth.token("ana", lifetime_s=60)
    clock.advance(59_999)
    assert identity(auth, token)
    clock.advance(1)
    with pytest.raises(InvalidToken, match="has expired"):
        identity(auth, token)


@pytest.mark.parametrize("how", ["nonsense", "unsigned", "another secret", "another audience"])
def test_a_token_that_proves_nothing_is_refused(auth: Auth, tmp_path: Path, how: str) -> None:
    """No token, no signature, somebody else's, one for another service."""
    claims = {"iss": DEV_ISSUER, "aud": "headwater-dev", "sub": "eve", "exp": 10**11}
    other = Auth(tmp_path / "other", VirtualClock())
    token = {
        "nonsense": "a.b.c",
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "another secret": other.token("eve"),
        "another audience": jwt.encode(
            {**claims, "aud": "x"}, auth._dev._secret, algorithm="HS256"
        ),
    }[how]
    with pytest.raises(InvalidToken, match=r"Could not (verify the token|parse JWT payload)"):
        identity(auth, token)


def test_the_admin_key_opens_everything(auth: Auth) -> None:
    """With or without a prefix, and in somebody's name."""
    for key in (auth.admin_key, f"dev:name|{auth.admin_key}"):
        assert caller(auth, f"Convex {key}").admin
        ana = caller(auth, f"Convex {key}:{encoded({'subject': 'ana', 'name': 'Ana'})}")
        assert ana.admin
        assert ana.identity is not None
        assert (ana.identity["subject"], ana.identity["name"]) == ("ana", "Ana")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Convex wrong", "not this deployment's"),
        ("Basic x", "must be `Bearer <token>` or `Convex <admin key>`"),
        ("Bearer ", "must be `Bearer <token>`"),
        ("Convex {key}:no base64", "must be base64 of JSON"),
        ("Convex {key}:" + encoded({"name": "x"}), "needs at least a `subject`"),
        ("Convex {key}:" + encoded("ana"), "needs at least a `subject`"),
    ],
)
def test_a_header_that_proves_nothing_is_refused(auth: Auth, header: str, message: str) -> None:
    """With what it should be; never a caller without rights."""
    with pytest.raises(InvalidToken, match=message):
        caller(auth, header.replace("{key}", auth.admin_key))


def test_no_header_is_nobody(auth: Auth) -> None:
    """Not signed in, no admin."""
    assert caller(auth, None) is caller(auth, "") is NOBODY
    assert (NOBODY.identity, NOBODY.admin) == (None, False)


def test_secrets_are_kept_and_private(auth: Auth, tmp_path: Path) -> None:
    """The same after a restart; readable by their owner only."""
    again = Auth(tmp_path / "state", VirtualClock())
    assert again.admin_key == auth.admin_key
    assert identity(again, auth.token("ana"))["subject"] == "ana"
    files = sorted((tmp_path / "state").iterdir())
    assert [file.name for file in files] == ["admin_key", "dev_issuer_key"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]


def test_the_environment_presets_the_admin_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then none is written."""
    monkeypatch.setenv("HEADWATER_ADMIN_KEY", "from outside")
    assert caller(Auth(tmp_path, VirtualClock()), "Convex from outside").admin
    assert not (tmp_path / "admin_key").exists()
