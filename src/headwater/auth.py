"""Who a request comes from: development tokens, and the deployment's admin key.

Both secrets live in the project's `.headwater/` folder, readable by its owner only, and are made at
the first start. Neither is ever logged.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import orjson

from headwater.clock import Clock
from headwater.core.identity import DEV_ISSUER, identity_of
from headwater.errors import InvalidAuthHeader, InvalidToken

EXPIRED: Final = "The token has expired. Sign in again."
_LATEST_S: Final = 1e12  # of an expiry: timers know no later one
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "headwater-dev"
_STANDARD: Final = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}
_IDENTITY: Final = {"subject", "issuer", "tokenIdentifier"}  # ours to say, not a claim's
_OIDC_NAMES: Final = {
    "given_name": "givenName",
    "family_name": "familyName",
    "email_verified": "emailVerified",
    "phone_number": "phoneNumber",
    "picture": "pictureUrl",
    "profile": "profileUrl",
}
_SHORTEST_HEADER: Final = 7  # as Convex has it: nothing shorter can be one
DEFAULT_TOKEN_S: Final = 7 * 24 * 3600


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        identity: as plain data; None for nobody in particular.
        admin: the admin key was shown.
        lasts_s: seconds until what was shown expires; None for never.
    """

    identity: dict[str, Any] | None = None
    admin: bool = False
    lasts_s: float | None = None


NOBODY: Final = Caller()


class Auth:
    """The secrets of one deployment and what they prove.

    Args:
        state: the project's `.headwater/` folder, made when missing.
        clock: for the expiry of tokens.
    """

    def __init__(self, state: Path, clock: Clock) -> None:
        self._clock = clock
        self._secret = _kept_secret(state / "dev_issuer_key")
        preset = os.environ.get("HEADWATER_ADMIN_KEY")
        self.admin_key = preset or _kept_secret(state / "admin_key")

    def token(self, subject: str, lifetime_s: float = DEFAULT_TOKEN_S, **claims: Any) -> str:
        """A development token for a person.

        Args:
            subject: who.
            lifetime_s: seconds until it expires.
            claims: further claims, such as name and email.
        """
        now = self._clock.now_ns() // 1_000_000_000
        standard = {"iss": DEV_ISSUER, "aud": _AUDIENCE, "sub": subject, "iat": now}
        payload = {**claims, **standard, "exp": int(now + lifetime_s)}
        return jwt.encode(payload, self._secret, algorithm=_ALGORITHM)

    def identity(self, token: str) -> dict[str, Any]:
        """The identity a token proves, as plain data.

        Raises:
            InvalidToken: expired, unsigned, from another issuer, or no token at all.
        """
        return _identity(self._claims(token))

    async def user(self, token: str) -> Caller:
        """The holder of a token, for as long as it lasts.

        Raises:
            InvalidToken: as for `identity`.
        """
        claims = self._claims(token)
        lasts_s = min(claims["exp"], _LATEST_S) - self._clock.now_ns() / 1e9
        return Caller(_identity(claims), lasts_s=lasts_s)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=DEV_ISSUER,
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, RecursionError) as error:  # the latter: JSON nested for ever
            raise InvalidToken(f"Could not verify the token: {error}. Sign in again.") from None
        expiry, now = claims["exp"], self._clock.now_ns() / 1e9
        if not isinstance(expiry, int | float) or not expiry > now:
            raise InvalidToken(EXPIRED)
        return claims

    def admin(self, key: str, acting_as: Any = None) -> Caller:
        """The holder of the admin key, acting as an identity if one is given.

        Raises:
            InvalidToken: another key.
        """
        given = key.rpartition("|")[2]  # a key may carry a `type:name|` prefix
        if not hmac.compare_digest(given.encode(), self.admin_key.encode()):
            raise InvalidToken("The admin key is not this deployment's; see .headwater/admin_key.")
        return Caller(_acting_as(acting_as), admin=True)

    async def caller(self, authorization: str | None) -> Caller:
        """Who an Authorization header speaks for.

        Raises:
            InvalidToken: a header that proves nothing.
        """
        if not authorization:
            return NOBODY
        if len(authorization) < _SHORTEST_HEADER:
            raise InvalidAuthHeader
        scheme, _, rest = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme == "bearer" and rest:
            return await self.user(rest.strip())
        if scheme == "convex" and rest:
            key, _, encoded = rest.strip().partition(":")
            if "|" in encoded and not key.count("|"):  # the prefix `type:name|key` has a colon too
                head, _, encoded = encoded.partition(":")
                key = f"{key}:{head}"
            return self.admin(key, _decoded_identity(encoded))
        raise InvalidToken(InvalidAuthHeader.text)


def _decoded_identity(encoded: str) -> Any:
    if not encoded:
        return None
    try:
        return orjson.loads(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        raise InvalidToken("The identity after the admin key must be base64 of JSON.") from None


def _acting_as(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("subject"), str):
        raise InvalidToken("An identity to act as needs at least a `subject`.")
    rest = {k: v for k, v in given.items() if k not in _IDENTITY}
    return identity_of(given["subject"], str(given.get("issuer", DEV_ISSUER)), **rest)


def _identity(claims: dict[str, Any]) -> dict[str, Any]:
    rest = {_OIDC_NAMES.get(k, k): v for k, v in claims.items() if k not in _STANDARD | _IDENTITY}
    return identity_of(claims["sub"], claims["iss"], **rest)


def _kept_secret(file: Path) -> str:
    """The secret in a file; made, and readable by its owner only, when it is missing."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(32)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(secret + "\n")
    return secret
