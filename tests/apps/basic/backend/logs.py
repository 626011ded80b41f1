"""Functions that print and log."""

import logging

from headwater import MutationCtx, QueryCtx, mutation, query


@mutation
async def speak(ctx: MutationCtx, word: str) -> None:
    """Prints, and logs at each level."""
    print("said", word)
    logging.warning("careful with %s", word)
    logging.error("lost %s", word)


@query
async def speak_query(ctx: QueryCtx, word: str) -> str:
    """A query that prints."""
    print("asked", word)
    return word


@mutation
async def speak_and_fail(ctx: MutationCtx) -> None:
    """What was printed before a failure is kept."""
    print("before the fall")
    raise ValueError("fell")
