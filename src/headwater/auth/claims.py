"""From a token's claims to the identity functions see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, get_args

from headwater.core.identity import UserIdentity, identity_of
from headwater.core.names import wire_name
from headwater.errors import InvalidToken
from headwater.settings import DEV_ISSUER

_OF_THE_TOKEN: Final = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}
_WHO: Final = {"subject", "issuer", "tokenIdentifier"}  # ours to say, not a claim's
_OIDC_NAMES: Final = {
    "birthdate": "birthday",
    "email_verified": "emailVerified",
    "family_name": "familyName",
    "given_name": "givenName",
    "locale": "language",
    "phone_number": "phoneNumber",
    "phone_number_verified": "phoneNumberVerified",
    "picture": "pictureUrl",
    "preferred_username": "preferredUsername",
    "profile": "profileUrl",
    "updated_at": "updatedAt",
    "website": "websiteUrl",
    "zoneinfo": "timezone",
}
_TYPES: Final = {
    wire_name(name): get_args(field.annotation) or (field.annotation,)
    for name, field in UserIdentity.model_fields.items()
}
_FLAGS: Final = {"true": True, "false": False}
_FLAG_CLAIMS: Final = ("email_verified", "phone_number_verified")
_YEAR_9999_S: Final = 253_370_764_800


def identity_of_claims(claims: dict[str, Any]) -> dict[str, Any]:
    """The identity that verified claims prove, as plain data under wire names."""
    told = {
        _OIDC_NAMES.get(name, name): _plain(name, value)
        for name, value in claims.items()
        if name not in _OF_THE_TOKEN
    }
    return identity_of(claims["sub"], claims["iss"], **_fitting(told))


def _plain(name: str, value: Any) -> Any:
    """A standard claim as the text or flag it stands for, where its form is another."""
    if name == "address" and isinstance(value, dict):
        return value.get("formatted")
    if name == "updated_at" and isinstance(value, int | float) and 0 < value < _YEAR_9999_S:
        return datetime.fromtimestamp(value, UTC).isoformat()
    if name in _FLAG_CLAIMS and isinstance(value, str):
        return _FLAGS.get(value, value)  # some providers write flags so
    return value


def acting_as(given: Any) -> dict[str, Any] | None:
    """The identity an admin acts as; None for nobody in particular.

    Raises:
        InvalidToken: no object, or one without a subject.
    """
    if given is None:
        return None
    subject = given.get("subject") if isinstance(given, dict) else None
    issuer = given.get("issuer", DEV_ISSUER) if isinstance(given, dict) else None
    if not isinstance(subject, str) or not isinstance(issuer, str):
        raise InvalidToken("An identity to act as needs at least a `subject`.")
    return identity_of(subject, issuer, **_fitting(given))


def _fitting(told: dict[str, Any]) -> dict[str, Any]:
    """Members as functions can be given them; one of another type than its field's is left out."""
    kept = {}
    for name, value in told.items():
        types = _TYPES.get(name)
        if name not in _WHO and (types is None or (value is not None and isinstance(value, types))):
            kept[name] = value
    return kept
