"""Keys for programs that call the HTTP routes. A key is shown once; its SHA-256 is what is kept."""

import hashlib
import secrets
from typing import Annotated

from headwater import (
    ActionCtx,
    AppError,
    Id,
    Model,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    mutation,
    query,
)
from pydantic import Field

from backend.access import not_found, signed_in, viewer
from backend.rate_limits import take_token
from backend.schema import ApiKey, User

PREFIX = "hw_"
SECRET_BYTES = 32
BURST = 60
REFILL_MS = 1_000
KeyName = Annotated[str, Field(min_length=1, max_length=100)]


class NewKey(Model):
    """A key that was just made, and its id."""

    id: Id[ApiKey]
    key: str


class KeyInfo(Model):
    """What is shown of a key."""

    id: Id[ApiKey]
    name: str
    last_four: str
    uses: int
    last_used_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None


def hash_of(key: str) -> str:
    """What is stored of a key. It has 256 random bits, so a plain hash tells nobody anything;
    for a password it would not be enough.
    """
    return hashlib.sha256(key[:12].encode()).hexdigest()


@action
async def create_api_key(ctx: ActionCtx, name: KeyName, expires_at: float | None = None) -> NewKey:
    """Make a key for the signed-in person; nobody can ever show it again.

    An action, because `ctx.random` of a mutation is repeatable, and secrets must not be.
    """
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key_id = await ctx.run_mutation(
        save_api_key,
        name=name,
        key_hash=hash_of(key),
        last_four=key[-4:],
        expires_at=expires_at,
    )
    return NewKey(id=key_id, key=key)


@query
async def get_api_keys(ctx: QueryCtx) -> list[KeyInfo]:
    """The signed-in person's keys, newest first; none for a visitor who has not signed in."""
    user = await viewer(ctx)
    if user is None:
        return []
    keys = ctx.db.query(ApiKey).with_index("by_user", user_id=user.id).order("desc")
    return [info_of(key) for key in await keys.take(100)]


@mutation
async def revoke_api_key(ctx: MutationCtx, key_id: Id[ApiKey]) -> None:
    """End one's own key: from now on it opens nothing."""
    user = await signed_in(ctx)
    key = await ctx.db.get(key_id)
    if key is None or key.user_id != user.id:
        raise not_found()
    if key.revoked_at is None:
        await ctx.db.patch(key_id, revoked_at=ctx.now)


@internal_mutation
async def save_api_key(
    ctx: MutationCtx,
    name: KeyName,
    key_hash: str,
    last_four: str,
    expires_at: float | None = None,
) -> Id[ApiKey]:
    """Store a fresh key of the signed-in person, by its hash."""
    user = await signed_in(ctx)
    return await ctx.db.insert(
        ApiKey(
            user_id=user.id,
            name=name,
            key_hash=key_hash,
            last_four=last_four,
            expires_at=expires_at,
        )
    )


async def use_key(ctx: MutationCtx, key_hash: str) -> User:
    """Whose key it is, if it opens something; lets 60 calls at once, then one a second.

    The key is found by its hash: how long that takes tells something of the hash at most, and from
    a hash nobody comes to the key.
    """
    key = await ctx.db.query(ApiKey).with_index("by_key_hash", key_hash=key_hash).unique()
    user = await ctx.db.get(key.user_id) if key and opens(key, ctx.now) else None
    if key is None or user is None:
        raise AppError({"code": "UNAUTHENTICATED", "message": "This key opens nothing."})
    await take_token(ctx, f"api:{key.id}", burst=BURST, refill_ms=REFILL_MS)
    await ctx.db.patch(key.id, uses=key.uses + 1, last_used_at=ctx.now)
    return user


def opens(key: ApiKey, now: float) -> bool:
    """Whether a key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def info_of(key: ApiKey) -> KeyInfo:
    """A key without its hash."""
    return KeyInfo(
        id=key.id,
        name=key.name,
        last_four=key.last_four,
        uses=key.uses,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
