"""Who calls: development tokens, tokens of auth providers, and the deployment's admin key.

The secrets live in the project's `.headwater/` folder, readable by its owner only, and are made at
the first start. Neither they nor a token is ever logged.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from headwater.auth.claims import acting_as, identity_of_claims
from headwater.auth.dev import DevIssuer, kept_secret
from headwater.auth.keys import Keys, keys_of
from headwater.auth.tokens import (
    Said,
    check_claims,
    check_header,
    check_signature,
    provider_of,
    read_token,
    unknown_key,
)
from headwater.clock import Clock
from headwater.core.providers import Provider
from headwater.errors import AuthProviderDown, InvalidAuthHeader, InvalidToken, NoAuthProvider
from headwater.settings import DEV_ISSUER, Limits

_LATEST_S: Final = 1e12  # of an expiry: timers know no later one
_SHORTEST_HEADER: Final = 7  # as Convex has it: nothing shorter can be one
_GONE: Final = "Its provider is no longer in backend/auth_config.py. Sign in again."


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        identity: as plain data; None for nobody in particular.
        admin: the admin key was shown.
        lasts_s: seconds until what was shown expires; None for never.
        provider: who vouched; None for the deployment itself.
    """

    identity: dict[str, Any] | None = None
    admin: bool = False
    lasts_s: float | None = None
    provider: Provider | None = None


NOBODY: Final = Caller()


class Holder(Protocol):
    """A connection that is authenticated by what a provider signed."""

    def end_identity(self, why: str) -> None:
        """What it was authenticated by is good no more."""


class Auth:
    """The secrets of one deployment, the providers it trusts, and what they prove.

    Args:
        state: the project's `.headwater/` folder, made when missing.
        clock: for the expiry of tokens.
        limits: of tokens, and of asking providers.
        providers: the ones that are trusted now.
        dev_tokens: whether development tokens are taken.
    """

    def __init__(
        self,
        state: Path,
        clock: Clock,
        limits: Limits | None = None,
        providers: Callable[[], tuple[Provider, ...]] = tuple,
        *,
        dev_tokens: bool = True,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._providers = providers
        self._dev_tokens = dev_tokens
        self._dev = DevIssuer(state, clock)
        self._keys: dict[Provider, Keys] = {}
        self._holders: dict[Holder, Provider] = {}
        self.token = self._dev.token
        preset = os.environ.get("HEADWATER_ADMIN_KEY")
        self.admin_key = preset or kept_secret(state / "admin_key")

    # tokens

    async def user(self, token: str) -> Caller:
        """The holder of a token, for as long as it lasts. On the network's loop.

        Raises:
            InvalidToken: expired, unsigned, of another issuer, or no token at all.
        """
        said = read_token(token, int(self._limits.token_bytes))
        if said.issuer == DEV_ISSUER:
            self._check_dev_tokens()
            return self._caller(self._dev.claims(said), None)
        listed = self._dev_tokens  # who works on the backend may know what is in it
        provider = provider_of(said, self._providers(), listed=listed)
        try:
            async with asyncio.timeout(self._limits.authenticate_s):
                await self._prove(said, provider)
        except TimeoutError:
            raise AuthProviderDown(
                f"{provider} did not answer within {self._limits.authenticate_s:g} s. "
                "The token can be checked once it does."
            ) from None
        check_claims(said.claims, self._now_s())
        return self._caller(said.claims, provider)

    async def _prove(self, said: Said, provider: Provider) -> None:
        check_header(said, provider)
        keys = self._keys.get(provider)
        if keys is None:
            keys = self._keys[provider] = keys_of(provider, self._clock, self._limits)
        found = await keys.find(said.kid, said.algorithm)
        if not found:
            raise unknown_key(said, provider)
        check_signature(said, provider, [key.public for key in found])

    def _check_dev_tokens(self) -> None:
        if not self._dev_tokens:
            raise NoAuthProvider(
                "Development tokens are refused in production. Sign in at a provider of "
                "backend/auth_config.py, or start the server by `headwater serve --dev-tokens`."
            )

    def _caller(self, claims: dict[str, Any], provider: Provider | None) -> Caller:
        lasts_s = min(claims["exp"], _LATEST_S) - self._now_s()
        return Caller(identity_of_claims(claims), lasts_s=lasts_s, provider=provider)

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9

    # whoever is authenticated

    def hold(self, holder: Holder, provider: Provider | None) -> None:
        """Notes who vouched for a connection, to end its identity when that one is no longer
        trusted; None when nobody does any more.
        """
        if provider is not None:
            self._holders[holder] = provider
        else:
            self._holders.pop(holder, None)

    def providers_changed(self) -> None:
        """Ends what was proven by providers that are trusted no longer, after a reload."""
        trusted = self._providers()
        self._keys = {p: keys for p, keys in self._keys.items() if p in trusted}
        for holder, provider in list(self._holders.items()):
            if provider not in trusted:
                holder.end_identity(_GONE)

    # the admin key, and headers

    def admin(self, key: str, identity: Any = None) -> Caller:
        """The holder of the admin key, acting as an identity if one is given.

        Raises:
            InvalidToken: another key.
        """
        given = key.rpartition("|")[2]  # a key may carry a `type:name|` prefix
        if not hmac.compare_digest(given.encode(), self.admin_key.encode()):
            raise InvalidToken("The admin key is not this deployment's; see .headwater/admin_key.")
        return Caller(acting_as(identity), admin=True)

    async def caller(self, authorization: str | None) -> Caller:
        """Who an Authorization header speaks for. On the network's loop.

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
