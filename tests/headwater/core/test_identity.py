"""Identities: plain data on its way, a model in functions."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headwater import UserIdentity
from headwater.core.identity import DEV_ISSUER, identity_of


def test_the_token_identifier_joins_issuer_and_subject() -> None:
    """Unique over all issuers; claims cannot set it."""
    made = identity_of("ana", tokenIdentifier="eve", name="Ana")
    assert made["tokenIdentifier"] == f"{DEV_ISSUER}|ana"
    assert made["name"] == "Ana"


def test_claims_without_a_field_pass_through() -> None:
    """Under the issuer's own names."""
    identity = UserIdentity.model_validate(identity_of("ana", **{"https://x/role": "admin"}))
    assert identity.claims == {"https://x/role": "admin"}
    assert identity.email is None


def test_an_identity_is_read_only() -> None:
    """Nobody becomes somebody else on the way."""
    identity = UserIdentity.model_validate(identity_of("ana"))
    with pytest.raises(ValidationError):
        identity.subject = "eve"
