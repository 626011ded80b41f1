"""Auth providers: who may vouch for a caller, as `backend/auth_config.py` says."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any, Final, Literal
from urllib.parse import unquote_to_bytes, urlsplit

import orjson

from headwater.errors import RegistrationError
from headwater.settings import DEV_ISSUER

Algorithm = Literal["RS256", "ES256", "EdDSA"]

CONFIG: Final = "auth_config"
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
_OIDC_ALGORITHMS: Final = ("RS256", "EdDSA")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_FILE: Final = f"backend/{CONFIG}.py"
_EXAMPLE: Final = 'providers = [Oidc(domain="https://auth.example.com", application_id="my-app")]'


@dataclass(frozen=True)
class Oidc:
    """An OpenID Connect provider: its keys are found by discovery; it signs by RS256 or EdDSA.

    Args:
        domain: the issuer of its tokens, such as `https://my-app.eu.auth0.com`.
        application_id: the audience its tokens must name: your application's id there.
    """

    domain: str
    application_id: str

    def __str__(self) -> str:
        return f"OIDC(domain={self.domain}, app_id={self.application_id})"


@dataclass(frozen=True)
class CustomJwt:
    """An issuer of signed JSON Web Tokens, known by `jwks` or by `key`.

    Args:
        issuer: the issuer its tokens name.
        jwks: its public keys: the https address of the set, or the set itself as a `data:` URL.
        key: its one public key in PEM form; its tokens then need no `kid`.
        algorithm: the one algorithm it signs by.
        application_id: the audience its tokens must name; None takes tokens for any audience.
    """

    issuer: str
    jwks: str | None = field(default=None, kw_only=True)
    key: str | None = field(default=None, kw_only=True)
    algorithm: Algorithm = field(default="RS256", kw_only=True)
    application_id: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return f"CustomJWT(issuer={self.issuer}, app_id={self.application_id or 'none'})"


Provider = Oidc | CustomJwt


def issuer_of(provider: Provider) -> str:
    """The issuer of a provider's tokens, in the form issuers are compared in."""
    return plain_issuer(provider.domain if isinstance(provider, Oidc) else provider.issuer)


def plain_issuer(text: str) -> str:
    """An issuer with its scheme and without closing slashes: some say one form, sign the other."""
    return (text if "://" in text else f"https://{text}").rstrip("/")


def algorithms_of(provider: Provider) -> tuple[str, ...]:
    """The algorithms a provider's tokens may be signed by, whatever they say themselves."""
    return _OIDC_ALGORITHMS if isinstance(provider, Oidc) else (provider.algorithm,)


def takes(provider: Provider, audiences: Iterable[str]) -> bool:
    """Whether tokens of the provider are for this deployment when they name these audiences."""
    return provider.application_id is None or provider.application_id in audiences


