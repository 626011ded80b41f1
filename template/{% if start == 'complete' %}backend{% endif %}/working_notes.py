"""Working notes: what whoever works here next should know, a person or an assistant.

    headwater run working_notes:recent
    headwater run working_notes:add '{"topic": "search", "text": "Titles only, and why."}'

No client sees them: the functions are internal. Their table stands here, not in `schema.py`, so
that notes stay when a lesson lays that file anew.
"""

from typing import Annotated

from headwater import Document, Id, Index, MutationCtx, QueryCtx, internal_mutation, internal_query
from pydantic import Field

Topic = Annotated[str, Field(min_length=1, max_length=60)]


class WorkingNote(Document, table="working_notes"):
    """One thing that was decided, found out or left open."""

    topic: Topic
    text: Annotated[str, Field(min_length=1, max_length=1000)]
    by_topic = Index("topic")


@internal_mutation
async def add(
    ctx: MutationCtx, topic: Topic, text: Annotated[str, Field(min_length=1, max_length=1000)]
) -> Id[WorkingNote]:
    """Keep a note."""
    return await ctx.db.insert(WorkingNote(topic=topic, text=text))


@internal_query
async def recent(ctx: QueryCtx) -> list[WorkingNote]:
    """The newest notes, newest first."""
    return await ctx.db.query(WorkingNote).order("desc").take(20)


@internal_query
async def about(ctx: QueryCtx, topic: Topic) -> list[WorkingNote]:
    """The notes about one topic, newest first."""
    notes = ctx.db.query(WorkingNote).with_index("by_topic", topic=topic)
    return await notes.order("desc").take(50)


@internal_mutation
async def remove(ctx: MutationCtx, note_id: Id[WorkingNote]) -> None:
    """Take away a note that is no longer true."""
    await ctx.db.delete(note_id)
