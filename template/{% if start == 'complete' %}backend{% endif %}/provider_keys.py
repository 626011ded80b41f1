"""Keys that people bring for a model provider: kept encrypted, never shown again."""

from typing import Annotated, Literal

from headwater import (
    ActionCtx,
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

from backend.access import invalid, signed_in, viewer
from backend.model import encrypt
from backend.rate_limits import take_token
from backend.schema import ProviderKey, User
from backend.settings import Settings

Provider = Literal["anthropic"]
BURST = 5
REFILL_MS = 60_000


class KeptKey(Model):
    """What is shown of a key."""

    provider: Provider
    last_four: str


@action
async def set_provider_key(
    ctx: ActionCtx, provider: Provider, key: Annotated[str, Field(min_length=20, max_length=500)]
) -> None:
    """Keep the signed-in person's key, in place of the one before.

    An action, because encryption needs true chance. The mutation gets the key encrypted, so that
    it is in no transaction and in no log.
    """
    await ctx.auth.require_identity()
    encrypted = encrypt(ctx.env(Settings), key)
    if encrypted is None:
        raise invalid("This server cannot keep keys: it has no ENCRYPTION_KEY.")
    await ctx.run_mutation(
        save_provider_key, provider=provider, encrypted=encrypted, last_four=key[-4:]
    )


@query
async def get_provider_keys(ctx: QueryCtx) -> list[KeptKey]:
    """For which providers the signed-in person has brought a key."""
    user = await viewer(ctx)
    if user is None:
        return []
    keys = ctx.db.query(ProviderKey).with_index("by_user_provider", user_id=user.id)
    return [KeptKey(provider=k.provider, last_four=k.last_four) for k in await keys.take(10)]


@mutation
async def delete_provider_key(ctx: MutationCtx, provider: Provider) -> None:
    """Forget the signed-in person's key; without one nothing happens."""
    user = await signed_in(ctx)
    kept = await _key_of(ctx, user.id, provider)
    if kept is not None:
        await ctx.db.delete(kept.id)


@internal_mutation
async def save_provider_key(
    ctx: MutationCtx, provider: Provider, encrypted: bytes, last_four: str
) -> None:
    """Store an encrypted key for the signed-in person: 5 at once, then one a minute."""
    user = await signed_in(ctx)
    await take_token(ctx, f"provider_keys:{user.id}", burst=BURST, refill_ms=REFILL_MS)
    kept = await _key_of(ctx, user.id, provider)
    if kept is not None:
        await ctx.db.patch(kept.id, encrypted=encrypted, last_four=last_four)
        return
    fresh = ProviderKey(
        user_id=user.id, provider=provider, encrypted=encrypted, last_four=last_four
    )
    await ctx.db.insert(fresh)


async def encrypted_key_of(ctx: QueryCtx, user_id: Id[User]) -> bytes | None:
    """Somebody's own key for the model, as it is stored."""
    kept = await _key_of(ctx, user_id, "anthropic")
    return kept.encrypted if kept else None


async def _key_of(ctx: QueryCtx, user_id: Id[User], provider: Provider) -> ProviderKey | None:
    keys = ctx.db.query(ProviderKey)
    return await keys.with_index("by_user_provider", user_id=user_id, provider=provider).unique()
