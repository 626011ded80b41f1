"""Who calls: the identity a token proves, as functions see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

from headwater.core.schema import Model
from headwater.settings import DEV_ISSUER


class UserIdentity(Model):
    """The signed-in caller. Claims the token lacks are None; custom claims are in `claims`.

    Attributes:
        token_identifier: `issuer|subject`, unique over all issuers: what to key users on.
        subject: the person, as the issuer names them.
        issuer: who vouches for it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    token_identifier: str
    subject: str
    issuer: str
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    nickname: str | None = None
    preferred_username: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    picture_url: str | None = None
    profile_url: str | None = None
    website_url: str | None = None
    gender: str | None = None
    birthday: str | None = None
    timezone: str | None = None
    language: str | None = None
    address: str | None = None
    updated_at: str | None = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """Claims without a field of their own, under the names the issuer gave them."""
        return self.__pydantic_extra__ or {}


def identity_of(subject: str, issuer: str = DEV_ISSUER, **claims: Any) -> dict[str, Any]:
    """An identity as plain data under wire names, as it travels to the engine.

    Args:
        subject: the person.
        issuer: who vouches for it; the development issuer by default.
        claims: further members, under wire names.
    """
    base = {"tokenIdentifier": f"{issuer}|{subject}", "subject": subject, "issuer": issuer}
    return {**claims, **base}
