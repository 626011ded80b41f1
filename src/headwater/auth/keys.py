"""The public keys of auth providers: fetched, kept while they are fresh, asked for anew when a
token names a key that nobody has seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from headwater.auth.fetch import Unreachable, fetch_json
from headwater.clock import Clock
from headwater.core.providers import (
    CustomJwt,
    Oidc,
    Provider,
    algorithms_of,
    data_url,
    is_trusted_address,
    issuer_of,
    plain_issuer,
)
from headwater.errors import AuthProviderDown, InvalidToken, RegistrationError
from headwater.settings import Limits

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_SHORTEST_RSA_BITS: Final = 2048
_KTY_OF: Final = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_log = logging.getLogger("headwater")


@dataclass(frozen=True)
class Key:
    """A public key, and the one algorithm it is for.

    Attributes:
        id: its `kid`; None for one that tokens need not name.
    """

    id: str | None
    algorithm: str
    public: PublicKey


class OwnKeys:
    """Keys that stand in `auth_config.py` itself."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    async def find(self, kid: str | None, algorithm: str) -> list[Key]:
        """The keys a token may be signed by; empty when it names one that is not here."""
        return _matching(self._keys, kid, algorithm)


class FetchedKeys:
    """Keys of a provider elsewhere.

    A fetch is shared by all who wait for it. When one fails, the keys of the last one go on being
    used until they are stale.

    Args:
        fetch: asks the provider once.
        named: the provider, for messages.
    """

    def __init__(
        self,
        fetch: Callable[[], Coroutine[Any, Any, tuple[Sequence[Key], float]]],
        named: str,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._fetch = fetch
        self._named = named
        self._clock = clock
        self._limits = limits
        self._keys: Sequence[Key] = ()
        self._taken_s = self._fresh_until_s = self._failed_s = self._asked_s = -1e18
        self._failure = ""
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> list[Key]:
        """The keys a token may be signed by; empty when the provider has none such.

        Raises:
            AuthProviderDown: nothing is known of the provider's keys.
        """
        if self._now() >= self._fresh_until_s:
            await self._refresh()
        if self._now() - self._taken_s > self._limits.keys_stale_s:
            raise AuthProviderDown(
                f"The keys of {self._named} could not be had: {self._failure}. "
                "The token can be checked once the provider answers."
            )
        found = _matching(self._keys, kid, algorithm)
        if not found and kid is not None and self._now() - self._asked_s >= self._again_s:
            self._asked_s = self._now()  # anybody can make up key ids: one fetch for many of them
            await self._refresh()
            found = _matching(self._keys, kid, algorithm)
        return found

    @property
    def _again_s(self) -> float:
        # Without any keys nobody can sign in: then it is worth asking more often.
        return self._limits.keys_again_s / (1 if self._keys else 10)

    def _now(self) -> float:
        return self._clock.monotonic()

    async def _refresh(self) -> None:
        """Asks the provider, or waits for the answer to somebody else's question."""
        if self._fetching is None or self._fetching.done():
            if self._now() - self._failed_s < self._again_s:
                return
            self._fetching = asyncio.create_task(self._take())
        await asyncio.shield(self._fetching)  # whoever leaves leaves the others waiting

    async def _take(self) -> None:
        try:
            keys, fresh_s = await self._fetch()
        except Unreachable as error:
            self._failure, self._failed_s = str(error), self._now()
            _log.warning("the keys of %s could not be had: %s", self._named, error)
            return
        limits = self._limits
        fresh_s = min(max(fresh_s, limits.keys_fresh_least_s), limits.keys_fresh_most_s)
        self._keys, self._taken_s = keys, self._now()
        self._fresh_until_s = self._taken_s + fresh_s


Keys = OwnKeys | FetchedKeys


def keys_of(provider: Provider, clock: Clock, limits: Limits) -> Keys:
    """Where the keys of a provider come from."""
    own = own_keys(provider)
    if own is not None:
        return OwnKeys(own)

    async def fetch() -> tuple[Sequence[Key], float]:
        return await _fetch(provider, limits)

    return FetchedKeys(fetch, str(provider), clock, limits)


def own_keys(provider: Provider) -> Sequence[Key] | None:
    """The keys that stand in the provider's own description; None when they are elsewhere.

    Raises:
        InvalidToken: what stands there is no key of its algorithm.
    """
    if isinstance(provider, CustomJwt) and provider.key is not None:
        return [_pem_key(provider.key, provider.algorithm)]
    if isinstance(provider, CustomJwt) and provider.jwks and provider.jwks.startswith("data:"):
        return read_keys(data_url(provider.jwks), algorithms_of(provider))
    return None


def check_own_keys(providers: Sequence[Provider]) -> None:
    """Refuses providers whose own keys can prove nothing.

    Raises:
        RegistrationError: says which one, and why.
    """
    for number, provider in enumerate(providers):
        try:
            own = own_keys(provider)
        except InvalidToken as error:
            own, why = (), str(error)
        else:
            wanted = " or ".join(algorithms_of(provider))
            why = f"jwks holds no public key with a `kid` for {wanted}"
        if own is not None and not own:
            raise RegistrationError(f"backend/auth_config.py: providers[{number}]: {why}")


def read_keys(found: Any, algorithms: Sequence[str]) -> list[Key]:
    """The keys of a JSON Web Key Set that can prove tokens signed by these algorithms.

    Others are passed over, as the standard has it: keys to encrypt with, of other kinds, too short.
    """
    listed = found.get("keys") if isinstance(found, dict) else None
    keys = (_jwk_key(jwk, algorithms) for jwk in (listed if isinstance(listed, list) else ()))
    return [key for key in keys if key is not None]


def _jwk_key(jwk: Any, algorithms: Sequence[str]) -> Key | None:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    kid = jwk.get("kid")
    algorithm = next((name for name in algorithms if _KTY_OF[name] == jwk.get("kty")), None)
    if not isinstance(kid, str) or algorithm is None or jwk.get("alg", algorithm) != algorithm:
        return None
    public = {name: value for name, value in jwk.items() if name != "d"}  # the rest verifies
    try:
        key = jwt.PyJWK(public, algorithm).key
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
    return Key(kid, algorithm, key) if _unfit(key, algorithm) is None else None


def _pem_key(text: str, algorithm: str) -> Key:
    try:
        key = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidToken(f"key is no public key in PEM form: {error}") from None
    unfit = _unfit(key, algorithm)
    if unfit is not None:
        raise InvalidToken(f"key is unfit for {algorithm}: {unfit}")
    assert isinstance(key, PublicKey), "it is of the algorithm's kind"
    return Key(None, algorithm, key)


def _unfit(key: Any, algorithm: str) -> str | None:
    if algorithm == "RS256":
        if not isinstance(key, RSAPublicKey):
            return "it takes an RSA key"
        long_enough = key.key_size >= _SHORTEST_RSA_BITS
        return None if long_enough else f"it has {key.key_size} bits, at least 2048 are needed"
    if algorithm == "ES256":
        fits = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        return None if fits else "it takes a key of the curve P-256"
    return None if isinstance(key, Ed25519PublicKey) else "it takes an Ed25519 key"


def _matching(keys: Sequence[Key], kid: str | None, algorithm: str) -> list[Key]:
    return [key for key in keys if key.id in (None, kid) and key.algorithm == algorithm]


async def _fetch(provider: Provider, limits: Limits) -> tuple[Sequence[Key], float]:
    if isinstance(provider, Oidc):
        address = await _discovered(provider, limits)
    else:
        assert provider.jwks is not None, "else its key stands in the provider"
        address = provider.jwks
    found, fresh_s = await fetch_json(address, limits)
    keys = read_keys(found, algorithms_of(provider))
    if not keys:
        wanted = " or ".join(algorithms_of(provider))
        raise Unreachable(f"{address} holds no public key with a `kid` for {wanted}")
    return keys, fresh_s


async def _discovered(provider: Oidc, limits: Limits) -> str:
    """Where an OpenID Connect provider says its keys are."""
    issuer = issuer_of(provider)
    address = f"{issuer}/.well-known/openid-configuration"
    found, _ = await fetch_json(address, limits)
    said = found if isinstance(found, dict) else {}
    if not isinstance(said.get("issuer"), str) or plain_issuer(said["issuer"]) != issuer:
        raise Unreachable(f"{address} does not name {issuer} as its issuer")
    keys_at = said.get("jwks_uri")
    if not isinstance(keys_at, str) or not is_trusted_address(keys_at):
        raise Unreachable(f"{address} names no https address as its jwks_uri")
    if not keys_at.startswith("https:") and issuer.startswith("https:"):
        raise Unreachable(f"{address} names an address on this machine as its jwks_uri")
    return keys_at
