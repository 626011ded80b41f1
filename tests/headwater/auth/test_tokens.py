"""Tokens of auth providers: the good ones are somebody, the bad ones are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.auth import Auth, Caller
from headwater.clock import Clock
from headwater.core.providers import CustomJwt, Oidc, Provider
from headwater.errors import InvalidToken
from tests.bad_tokens import BAD_TOKENS, KINDS, NAMES, Make, code_of
from tests.local_issuer import (
    APPLICATION,
    RSA_KEYS,
    Issuer,
    data_url,
    make_key,
    public_jwk,
    public_pem,
    running_issuer,
    sign,
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """One issuer for all tokens; no test changes it."""
    with running_issuer() as made:
        yield made


@pytest.fixture
def auth_of(tmp_path: Path) -> Callable[..., Auth]:
    """A deployment that trusts some providers."""
    return lambda *providers: Auth(tmp_path, Clock(), providers=lambda: providers)


def provider_of(issuer: Issuer, kind: str) -> Provider:
    """The issuer as one kind of provider."""
    if kind == "oidc":
        return Oidc(issuer.url, APPLICATION)
    return CustomJwt(issuer.url, jwks=f"{issuer.url}/jwks", application_id=APPLICATION)


def user(auth: Auth, token: str) -> Caller:
    """Whom a token proves."""
    return asyncio.run(auth.user(token))


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_token_is_somebody(auth_of: Callable[..., Auth], issuer: Issuer, kind: str) -> None:
    """Known by issuer and subject, for as long as the token lasts."""
    provider = provider_of(issuer, kind)
    caller = user(auth_of(provider), issuer.token("ana", name="Ana", team="blue"))
    assert caller.identity == {
        "tokenIdentifier": f"{issuer.url}|ana",
        "subject": "ana",
        "issuer": issuer.url,
        "name": "Ana",
        "team": "blue",
    }
    assert not caller.admin
    assert caller.provider == provider
    assert caller.lasts_s is not None
    assert 3500 < caller.lasts_s <= 3600


@pytest.mark.parametrize(("name", "make", "sentence"), BAD_TOKENS, ids=NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_token_is_refused_with_its_own_sentence(
    auth_of: Callable[..., Auth], issuer: Issuer, kind: str, name: str, make: Make, sentence: str
) -> None:
    """Whichever kind of provider it claims to be from."""
    with pytest.raises(InvalidToken) as refused:
        user(auth_of(provider_of(issuer, kind)), make(issuer))
    assert sentence in refused.value.message
    assert (refused.value.code, refused.value.status) == (code_of(name), 401)
    assert len(refused.value.message) < 700


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {"iat": None},
        {"iat": 3},
        {"lifetime_s": 1.5},
        {"aud": ["other", APPLICATION]},
        {"nbf": 0},
    ],
    ids=str,
)
def test_what_is_unusual_is_not_wrong(
    auth_of: Callable[..., Auth], issuer: Issuer, kind: str, changes: dict[str, Any]
) -> None:
    """No time of issue, fractions of seconds, several audiences."""
    assert user(auth_of(provider_of(issuer, kind)), issuer.token(**changes)).identity


@pytest.mark.parametrize(("ahead_s", "taken"), [(4, True), (30, False)])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_an_issuers_clock_may_be_a_little_ahead(
    auth_of: Callable[..., Auth], issuer: Issuer, claim: str, ahead_s: int, taken: bool
) -> None:
    """By five seconds."""
    auth = auth_of(provider_of(issuer, "oidc"))
    token = issuer.token(**{claim: issuer.claims()["iat"] + ahead_s})
    if taken:
        assert user(auth, token).identity
        return
    with pytest.raises(InvalidToken, match="compare the clocks"):
        user(auth, token)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("said", ["", "/"])
def test_a_closing_slash_of_the_issuer_does_not_matter(
    auth_of: Callable[..., Auth], issuer: Issuer, slash: str, said: str
) -> None:
    """Some providers show one form and sign the other. Identities keep what was signed."""
    auth = auth_of(Oidc(issuer.url + slash, APPLICATION))
    identity = user(auth, issuer.token(iss=issuer.url + said)).identity
    assert identity is not None
    assert identity["tokenIdentifier"] == f"{issuer.url}{said}|ana"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("how", ["key", "data:"])
def test_a_custom_issuer_may_bring_its_keys_along(
    auth_of: Callable[..., Auth], issuer: Issuer, algorithm: Any, how: str
) -> None:
    """As PEM, where tokens name no key, or as a set; then nothing is fetched."""
    private = RSA_KEYS[0] if algorithm == "RS256" else make_key(algorithm)
    keys: dict[str, Any] = (
        {"key": public_pem(private)}
        if how == "key"
        else {"jwks": data_url(public_jwk(private, algorithm, "own"))}
    )
    auth = auth_of(CustomJwt("my-own", algorithm=algorithm, **keys))
    kid = None if how == "key" else "own"
    claims = issuer.claims(iss="my-own", aud=None)
    identity = user(auth, sign(private, claims, algorithm, kid=kid)).identity
    assert identity is not None
    assert identity["subject"] == "ana"
    other = RSA_KEYS[1] if algorithm == "RS256" else make_key(algorithm)
    with pytest.raises(InvalidToken, match="Its signature is not by the key"):
        user(auth, sign(other, claims, algorithm, kid=kid))


def test_oidc_is_no_provider_of_other_algorithms(
    auth_of: Callable[..., Auth], issuer: Issuer
) -> None:
    """ES256 is for custom issuers; RS256 and EdDSA are what discovery may lead to."""
    token = sign(make_key("ES256"), issuer.claims(), "ES256", kid="key-1")
    with pytest.raises(InvalidToken, match="must be signed by RS256 or EdDSA"):
        user(auth_of(Oidc(issuer.url, APPLICATION)), token)


def test_each_audience_has_its_provider(auth_of: Callable[..., Auth], issuer: Issuer) -> None:
    """Two applications of one issuer are two providers; a key of one vouches for its own."""
    first, second = Oidc(issuer.url, "first"), Oidc(issuer.url, "second")
    auth = auth_of(first, second)
    assert user(auth, issuer.token(aud="first")).provider == first
    assert user(auth, issuer.token(aud="second")).provider == second


def test_a_key_of_another_provider_proves_nothing(
    auth_of: Callable[..., Auth], issuer: Issuer
) -> None:
    """Though both are trusted, each for itself, and their keys have the same name."""
    own = CustomJwt("https://own.example", jwks=data_url(public_jwk(RSA_KEYS[1], "RS256", "key-1")))
    auth = auth_of(own, Oidc(issuer.url, APPLICATION))
    assert user(auth, sign(RSA_KEYS[1], issuer.claims(iss="https://own.example"), kid="key-1"))
    with pytest.raises(InvalidToken, match="Its signature is not by the key"):
        user(auth, sign(RSA_KEYS[1], issuer.claims(), kid="key-1"))
    with pytest.raises(InvalidToken, match="Its signature is not by the key"):
        user(auth, sign(RSA_KEYS[0], issuer.claims(iss="https://own.example"), kid="key-1"))


def test_without_providers_the_refusal_says_so(
    auth_of: Callable[..., Auth], issuer: Issuer
) -> None:
    """And which file to write."""
    with pytest.raises(InvalidToken, match=r"no providers configured.*auth_config\.py") as refused:
        user(auth_of(), issuer.token())
    assert refused.value.code == "NoAuthProvider"


def test_only_developers_are_told_what_is_configured(tmp_path: Path, issuer: Issuer) -> None:
    """In production a stranger learns nothing but what the token says itself."""
    for dev, told in ((True, True), (False, False)):
        providers = (Oidc(issuer.url, "our-own-app"),)
        auth = Auth(tmp_path, Clock(), providers=lambda: providers, dev_tokens=dev)  # noqa: B023
        with pytest.raises(InvalidToken) as refused:
            user(auth, issuer.token(aud="x"))
        assert ("our-own-app" in refused.value.message) is told
