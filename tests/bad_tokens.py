"""The table of bad tokens: what each is, and the sentence it is refused with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from tests.local_issuer import APPLICATION, Issuer, make_key, public_pem, sign

NO_TOKEN = "Could not parse JWT payload. Check that the token is a valid JWT format"
ALGORITHM = "Could not decode token. It is signed by {!r}, tokens of"
SIGNATURE = "Check that the token signature is valid. Its signature is not by the key"
KID = "Could not decode token. The JWT's 'kid' (key ID) header is {!r}, which no key of"
TIME = "Could not validate token: "
OTHER_KEY = make_key("RS256")

Make = Callable[[Issuer], str]


def changed(**claims: Any) -> Make:
    """A genuine token, but for some claims."""
    return lambda issuer: issuer.token(**claims)


def headed(private: Any = None, algorithm: str = "RS256", **headers: Any) -> Make:
    """A token with the right claims, signed otherwise or with other headers."""

    def make(issuer: Issuer) -> str:
        key = issuer.private if private is None else private
        return sign(key, issuer.claims(), algorithm, **{"kid": issuer.kid} | headers)

    return make


def confused(issuer: Issuer) -> str:
    """HS256 with the public key as the secret, put together by hand: libraries refuse to."""
    parts = ({"alg": "HS256", "typ": "JWT", "kid": issuer.kid}, issuer.claims())
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    secret = public_pem(issuer.private).encode()
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


def tampered(issuer: Issuer) -> str:
    """Another subject under the signature of a genuine token."""
    head, _, signature = issuer.token().split(".")
    return f"{head}.{encoded(json.dumps(issuer.claims('eve')).encode())}.{signature}"


def encoded(part: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def by_hand(header: str, claims: str = "{}") -> Make:
    """A token of parts that no library would write."""
    text = f"{encoded(header.encode())}.{encoded(claims.encode())}.AAAA"
    return lambda _: text


def nameless(issuer: Issuer) -> str:
    """A token that does not say what it is signed by."""
    return by_hand("{}", json.dumps(issuer.claims()))(issuer)


AHEAD_S = 4_000_000_000

# name, how it is made, part of the sentence it is refused with
BAD_TOKENS: list[tuple[str, Make, str]] = [
    ("expired", changed(lifetime_s=-1), "The token has expired."),
    ("no expiry", changed(exp=None), TIME + "it has no expiry ('exp')"),
    ("expiry in words", changed(exp="soon"), TIME + "'exp' is no number"),
    ("expiry is true", changed(exp=True), TIME + "'exp' is no number"),
    ("expiry is NaN", changed(exp=float("nan")), TIME + "'exp' is no number"),
    ("not yet valid", changed(nbf=AHEAD_S), TIME + "it is not valid yet"),
    ("of tomorrow", changed(iat=AHEAD_S), TIME + "it was issued in the future"),
    ("no subject", changed(sub=None), TIME + "it has no subject ('sub')"),
    ("empty subject", changed(subject=""), TIME + "it has no subject ('sub')"),
    ("subject is 5", changed(sub=5), TIME + "it has no subject ('sub')"),
    ("unsigned", headed("", "none"), ALGORITHM.format("none")),
    ("key confusion", confused, ALGORITHM.format("HS256")),
    ("another algorithm", headed(algorithm="RS512"), ALGORITHM.format("RS512")),
    ("padding of PSS", headed(algorithm="PS256"), ALGORITHM.format("PS256")),
    ("no algorithm", nameless, ALGORITHM.format("None")),
    ("another key", headed(OTHER_KEY), SIGNATURE),
    ("tampered with", tampered, SIGNATURE),
    ("its key in the header", headed(OTHER_KEY, jwk={"kty": "RSA"}), SIGNATURE),
    ("its keys elsewhere", headed(OTHER_KEY, jku="http://x/", x5u="http://x/"), SIGNATURE),
    ("unknown kid", headed(kid="other"), KID.format("other")),
    ("kid is a path", headed(kid="../../etc/passwd"), KID.format("../../etc/passwd")),
    ("kid of NUL", headed(kid="key-1\0"), KID.format("key-1\0")),
    ("kid of 9 KB", headed(kid="k" * 9_000), "..."),
    ("no kid", headed(kid=None), "JWT is missing a 'kid' (key ID) header"),
    ("another issuer", changed(iss="https://x.example"), "its issuer 'https://x"),
    ("no issuer", changed(iss=None), "Missing issuer claim ('iss')"),
    ("another audience", changed(aud="x"), "its audience 'x' is not"),
    ("other audiences", changed(aud=["x", 5]), "its audience 'x' is not"),
    ("no audience", changed(aud=None), "its audience None is not"),
    ("garbage", lambda _: "not.a.token", NO_TOKEN),
    ("one word", lambda _: "secret", NO_TOKEN),
    ("nested for ever", by_hand('{"alg":"RS256","x":' + "[" * 9_000), NO_TOKEN),
    ("header is no object", by_hand("[]"), NO_TOKEN),
    ("claims are no object", by_hand('{"alg":"RS256"}', "7"), NO_TOKEN),
    ("kid is 5", by_hand('{"alg":"RS256","kid":5}'), NO_TOKEN),
    ("huge", lambda issuer: issuer.token(x="x" * 20_000), "the limit is 16384"),
]
NAMES = [row[0] for row in BAD_TOKENS]
KINDS = ("oidc", "customJwt")


def code_of(name: str) -> str:
    """What programs match on."""
    nobodys = ("another issuer", "another audience", "other audiences", "no audience")
    return "NoAuthProvider" if name in nobodys else "InvalidAuthHeader"


def config_of(issuer: Issuer) -> str:
    """An auth_config.py that trusts an issuer, and one of plain tokens that publishes as it."""
    return (
        "from headwater import CustomJwt, Oidc\n"
        f"providers = [Oidc({issuer.url!r}, {APPLICATION!r}),\n"
        f"    CustomJwt('custom', jwks='{issuer.url}/jwks', application_id={APPLICATION!r})]\n"
    )
