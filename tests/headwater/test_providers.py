"""`backend/auth_config.py`: who is trusted to say who somebody is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater import CustomJwt, Oidc
from headwater.core.manifest import Manifest
from headwater.core.providers import Provider, checked, data_url, plain_issuer
from headwater.errors import BackendLoadError, RegistrationError
from headwater.loader import load
from headwater.settings import DEV_ISSUER
from tests.headwater.projects import write_project
from tests.local_issuer import RSA_KEYS, make_key, public_jwk, public_pem
from tests.local_issuer import data_url as data_url_of

PEM = public_pem(RSA_KEYS[0])
SET = data_url_of(public_jwk(RSA_KEYS[0], "RS256", "one"))
GOOD: list[Provider] = [
    Oidc("https://my-app.eu.auth0.com/", "client-id"),
    Oidc("clerk.my-app.com", "convex"),
    Oidc(domain="http://127.0.0.1:4000", application_id="local"),
    CustomJwt("https://a.example", jwks="https://a.example/keys", algorithm="ES256"),
    CustomJwt("my-own-name", jwks=SET, algorithm="RS256", application_id="app"),
    CustomJwt(issuer="https://b.example", key=PEM),
]


def load_config(root: Path, text: str) -> tuple[Provider, ...]:
    """The providers of a project with this auth_config.py."""
    write_project(root, auth_config=text, tasks="\n")
    return load(root).manifest.providers


def test_the_file_is_read_at_load(tmp_path: Path) -> None:
    """In the order it lists its providers; arguments by position or by name."""
    text = """
    from headwater import CustomJwt, Oidc

    providers = [
        Oidc("https://auth.example.com", "my-app"),
        CustomJwt("https://own.example.com", jwks="https://own.example.com/k", algorithm="EdDSA"),
    ]
    """
    assert load_config(tmp_path, text) == (
        Oidc(domain="https://auth.example.com", application_id="my-app"),
        CustomJwt(
            issuer="https://own.example.com",
            jwks="https://own.example.com/k",
            algorithm="EdDSA",
        ),
    )


def test_no_file_is_no_provider(tmp_path: Path) -> None:
    """Only development tokens and the admin key are good then."""
    write_project(tmp_path, tasks="\n")
    assert load(tmp_path).manifest.providers == ()


def test_good_providers_pass() -> None:
    """Each of these can vouch for somebody; they travel between processes as plain data."""
    assert checked(GOOD) == tuple(GOOD)
    manifest = Manifest(providers=tuple(GOOD))
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert "providers" not in Manifest().to_json()


def custom(**changes: Any) -> CustomJwt:
    """A custom issuer, with something wrong."""
    return CustomJwt(**{"issuer": "https://a.example", "jwks": "https://a.example/keys"} | changes)


NO_PRIVATE = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
BAD: list[tuple[Any, str]] = [
    (None, "must define a list `providers`"),
    (Oidc("https://a.example", "x"), "must define a list `providers`"),
    ([{"domain": "x", "applicationID": "y"}], r"expected Oidc\(\.\.\.\) or CustomJwt"),
    ([Oidc("", "x")], "domain must be a text.*is a variable unset"),
    ([Oidc(None, "x")], "domain must be a text"),  # type: ignore[arg-type]
    ([Oidc("https://a.example", "")], "application_id must be a text"),
    ([Oidc("http://a.example", "x")], "domain must be an https address"),
    ([Oidc("https://a.example:port", "x")], "domain must be an https address"),
    ([Oidc("https://me@a.example", "x")], "domain must be an https address"),
    ([Oidc(DEV_ISSUER, "x")], "issuer of development tokens"),
    ([custom(issuer=DEV_ISSUER + "/")], "issuer of development tokens"),
    ([custom(issuer=" ")], "issuer must be a text"),
    ([custom(algorithm="HS256")], "algorithm must be RS256, ES256, EdDSA, not 'HS256'"),
    ([custom(algorithm="none")], "algorithm must be"),
    ([custom(application_id="")], "application_id must be a text"),
    ([custom(jwks=None)], "give either jwks= .* or key="),
    ([custom(key=PEM)], "give either jwks= .* or key="),
    ([custom(jwks="http://a.example/keys")], "jwks must be an https address"),
    ([custom(jwks="/etc/keys.json")], "jwks must be an https address"),
    ([custom(jwks="file:///etc/keys.json")], "jwks must be an https address"),
    ([custom(jwks="data:application/json;base64,!!")], "holds no JSON: its data is not base64"),
    ([custom(jwks="data:application/json")], "holds no JSON: a data: URL has a comma"),
    ([custom(jwks="data:,{}")], "at least one key"),
    ([custom(jwks=None, key=NO_PRIVATE)], "key is a private key"),
    ([custom(jwks=None, key="MIIB")], "key must be a public key in PEM form"),
    ([GOOD[0], Oidc("my-app.eu.auth0.com", "client-id")], r"providers\[1\]: never asked"),
    ([custom(), custom(application_id="x")], r"providers\[1\]: never asked"),
]


@pytest.mark.parametrize(
    ("listed", "why"), BAD, ids=[f"{n} {why}" for n, (_, why) in enumerate(BAD)]
)
def test_a_provider_that_cannot_work_is_refused(listed: Any, why: str) -> None:
    """When the backend is loaded, by its place in the list, with how to write it."""
    with pytest.raises(RegistrationError, match=why) as refused:
        checked(listed)
    assert str(refused.value).startswith("backend/auth_config.py")


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        ('key="-----BEGIN PUBLIC KEY-----"', "key is no public key in PEM form"),
        (f"key={public_pem(make_key('RS256', 1024))!r}", "it has 1024 bits, at least 2048"),
        (f"key={PEM!r}, algorithm='ES256'", "unfit for ES256: it takes a key of the curve P-256"),
        (f"key={PEM!r}, algorithm='EdDSA'", "unfit for EdDSA: it takes an Ed25519 key"),
        (f"jwks={SET!r}, algorithm='EdDSA'", "no public key with a `kid` for EdDSA"),
        ("jwks='data:,%7B%22keys%22%3A%5B%7B%7D%5D%7D'", "no public key with a `kid` for RS256"),
    ],
)
def test_own_keys_are_looked_at_when_they_are_loaded(
    tmp_path: Path, provider: str, why: str
) -> None:
    """Not when the first token comes."""
    text = f"from headwater import CustomJwt\nproviders = [CustomJwt('me', {provider})]\n"
    with pytest.raises(RegistrationError, match=why):
        load_config(tmp_path, text)


def test_a_wrong_argument_is_named(tmp_path: Path) -> None:
    """With its line, as any mistake at import is."""
    text = "from headwater import Oidc\nproviders = [Oidc(domain='x', app='y')]\n"
    with pytest.raises(BackendLoadError, match=r"auth_config.py:2: TypeError: .*'app'"):
        load_config(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("https://a.example/", "https://a.example"),
        ("a.example", "https://a.example"),
        ("http://127.0.0.1:1//", "http://127.0.0.1:1"),
    ],
)
def test_issuers_are_compared_in_one_form(text: str, plain: str) -> None:
    """With a scheme, without closing slashes."""
    assert plain_issuer(text) == plain


def test_a_data_url_may_be_plain_or_base64() -> None:
    """As browsers take them."""
    assert data_url("data:,%7B%22a%22:1%7D") == {"a": 1}
    assert data_url("data:application/json;base64,eyJhIjoxfQ==") == {"a": 1}
