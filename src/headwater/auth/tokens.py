"""Tokens: what they say, whose they are, and whether they prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import jwt

from headwater.core.providers import Oidc, Provider, algorithms_of, issuer_of, plain_issuer, takes
from headwater.errors import InvalidToken, NoAuthProvider, shortened

EXPIRED: Final = "The token has expired. Sign in again."
NO_TOKEN: Final = (
    "Could not parse JWT payload. Check that the token is a valid JWT format with three "
    "base64-encoded parts separated by dots"
)
_SKEW_S: Final = 5.0  # an issuer's clock may be ahead of ours by so much
_VERIFY_SIGNATURE_ONLY: Final = dict.fromkeys(
    ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False
) | {"verify_sub": False, "verify_jti": False}


@dataclass(frozen=True)
class Said:
    """What a token says of itself: not to be believed yet."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def issuer(self) -> str:
        """Who it says it is from."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""

    @property
    def audiences(self) -> list[str]:
        """Whom it says it is for."""
        said = self.claims.get("aud")
        listed = said if isinstance(said, list) else [said]
        return [audience for audience in listed if isinstance(audience, str)]

    @property
    def algorithm(self) -> str:
        """What it says it is signed by."""
        return str(self.header.get("alg"))

    @property
    def kid(self) -> str | None:
        """The key it says it is signed by."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None


def read_token(text: str, most_bytes: int) -> Said:
    """What a token says.

    Raises:
        InvalidToken: it is none, or too large to be one.
    """
    if len(text) > most_bytes:
        raise InvalidToken(
            f"The token has {len(text)} bytes, the limit is {most_bytes}: it is none, or its "
            "issuer puts too many claims into it."
        )
    try:
        parts = jwt.decode_complete(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:  # JSON may be nested for ever
        raise InvalidToken(f"{NO_TOKEN}: {error}.") from None
    said = Said(text, parts["header"], parts["payload"])
    if not said.issuer:
        raise InvalidToken(
            "Missing issuer claim ('iss') in JWT payload. The JWT must include an 'iss' claim that "
            "matches one of your configured auth providers."
        )
    return said


def provider_of(said: Said, providers: tuple[Provider, ...], *, listed: bool) -> Provider:
    """The provider that can tell whether a token is genuine.

    Args:
        said: the token.
        providers: the configured ones, asked in turn.
        listed: name them in a refusal.

    Raises:
        NoAuthProvider: none of them.
    """
    issuer = plain_issuer(said.issuer)
    of_issuer = [provider for provider in providers if issuer_of(provider) == issuer]
    for provider in of_issuer:
        if takes(provider, said.audiences):
            return provider
    text = "No auth provider found matching the given token"
    if not providers:
        raise NoAuthProvider(f"{text} (no providers configured). Check backend/auth_config.py.")
    wrong = _shown("audience", said.audiences) if of_issuer else _shown("issuer", [said.issuer])
    known = f"[{', '.join(map(str, providers))}]" if listed else "in backend/auth_config.py"
    raise NoAuthProvider(
        f"{text}: {wrong} is not configured. Check that your JWT's issuer and audience match one "
        f"of your configured providers: {known}"
    )


def _shown(name: str, values: list[str]) -> str:
    return f"its {name} {shortened(', '.join(map(repr, values)) or 'None')}"


def check_header(said: Said, provider: Provider) -> None:
    """Holds a token to its provider's algorithms, before any key is looked for.

    Raises:
        InvalidToken: another one, such as `none`, or HS256 with what is public as the secret.
    """
    allowed = algorithms_of(provider)
    if said.algorithm not in allowed:
        raise InvalidToken(
            f"Could not decode token. It is signed by {shortened(said.algorithm)!r}, tokens of "
            f"{issuer_of(provider)} must be signed by {' or '.join(allowed)}."
        )


def unknown_key(said: Said, provider: Provider) -> InvalidToken:
    """The refusal of a token that names no key of its provider."""
    if said.kid is None:
        return InvalidToken(
            "Could not decode token. JWT is missing a 'kid' (key ID) header, so that it says not "
            f"which key of {issuer_of(provider)} it is signed by."
        )
    return InvalidToken(
        f"Could not decode token. The JWT's 'kid' (key ID) header is {shortened(said.kid)!r}, "
        f"which no key of {issuer_of(provider)} has."
    )


def check_signature(said: Said, provider: Provider, keys: list[Any]) -> None:
    """Verifies a token's signature.

    Args:
        said: the token.
        provider: whose it is.
        keys: public keys of the token's algorithm, any of which may have signed it.

    Raises:
        InvalidToken: none of them did.
    """
    for key in keys:
        try:
            jwt.decode(said.text, key, [said.algorithm], options=_VERIFY_SIGNATURE_ONLY)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError):
            continue
        return
    raise InvalidToken(
        f"{_could_not_verify(provider)} Its signature is not by the key of {issuer_of(provider)} "
        "that it names."
    )


def _could_not_verify(provider: Provider) -> str:
    kind = "OIDC token claim" if isinstance(provider, Oidc) else "token"
    return f"Could not verify {kind}. Check that the token signature is valid."


def check_claims(claims: dict[str, Any], now_s: float) -> None:
    """Holds verified claims to the time, and to saying who.

    Raises:
        InvalidToken: expired, not yet valid, from the future, for nobody; or with claims of other
            types than the standard's.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise _invalid("it has no subject ('sub'), so that it is nobody's")
    expiry = _time(claims, "exp")
    if expiry is None:
        raise _invalid("it has no expiry ('exp'), so that it would be good for ever")
    if not expiry > now_s:
        raise InvalidToken(EXPIRED)
    for name, what in (("nbf", "it is not valid yet"), ("iat", "it was issued in the future")):
        time = _time(claims, name)
        if time is not None and time > now_s + _SKEW_S:
            raise _invalid(f"{what} ('{name}' is {time - now_s:.0f} s ahead); compare the clocks")


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise _invalid(f"'{name}' is no number of seconds")
    return float(value)


def _invalid(why: str) -> InvalidToken:
    return InvalidToken(f"Could not validate token: {why}. Sign in again.")
