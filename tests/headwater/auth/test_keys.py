"""Keys of providers elsewhere: fetched once, kept, asked for anew when they rotate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.auth import Auth, Caller
from headwater.auth.keys import read_keys
from headwater.clock import VirtualClock
from headwater.core.providers import CustomJwt, Oidc, Provider
from headwater.errors import AuthProviderDown, InvalidToken
from headwater.settings import Limits
from tests.local_issuer import (
    APPLICATION,
    RSA_KEYS,
    Issuer,
    make_key,
    public_jwk,
    running_issuer,
    sign,
)
from tests.scenarios.server_process import wait_for

DISCOVERY = "/.well-known/openid-configuration"
LATER: dict[str, Any] = {"exp": 10**11}  # the clock is moved by hand


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of this test's own."""
    with running_issuer() as made:
        yield made


@pytest.fixture
def clock() -> VirtualClock:
    """A clock to age keys by, as late as the issuer's own."""
    return VirtualClock(start_ms=4e12)


class Deployment:
    """Somebody who trusts one provider."""

    def __init__(self, folder: Path, clock: VirtualClock, issuer: Issuer, **limits: float) -> None:
        self.issuer = issuer
        self.providers: tuple[Provider, ...] = (Oidc(issuer.url, APPLICATION),)
        made = Limits(**limits)  # type: ignore[arg-type]
        self.auth = Auth(folder, clock, made, lambda: self.providers)

    def user(self, token: str | None = None) -> Caller:
        """Whom a token proves; a genuine one if none is given."""
        return asyncio.run(self.auth.user(token or self.issuer.token(**LATER)))

    @property
    def fetches(self) -> int:
        """How often the keys were asked for."""
        return self.issuer.asked["/jwks"]


@pytest.fixture
def deployment(tmp_path: Path, clock: VirtualClock, issuer: Issuer) -> Deployment:
    """A deployment that trusts the issuer."""
    return Deployment(tmp_path, clock, issuer)


def test_keys_are_fetched_once(deployment: Deployment, issuer: Issuer) -> None:
    """For all tokens, while they are fresh."""
    for subject in ("ana", "ben", "ana"):
        deployment.user(issuer.token(subject, **LATER))
    assert issuer.asked == {DISCOVERY: 1, "/jwks": 1}


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [
        ("public, max-age=1800", 1800),
        ("max-age=1", 60),
        ("no-store", 60),
        ("max-age=999999999", 6 * 3600),
        ("", 600),
    ],
)
def test_keys_are_fresh_as_long_as_their_issuer_says(
    deployment: Deployment, issuer: Issuer, clock: VirtualClock, cache_control: str, fresh_s: int
) -> None:
    """Within bounds: a minute to six hours; ten minutes if it does not say."""
    issuer.cache_control = cache_control
    deployment.user()
    clock.advance(fresh_s * 1000 - 1)
    deployment.user()
    assert deployment.fetches == 1
    clock.advance(1)
    deployment.user()
    assert deployment.fetches == 2


def test_a_rotation_is_noticed_at_once(deployment: Deployment, issuer: Issuer) -> None:
    """A token by a key nobody has seen makes the keys be fetched again; the old key is gone."""
    old = issuer.token(**LATER)
    deployment.user(old)
    issuer.rotate()
    assert deployment.user().identity
    with pytest.raises(InvalidToken, match="'key-1', which no key of"):
        deployment.user(old)


def test_a_rotation_to_another_algorithm_is_noticed(deployment: Deployment, issuer: Issuer) -> None:
    """From RS256 to EdDSA, both of which discovery may lead to."""
    deployment.user()
    issuer.rotate("edwards", "EdDSA")
    assert deployment.user().identity


def test_made_up_key_ids_cost_one_fetch(
    deployment: Deployment, issuer: Issuer, clock: VirtualClock
) -> None:
    """In ten seconds, however many there are; then another."""
    deployment.user()

    def made_up(number: int) -> None:
        token = sign(RSA_KEYS[1], issuer.claims(**LATER), kid=f"made-up-{number}")
        with pytest.raises(InvalidToken, match="which no key of"):
            deployment.user(token)

    for number in range(20):
        made_up(number)
    assert deployment.fetches == 2
    clock.advance(10_000)
    made_up(20)
    assert deployment.fetches == 3


def test_all_who_wait_share_one_fetch(deployment: Deployment, issuer: Issuer) -> None:
    """Fifty people sign in while the provider has not answered yet."""
    issuer.held.clear()

    async def sign_in() -> list[Caller]:
        waiting = [
            asyncio.create_task(deployment.auth.user(issuer.token(f"p{n}", **LATER)))
            for n in range(50)
        ]
        await asyncio.to_thread(wait_for, lambda: issuer.asked[DISCOVERY], "it was asked")
        waiting[0].cancel()  # whoever leaves leaves the others waiting
        issuer.held.set()
        return await asyncio.gather(*waiting[1:])

    callers = asyncio.run(sign_in())
    assert len({caller.identity["subject"] for caller in callers if caller.identity}) == 49
    assert issuer.asked == {DISCOVERY: 1, "/jwks": 1}


def test_keys_are_used_while_their_provider_is_down(
    deployment: Deployment, issuer: Issuer, clock: VirtualClock
) -> None:
    """Though they are no longer fresh, for a day; it is asked again every ten seconds."""
    deployment.user()
    issuer.down = True
    clock.advance(2 * 3600_000)
    for _ in range(3):
        assert deployment.user().identity
    assert issuer.asked[DISCOVERY] == 2
    clock.advance(10_000)
    deployment.user()
    assert issuer.asked[DISCOVERY] == 3
    clock.advance(24 * 3600_000)
    with pytest.raises(AuthProviderDown, match="answered with status 503"):
        deployment.user()
    issuer.down = False
    clock.advance(10_000)
    assert deployment.user().identity


