"""From claims to the identity functions see."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.auth.claims import acting_as, identity_of_claims
from headwater.core.identity import UserIdentity
from headwater.errors import InvalidToken

WHO = {"iss": "https://a.example", "sub": "ana"}


def told(**claims: Any) -> dict[str, Any]:
    """What a function is told besides who it is."""
    identity = identity_of_claims({**WHO, **claims})
    UserIdentity.model_validate(identity)  # as `ctx.auth` does
    return {
        name: value
        for name, value in identity.items()
        if name not in ("tokenIdentifier", "subject", "issuer")
    }


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"given_name": "Ana", "picture": "p"}, {"givenName": "Ana", "pictureUrl": "p"}),
        ({"birthdate": "1.1.", "zoneinfo": "UTC"}, {"birthday": "1.1.", "timezone": "UTC"}),
        ({"email": "a@x", "email_verified": True}, {"email": "a@x", "emailVerified": True}),
        ({"email_verified": "true"}, {"emailVerified": True}),
        ({"email_verified": "yes"}, {}),
        ({"updated_at": 0.5}, {"updatedAt": "1970-01-01T00:00:00.500000+00:00"}),
        ({"updated_at": float("inf")}, {}),
        ({"address": {"formatted": "1 Main St"}}, {"address": "1 Main St"}),
        ({"address": {}}, {}),
        ({"name": None, "email": None, "team": None}, {"team": None}),
        ({"name": 5, "nickname": ["x"]}, {}),
        ({"roles": ["a"], "https://x/y": {"z": 1}}, {"roles": ["a"], "https://x/y": {"z": 1}}),
        ({"exp": 1, "nbf": 1, "iat": 1, "jti": "x", "aud": "x"}, {}),
        ({"tokenIdentifier": "eve", "subject": "eve", "issuer": "eve"}, {}),
    ],
    ids=str,
)  # fmt: skip
def test_claims_have_the_names_and_types_functions_know(
    claims: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A standard claim of a wrong type is left out; custom claims pass through."""
    assert told(**claims) == expected


def test_an_admin_acts_as_whom_it_says() -> None:
    """With the members of an identity under wire names; as nobody in particular without one."""
    assert acting_as(None) is None
    assert acting_as({"subject": "zoe", "issuer": "i", "givenName": "Zoe", "name": 5}) == {
        "tokenIdentifier": "i|zoe",
        "subject": "zoe",
        "issuer": "i",
        "givenName": "Zoe",
    }


@pytest.mark.parametrize("given", [[], "zoe", {}, {"subject": 5}, {"subject": "x", "issuer": 5}])
def test_an_identity_to_act_as_needs_a_subject(given: Any) -> None:
    """As a text; so is the issuer."""
    with pytest.raises(InvalidToken, match="needs at least a `subject`"):
        acting_as(given)
