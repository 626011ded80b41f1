"""Development identities: the local issuer that signs a token for anybody who asks."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final

import jwt

from headwater.auth.tokens import Said, check_claims
from headwater.clock import Clock
from headwater.errors import InvalidToken
from headwater.settings import DEV_ISSUER

DEFAULT_TOKEN_S: Final = 7 * 24 * 3600
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "headwater-dev"


class DevIssuer:
    """Makes and proves tokens of one project, with a secret of its own.

    Args:
        state: the project's `.headwater/` folder, where the secret is kept.
        clock: for the expiry of tokens.
    """

    def __init__(self, state: Path, clock: Clock) -> None:
        self._clock = clock
        self._secret = kept_secret(state / "dev_issuer_key")

    def token(self, subject: str, lifetime_s: float = DEFAULT_TOKEN_S, **claims: Any) -> str:
        """A token for a person.

        Args:
            subject: who.
            lifetime_s: seconds until it expires.
            claims: further claims, such as name and email.
        """
        now = self._clock.now_ns() // 1_000_000_000
        standard = {"iss": DEV_ISSUER, "aud": _AUDIENCE, "sub": subject, "iat": now}
        payload = {**claims, **standard, "exp": int(now + lifetime_s)}
        return jwt.encode(payload, self._secret, algorithm=_ALGORITHM)

    def claims(self, said: Said) -> dict[str, Any]:
        """The claims of a token, proven.

        Raises:
            InvalidToken: it is not one that this made, or it has expired.
        """
        options: Any = dict.fromkeys(
            ("verify_exp", "verify_nbf", "verify_iat", "verify_sub"), False
        )
        try:
            claims: dict[str, Any] = jwt.decode(
                said.text,
                self._secret,
                [_ALGORITHM],
                options,
                audience=_AUDIENCE,
                issuer=DEV_ISSUER,
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken(f"Could not verify the token: {error}. Sign in again.") from None
        check_claims(claims, self._clock.now_ns() / 1e9)
        return claims


def kept_secret(file: Path) -> str:
    """The secret in a file; made, and readable by its owner only, when it is missing."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(32)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(secret + "\n")
    return secret
