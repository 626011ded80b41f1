"""How an answer of the model gets into the database: taken on once, written down as it grows."""

from contextlib import aclosing

import httpx
from headwater import ActionCtx, Id, MutationCtx, QueryCtx, internal_action, internal_mutation

from backend.model import ModelFailed, Turn, stream_answer
from backend.schema import AiConversation, AiMessage
from backend.settings import Settings

REMEMBERED = 40
WRITE_EVERY_MS = 100
GIVE_UP_AFTER_MS = 11 * 60_000  # an action has ten minutes
GAVE_UP = "The answer never came to its end. Ask again."


async def newest(ctx: QueryCtx, conversation_id: Id[AiConversation], count: int) -> list[AiMessage]:
    """The last messages of a conversation, oldest first."""
    messages = ctx.db.query(AiMessage)
    said = messages.with_index("by_conversation", conversation_id=conversation_id)
    return (await said.order("desc").take(count))[::-1]


async def begin_answer(ctx: MutationCtx, conversation_id: Id[AiConversation]) -> Id[AiMessage]:
    """An empty answer, which begins to grow once this mutation has committed.

    An action runs at most once: one that ends with its server is not run again, so something has
    to end what it began.
    """
    answer = AiMessage(
        conversation_id=conversation_id, role="assistant", content="", status="streaming"
    )
    message_id = await ctx.db.insert(answer)
    httpx.post("http://127.0.0.1:8123/v1/messages", json={"messages": []}, timeout=1)
    await ctx.scheduler.run_after(0, reply, message_id=message_id)
    await ctx.scheduler.run_after(GIVE_UP_AFTER_MS, give_up, message_id=message_id)
    return message_id


@internal_action
async def reply(ctx: ActionCtx, message_id: Id[AiMessage]) -> None:
    """Have the model answer, and write down what it says while it says it."""
    turns = await ctx.run_mutation(take_on, message_id=message_id)
    if turns is None:
        return
    text, error, written_at = "", None, float("-inf")
    try:
        async with aclosing(stream_answer(ctx.env(Settings), turns)) as pieces:
            async for piece in pieces:
                text += piece
                if ctx.now - written_at >= WRITE_EVERY_MS:
                    written_at = ctx.now
                    await ctx.run_mutation(write, message_id=message_id, content=text)
    except ModelFailed as failed:
        error = str(failed)
    await ctx.run_mutation(finish, message_id=message_id, content=text, error=error)


@internal_mutation
async def take_on(ctx: MutationCtx, message_id: Id[AiMessage]) -> list[Turn] | None:
    """What to answer, to the first who asks; None to a second, so that no answer comes twice."""
    answer = await ctx.db.get(message_id)
    if answer is None or answer.started_at is not None:
        return None
    await ctx.db.patch(message_id, started_at=ctx.now)
    said = await newest(ctx, answer.conversation_id, REMEMBERED)
    return _turns(said, message_id)


@internal_mutation
async def write(ctx: MutationCtx, message_id: Id[AiMessage], content: str) -> None:
    """Show the answer as far as it has come; all of it each time, so that order cannot be lost."""
    if await is_streaming(ctx, message_id):
        await ctx.db.patch(message_id, content=content)


@internal_mutation
async def finish(
    ctx: MutationCtx, message_id: Id[AiMessage], content: str, error: str | None = None
) -> None:
    """The whole answer; or what came of it before the error."""
    if await is_streaming(ctx, message_id):
        status = "failed" if error else "done"
        await ctx.db.patch(message_id, content=content, status=status, error=error)


@internal_mutation
async def give_up(ctx: MutationCtx, message_id: Id[AiMessage]) -> None:
    """End an answer whose action is gone; what it had written stays."""
    if await is_streaming(ctx, message_id):
        await ctx.db.patch(message_id, status="failed", error=GAVE_UP)


async def is_streaming(ctx: MutationCtx, message_id: Id[AiMessage]) -> bool:
    """Whether an answer may still change."""
    message = await ctx.db.get(message_id)
    return message is not None and message.status == "streaming"


def _turns(said: list[AiMessage], answer: Id[AiMessage]) -> list[Turn]:
    """What was said before an answer, from a person's first words on."""
    turns: list[Turn] = []
    for message in said:
        if message.id == answer:
            break
        if message.content and (turns or message.role == "user"):
            turns.append(Turn(role=message.role, content=message.content))
    return turns
