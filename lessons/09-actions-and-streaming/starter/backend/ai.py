"""Talks with a language model, whose answers stream through the database to every open page."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import not_found, signed_in, viewer
from backend.ai_replies import begin_answer, newest
from backend.schema import AiConversation, AiMessage, User


async def own_conversation(
    ctx: QueryCtx, conversation_id: Id[AiConversation], user: User | None
) -> AiConversation:
    """The conversation, if it is this person's."""
    conversation = await ctx.db.get(conversation_id)
    if user is None or conversation is None or conversation.user_id != user.id:
        raise not_found()
    return conversation


@query
async def get_ai_messages(ctx: QueryCtx, conversation_id: Id[AiConversation]) -> list[AiMessage]:
    """The last 100 messages of one's own conversation, oldest first."""
    await ctx.auth.require_identity()
    await own_conversation(ctx, conversation_id, await viewer(ctx))
    return await newest(ctx, conversation_id, 100)


@mutation
async def start_conversation(
    ctx: MutationCtx, title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
) -> Id[AiConversation]:
    """Begin a talk with the model."""
    user = await signed_in(ctx)
    return await ctx.db.insert(AiConversation(user_id=user.id, title=title or "Conversation"))


@mutation
async def ask(
    ctx: MutationCtx,
    conversation_id: Id[AiConversation],
    prompt: Annotated[str, Field(min_length=1, max_length=4000)],
) -> Id[AiMessage]:
    """Ask the model; its answer is there at once, empty, and grows."""
    user = await signed_in(ctx)
    await own_conversation(ctx, conversation_id, user)
    await ctx.db.insert(
        AiMessage(conversation_id=conversation_id, role="user", content=prompt, status="done")
    )
    return await begin_answer(ctx, conversation_id)
