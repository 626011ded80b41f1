"""An auth provider on this machine: discovery, a key set that rotates, and tokens for anybody."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

APPLICATION = "my-app"
ALGORITHMS = get_default_algorithms()


def make_key(algorithm: str, bits: int = 2048) -> Any:
    """A new private key for an algorithm."""
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, bits)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


# Making an RSA key takes a tenth of a second: two serve all tests, the second for rotations.
RSA_KEYS = [make_key("RS256"), make_key("RS256")]


def public_pem(private: Any) -> str:
    """A key's public half, as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = private.public_key().public_bytes(serialization.Encoding.PEM, form)
    return pem.decode()


def public_jwk(private: Any, algorithm: str, kid: str, **changes: Any) -> dict[str, Any]:
    """A key's public half, as a member of a JSON Web Key Set."""
    jwk = ALGORITHMS[algorithm].to_jwk(private.public_key(), as_dict=True)
    made = {**jwk, "kid": kid, "alg": algorithm, "use": "sig"} | changes
    return {name: value for name, value in made.items() if value is not None}


def data_url(*jwks: dict[str, Any]) -> str:
    """A JSON Web Key Set as an address that holds it."""
    text = json.dumps({"keys": jwks}).encode()
    return "data:application/json;base64," + base64.b64encode(text).decode()


def sign(private: Any, claims: dict[str, Any], algorithm: str = "RS256", **headers: Any) -> str:
    """A token; claims and headers that are None are left out."""
    kept = {name: value for name, value in claims.items() if value is not None}
    headers = {name: value for name, value in headers.items() if value is not None}
    with warnings.catch_warnings(action="ignore"):  # of keys that are too short on purpose
        return jwt.encode(kept, private, algorithm=algorithm, headers=headers)


class Issuer:
    """An OpenID Connect provider that does as it is told.

    Attributes:
        url: its address, which is its issuer.
        asked: how often each of its paths was.
        keys: what it publishes.
        down: answers nothing but 503.
        cache_control: what it says of how long its keys are good.
        discovery: further members of its discovery document, or others than its own.
        held: what it answers waits for this.
        token_requests: the queries of /token so far.
    """

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.asked: Counter[str] = Counter()
        self.down = False
        self.cache_control = "max-age=3600"
        self.discovery: dict[str, Any] = {}
        self.held = threading.Event()
        self.held.set()
        self.token_requests: list[dict[str, str]] = []
        self.kid, self.algorithm, self.private = "key-1", "RS256", RSA_KEYS[0]
        self.keys = [public_jwk(self.private, "RS256", self.kid)]
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def rotate(self, kid: str = "key-2", algorithm: str = "RS256") -> None:
        """Publishes another key and signs by that from now on."""
        self.kid, self.algorithm = kid, algorithm
        self.private = RSA_KEYS[1] if algorithm == "RS256" else make_key(algorithm)
        self.keys = [public_jwk(self.private, algorithm, kid)]

    def claims(self, subject: str = "ana", lifetime_s: float = 3600, **changes: Any) -> Any:
        """What a good token says, but for some changes."""
        now = int(time.time())
        # Clients take a fetched token that equals the last one for a sign that there is no newer.
        once = {"jti": str(next(self.numbers))}
        standard = {"iss": self.url, "aud": APPLICATION, "sub": subject, "iat": now, **once}
        return {**standard, "exp": now + lifetime_s} | changes

    def token(self, subject: str = "ana", lifetime_s: float = 3600, **changes: Any) -> str:
        """A token that it signed."""
        claims = self.claims(subject, lifetime_s, **changes)
        return sign(self.private, claims, self.algorithm, kid=self.kid)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answers a request."""
        split = urlsplit(request.path)
        self.asked[split.path] += 1
        self.held.wait(20)
        status, body = (503, {}) if self.down else (200, self.document(split.path, split.query))
        text = json.dumps(body).encode()
        request.send_response(status if body is not None else 404)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.send_header("Cache-Control", self.cache_control)
        request.send_header("Access-Control-Allow-Origin", "*")
        request.end_headers()
        request.wfile.write(text)

    def document(self, path: str, query: str) -> Any:
        """What is at a path; None for nothing."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"} | self.discovery
        if path == "/jwks":
            return {"keys": self.keys}
        if path == "/token":
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            self.token_requests.append(asked)
            return self.next_token(asked)
        return None

    def next_token(self, asked: dict[str, str]) -> str | None:
        """The token a page is given; replaced by tests."""
        return self.token(asked["subject"])


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers while the block lasts."""
    issuer = Issuer()
    serving = threading.Thread(target=issuer.server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    try:
        yield issuer
    finally:
        issuer.held.set()
        issuer.server.shutdown()
        serving.join()
        issuer.server.server_close()