def test_without_keys_the_refusal_says_why(
    deployment: Deployment, issuer: Issuer, clock: VirtualClock
) -> None:
    """It is no fault of the token's; a second later the provider is asked again."""
    issuer.down = True
    for _ in range(3):
        with pytest.raises(AuthProviderDown, match=r"OIDC\(domain=http.* status 503") as refused:
            deployment.user()
    assert (refused.value.code, refused.value.status) == ("AuthProviderDiscoveryFailed", 503)
    assert issuer.asked[DISCOVERY] == 1
    issuer.down = False
    clock.advance(1_000)
    assert deployment.user().identity


def test_a_provider_that_is_gone_is_down(tmp_path: Path, clock: VirtualClock) -> None:
    """Nobody listens at its address."""
    with running_issuer() as issuer:
        token = issuer.token(**LATER)
    with pytest.raises(AuthProviderDown, match="could not be had: http"):
        Deployment(tmp_path, clock, issuer).user(token)


def test_a_slow_provider_is_down(tmp_path: Path, clock: VirtualClock, issuer: Issuer) -> None:
    """It has the time that one answer may take."""
    issuer.held.clear()
    slow = Deployment(tmp_path, clock, issuer, keys_fetch_s=0.05)
    with pytest.raises(AuthProviderDown, match=r"did not answer within 0\.05 s"):
        slow.user()


def test_proving_a_token_has_an_end(tmp_path: Path, clock: VirtualClock, issuer: Issuer) -> None:
    """Also when every single answer comes in time."""
    issuer.held.clear()
    slow = Deployment(tmp_path, clock, issuer, authenticate_s=0.05)
    with pytest.raises(AuthProviderDown, match=r"OIDC.* did not answer within 0\.05 s"):
        slow.user()


@pytest.mark.parametrize(
    ("discovery", "why"),
    [
        ({"issuer": "https://x.example"}, "does not name http.* as its issuer"),
        ({"issuer": 5}, "does not name http.* as its issuer"),
        ({"jwks_uri": None}, "names no https address as its jwks_uri"),
        ({"jwks_uri": "http://x.example/keys"}, "names no https address as its jwks_uri"),
        ({"jwks_uri": "file:///etc/passwd"}, "names no https address as its jwks_uri"),
    ],
    ids=str,
)
def test_discovery_leads_nowhere_else(
    deployment: Deployment, issuer: Issuer, discovery: dict[str, Any], why: str
) -> None:
    """Only to its own keys, over a connection that can be trusted."""
    issuer.discovery = discovery
    with pytest.raises(AuthProviderDown, match=why):
        deployment.user()


def test_a_set_without_a_fit_key_says_so(deployment: Deployment, issuer: Issuer) -> None:
    """What was found is of no use for the algorithm."""
    issuer.keys = [public_jwk(make_key("ES256"), "ES256", "key-1")]
    with pytest.raises(AuthProviderDown, match="holds no public key with a `kid` for RS256 or"):
        deployment.user()


def test_of_two_keys_the_one_that_is_named_counts(deployment: Deployment, issuer: Issuer) -> None:
    """As while a provider rotates: both are published, each proves its own tokens."""
    issuer.keys.append(public_jwk(RSA_KEYS[1], "RS256", "key-2"))
    claims = issuer.claims(**LATER)
    for kid, private in (("key-1", RSA_KEYS[0]), ("key-2", RSA_KEYS[1])):
        assert deployment.user(sign(private, claims, kid=kid)).identity
    with pytest.raises(InvalidToken, match="Its signature is not by the key"):
        deployment.user(sign(RSA_KEYS[1], claims, kid="key-1"))


GOOD_JWK = public_jwk(RSA_KEYS[0], "RS256", "one")
SHORT_JWK = public_jwk(make_key("RS256", 1024), "RS256", "short")


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"kid": 5},
        {"kid": None},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"alg": "RS512"},
        {"n": "!"},
        {"n": 5},
        {"e": None},
        SHORT_JWK,
    ],
    ids=lambda changes: str(changes)[:30],
)
def test_keys_that_prove_nothing_are_passed_over(changes: dict[str, Any]) -> None:
    """Others of the set go on being used."""
    assert [key.id for key in read_keys({"keys": [GOOD_JWK | changes, GOOD_JWK]}, ["RS256"])] == [
        "one"
    ]


@pytest.mark.parametrize("found", [None, [], {}, {"keys": {}}, {"keys": [None, 5, "x"]}], ids=str)
def test_what_is_no_set_holds_no_keys(found: Any) -> None:
    """Whatever JSON it is."""
    assert read_keys(found, ["RS256"]) == []


def test_providers_that_go_take_their_identities_along(
    tmp_path: Path, clock: VirtualClock, issuer: Issuer
) -> None:
    """After a reload whoever they vouched for is told; others are left alone."""
    other = CustomJwt("https://own.example", jwks=f"{issuer.url}/jwks")
    deployment = Deployment(tmp_path, clock, issuer)
    oidc, ended = deployment.providers[0], list[str]()

    class Holder:
        def __init__(self, name: str) -> None:
            self.name = name

        def end_identity(self, why: str) -> None:
            ended.append(f"{self.name}: {why}")

    ana, ben, eve = Holder("ana"), Holder("ben"), Holder("eve")
    deployment.auth.hold(ana, oidc)
    deployment.auth.hold(ben, other)
    deployment.auth.hold(eve, oidc)
    deployment.auth.hold(eve, None)
    deployment.providers = (other,)
    deployment.auth.providers_changed()
    assert ended == [
        "ana: Its provider is no longer in backend/auth_config.py. Sign in again.",
    ]
