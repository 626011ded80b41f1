"""Who a request comes from: a person with a token, or whoever holds the admin key."""

from headwater.auth.callers import NOBODY, Auth, Caller
from headwater.auth.dev import DEFAULT_TOKEN_S
from headwater.auth.tokens import EXPIRED

__all__ = ["DEFAULT_TOKEN_S", "EXPIRED", "NOBODY", "Auth", "Caller"]
