"""Identities: plain data on its way, a model in functions."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headwater import QueryCtx, UserIdentity, query
from headwater.core.identity import identity_of
from headwater.settings import DEV_ISSUER
from tests.headwater.core.things import backend_of


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


@query
async def me(ctx: QueryCtx) -> UserIdentity | None:
    """Whoever asks."""
    return await ctx.auth.get_user_identity()


def test_an_identity_can_be_returned() -> None:
    """As clients of other backends get it: without the claims that are absent, with custom ones."""
    backend = backend_of(me)
    ana = backend.with_identity(subject="ana", given_name="Ana", role="admin")
    assert ana.query("things:me") == {
        "tokenIdentifier": f"{DEV_ISSUER}|ana",
        "subject": "ana",
        "issuer": DEV_ISSUER,
        "givenName": "Ana",
        "role": "admin",
    }
    identity = ana.query(me)
    assert identity is not None
    assert (identity.given_name, identity.claims) == ("Ana", {"role": "admin"})
    assert backend.query(me) is None
    backend.close()


def test_an_identity_is_read_only() -> None:
    """Nobody becomes somebody else on the way."""
    identity = UserIdentity.model_validate(identity_of("ana"))
    with pytest.raises(ValidationError):
        identity.subject = "eve"
