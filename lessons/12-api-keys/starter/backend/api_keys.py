"""Keys for programs that call the HTTP routes."""

import random
import string
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
from backend.schema import ApiKey, User

PREFIX = "hw_"
LETTERS = string.ascii_letters + string.digits
BURST = 60
REFILL_MS = 1_000
KeyName = Annotated[str, Field(min_length=1, max_length=100)]


class NewKey(Model):
    """A key that was just made, and its id."""

    id: Id[ApiKey]
    key: str


def hash_of(key: str) -> str:
    """What is stored of a key."""
    return key


@action
async def create_api_key(ctx: ActionCtx, name: KeyName, expires_at: float | None = None) -> NewKey:
    """Make a key for the signed-in person."""
    key = PREFIX + "".join(random.choices(LETTERS, k=12))
    print("made the key", key)
    key_id = await ctx.run_mutation(
        save_api_key,
        name=name,
        key_hash=hash_of(key),
        last_four=key[-4:],
        expires_at=expires_at,
    )
    return NewKey(id=key_id, key=key)


@query
async def get_api_keys(ctx: QueryCtx) -> list[ApiKey]:
    """The signed-in person's keys, newest first; none for a visitor who has not signed in."""
    user = await viewer(ctx)
    if user is None:
        return []
    keys = ctx.db.query(ApiKey).with_index("by_user", user_id=user.id).order("desc")
    return await keys.take(100)


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
    """Whose key it is."""
    for key in await ctx.db.query(ApiKey).collect():
        if key.key_hash == key_hash and key.revoked_at is None:
            user = await ctx.db.get(key.user_id)
            if user is not None:
                await ctx.db.patch(key.id, uses=key.uses + 1, last_used_at=ctx.now)
                return user
    raise AppError({"code": "UNAUTHENTICATED", "message": "This key opens nothing."})
