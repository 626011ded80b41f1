"""A story that is written while others read it."""

import asyncio

from headwater import (
    ActionCtx,
    Document,
    Id,
    Index,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    query,
)

PAUSE_S = 0.03  # as between the words of a language model


class Story(Document, table="stories"):
    """A text that grows."""

    title: str
    text: str = ""
    done: bool = False
    by_title = Index("title")


@query
async def read(ctx: QueryCtx, title: str) -> Story | None:
    """The story as far as it is written."""
    return await ctx.db.query(Story).with_index("by_title", title=title).unique()


@internal_mutation
async def begin(ctx: MutationCtx, title: str) -> Id[Story]:
    """An empty story."""
    return await ctx.db.insert(Story(title=title))


@internal_mutation
async def append(ctx: MutationCtx, id: Id[Story], words: str, done: bool) -> None:
    """Some more words."""
    story = await ctx.db.get(id)
    assert story is not None
    await ctx.db.patch(id, text=story.text + words, done=done)


@action
async def tell(ctx: ActionCtx, title: str, words: list[str], batch: int) -> int:
    """Write a story word by word, some words in one transaction; gives how many transactions."""
    story = await ctx.run_mutation(begin, title=title)
    starts = range(0, len(words), batch)
    for start in starts:
        await asyncio.sleep(PAUSE_S)
        some = "".join(f"{word} " for word in words[start : start + batch])
        await ctx.run_mutation(append, id=story, words=some, done=start + batch >= len(words))
    return len(starts)
