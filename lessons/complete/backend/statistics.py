"""What happened each day: counters during the day, a document per day from the night on."""

from headwater import MutationCtx, QueryCtx, internal_mutation, internal_query

from backend.counters import day_of
from backend.schema import Counter, DailyStatistic

BATCH = 100


@internal_mutation
async def record_day(ctx: MutationCtx) -> None:
    """Turn the counters of the days that are over into their statistics; no table is counted.

    Every night takes all that is left, so that days on which no server ran at night are not lost.
    """
    counters = ctx.db.query(Counter)
    over = counters.with_index("by_key", key__gte="day:", key__lt=f"day:{day_of(ctx.now)}")
    found = await over.take(BATCH)
    for counter in found:
        _, day, what = counter.key.split(":")
        statistic = await _of_day(ctx, day)
        await ctx.db.patch(statistic.id, **{what: counter.value})
        await ctx.db.delete(counter.id)
    if len(found) == BATCH:
        await ctx.scheduler.run_after(0, record_day)


@internal_query
async def get_days(ctx: QueryCtx, limit: int) -> list[DailyStatistic]:
    """The last recorded days, newest first: what a report is made of."""
    days = ctx.db.query(DailyStatistic).with_index("by_day", day__gte="").order("desc")
    return await days.take(limit)


async def _of_day(ctx: MutationCtx, day: str) -> DailyStatistic:
    statistics = ctx.db.query(DailyStatistic)
    found = await statistics.with_index("by_day", day=day).unique()
    if found is not None:
        return found
    await ctx.db.insert(DailyStatistic(day=day))
    return await _of_day(ctx, day)
