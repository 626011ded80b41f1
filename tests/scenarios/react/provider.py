"""A provider people sign in at, whose tokens live as long as a test wants."""

from __future__ import annotations

import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://auth.example.org"
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
AUTH_CONFIG = f"""
from headwater import CustomJwt

providers = [CustomJwt({ISSUER!r}, key={PEM!r}, algorithm="ES256")]
"""


class Provider:
    """A provider people sign in at: gives tokens of the lifetimes it was told, in turn."""

    def __init__(self, *lifetimes_s: float) -> None:
        self._lifetimes_s = list(lifetimes_s)
        self.asked: list[bool] = []

    def next_token(self, forced: bool) -> str:
        """A token for ana; the last lifetime is that of all further ones."""
        self.asked.append(forced)
        first, *rest = self._lifetimes_s
        self._lifetimes_s = rest or [first]
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "ana", "iat": now, "exp": now + first}
        return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "one"})
