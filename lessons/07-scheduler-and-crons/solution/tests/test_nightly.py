"""What the night takes away."""

from headwater import MutationCtx
from headwater.testing import Backend

from backend.cleanup import BATCH, DAY_MS, old_rate_limits
from backend.schema import RateLimit

OLD = 2 * BATCH + 1


async def fill(ctx: MutationCtx) -> None:
    """More old buckets than one batch takes, and one that was used within the last day."""
    for number in range(OLD):
        await ctx.db.insert(
            RateLimit(key=f"old {number}", tokens=5.0, refilled_at=ctx.now - 2 * DAY_MS)
        )
    await ctx.db.insert(RateLimit(key="fresh", tokens=4.0, refilled_at=ctx.now))


async def keys(ctx: MutationCtx) -> list[str]:
    """The buckets that are there."""
    return [each.key for each in await ctx.db.query(RateLimit).take(2 * OLD)]


def test_old_buckets_go_in_batches(backend: Backend) -> None:
    """One transaction deletes one batch; the rest follows by itself, and the fresh one stays."""
    backend.run(fill)
    backend.mutation(old_rate_limits)
    assert len(backend.run(keys)) == OLD + 1 - BATCH
    backend.advance()
    assert backend.run(keys) == ["fresh"]


def test_the_night_starts_it(backend: Backend) -> None:
    """Within two days every bucket of now is old, and gone."""
    backend.run(fill)
    backend.advance(days=2)
    assert backend.run(keys) == []