def is_trusted_address(url: str) -> bool:
    """Whether keys fetched from an address are the ones meant: over https, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def data_url(url: str) -> Any:
    """The JSON in a `data:` URL.

    Raises:
        ValueError: it holds none.
    """
    head, comma, body = url.partition(",")
    if not comma:
        raise ValueError("a data: URL has a comma before its data")
    content = unquote_to_bytes(body)
    if head.endswith(";base64"):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise ValueError(f"its data is not base64: {error}") from None
    return orjson.loads(content)


# reading auth_config.py


def read_providers(modules: Iterable[ModuleType], package: str) -> tuple[Provider, ...]:
    """The providers that a backend's `auth_config.py` lists; none without such a file.

    Raises:
        RegistrationError: it lists none, or one that could never vouch for anybody.
    """
    for module in modules:
        if module.__name__ == f"{package}.{CONFIG}":
            return checked(getattr(module, "providers", None))
    return ()


def checked(listed: Any) -> tuple[Provider, ...]:
    """A list of providers, each of which can work.

    Raises:
        RegistrationError: says which one cannot, and how to write it.
    """
    if not isinstance(listed, list | tuple):
        raise RegistrationError(f"{_FILE} must define a list `providers`, such as\n  {_EXAMPLE}")
    for number, provider in enumerate(listed):
        wrong = _wrong(provider) or _hidden(provider, listed[:number])
        if wrong:
            raise RegistrationError(f"{_FILE}: providers[{number}]: {wrong}")
    return tuple(listed)


def _wrong(provider: Any) -> str | None:
    if not isinstance(provider, Oidc | CustomJwt):
        return f"expected Oidc(...) or CustomJwt(...), not {type(provider).__name__}:\n  {_EXAMPLE}"
    if isinstance(provider, Oidc):
        return _wrong_address("domain", provider.domain) or _wrong_text(
            "application_id", provider.application_id
        )
    return _wrong_custom(provider)


def _wrong_custom(provider: CustomJwt) -> str | None:
    wrong = _wrong_text("issuer", provider.issuer)
    if wrong is None and provider.application_id is not None:
        wrong = _wrong_text("application_id", provider.application_id)
    if wrong is not None:
        return wrong
    if plain_issuer(provider.issuer) == DEV_ISSUER:
        return f"{DEV_ISSUER} is the issuer of development tokens; nobody else can be"
    if provider.algorithm not in ALGORITHMS:
        return f"algorithm must be {', '.join(ALGORITHMS)}, not {provider.algorithm!r}"
    if (provider.jwks is None) == (provider.key is None):
        return "give either jwks= (an https address or a data: URL) or key= (a public key as PEM)"
    return _wrong_set(provider.jwks) if provider.jwks is not None else _wrong_key(provider.key)


def _wrong_text(name: str, value: Any) -> str | None:
    if isinstance(value, str) and value.strip() == value != "":
        return None
    return f"{name} must be a text without spaces around it, not {value!r}; is a variable unset?"


def _wrong_address(name: str, value: Any) -> str | None:
    wrong = _wrong_text(name, value)
    if wrong is None and plain_issuer(value) == DEV_ISSUER:
        return f"{DEV_ISSUER} is the issuer of development tokens; nobody else can be"
    if wrong is None and not is_trusted_address(plain_issuer(value)):
        return f"{name} must be an https address (http only on this machine), not {value!r}"
    return wrong


def _wrong_set(jwks: Any) -> str | None:
    if not isinstance(jwks, str) or not jwks.startswith("data:"):
        wrong = _wrong_text("jwks", jwks)
        if wrong is None and not is_trusted_address(jwks):
            wrong = (
                f"jwks must be an https address (http only on this machine) or a data: URL, "
                f"not {jwks!r}"
            )
        return wrong
    try:
        found = data_url(jwks)
    except ValueError as error:
        return f"the data: URL of jwks holds no JSON: {error}"
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list) or not found["keys"]:
        return 'the data: URL of jwks must hold {"keys": [...]} with at least one key'
    return None


def _wrong_key(key: Any) -> str | None:
    if isinstance(key, str) and "PRIVATE KEY-----" in key:
        return "key is a private key; it belongs to the issuer alone. Give its public key"
    if isinstance(key, str) and key.strip().startswith("-----BEGIN "):
        return None
    return "key must be a public key in PEM form: -----BEGIN PUBLIC KEY----- ..."


def _hidden(provider: Provider, before: Sequence[Provider]) -> str | None:
    for number, other in enumerate(before):
        if issuer_of(other) == issuer_of(provider) and other.application_id in (
            None,
            provider.application_id,
        ):
            return f"never asked, for providers[{number}] takes the same tokens. Remove one"
    return None


# as plain data


def provider_json(provider: Provider) -> dict[str, Any]:
    """A provider as plain data."""
    given = {name: value for name, value in asdict(provider).items() if value is not None}
    return {"type": "oidc" if isinstance(provider, Oidc) else "customJwt", **given}


def read_provider(data: Mapping[str, Any]) -> Provider:
    """The provider `provider_json` made this from.

    Raises:
        KeyError, TypeError, ValueError: the data is no provider.
    """
    made = {"oidc": Oidc, "customJwt": CustomJwt}[data["type"]]
    provider: Provider = made(**{name: value for name, value in data.items() if name != "type"})
    wrong = _wrong(provider)
    if wrong:
        raise ValueError(wrong)
    return provider
