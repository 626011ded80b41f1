"""How an answer of the model gets into the database."""

from headwater import ActionCtx, Id, MutationCtx, QueryCtx, internal_action, internal_mutation

from backend.model import Turn, stream_answer
from backend.schema import AiConversation, AiMessage
from backend.settings import Settings

REMEMBERED = 40


async def newest(ctx: QueryCtx, conversation_id: Id[AiConversation], count: int) -> list[AiMessage]:
    """The last messages of a conversation, oldest first."""
    messages = ctx.db.query(AiMessage)
    said = messages.with_index("by_conversation", conversation_id=conversation_id)
    return (await said.order("desc").take(count))[::-1]


async def begin_answer(ctx: MutationCtx, conversation_id: Id[AiConversation]) -> Id[AiMessage]:
    """An empty answer, which begins to grow once this mutation has committed."""
    answer = AiMessage(
        conversation_id=conversation_id, role="assistant", content="", status="streaming"
    )
    message_id = await ctx.db.insert(answer)
    await ctx.scheduler.run_after(0, reply, message_id=message_id)
    return message_id


@internal_action
async def reply(ctx: ActionCtx, message_id: Id[AiMessage]) -> None:
    """Have the model answer, and write down what it says."""
    turns = await ctx.run_mutation(take_on, message_id=message_id)
    if turns is None:
        return
    text = ""
    async for piece in stream_answer(ctx.env(Settings), turns):
        text += piece
        await ctx.run_mutation(write, message_id=message_id, content=text)
    await ctx.run_mutation(finish, message_id=message_id, content=text)


@internal_mutation
async def take_on(ctx: MutationCtx, message_id: Id[AiMessage]) -> list[Turn] | None:
    """What was said before the answer; None where there is nothing to answer."""
    answer = await ctx.db.get(message_id)
    if answer is None:
        return None
    said = await newest(ctx, answer.conversation_id, REMEMBERED)
    return _turns(said, message_id)


@internal_mutation
async def write(ctx: MutationCtx, message_id: Id[AiMessage], content: str) -> None:
    """Show the answer as far as it has come."""
    await ctx.db.patch(message_id, content=content)


@internal_mutation
async def finish(ctx: MutationCtx, message_id: Id[AiMessage], content: str) -> None:
    """The whole answer."""
    await ctx.db.patch(message_id, content=content, status="done")


def _turns(said: list[AiMessage], answer: Id[AiMessage]) -> list[Turn]:
    """What was said before an answer, from a person's first words on."""
    turns: list[Turn] = []
    for message in said:
        if message.id == answer:
            break
        if message.content and (turns or message.role == "user"):
            turns.append(Turn(role=message.role, content=message.content))
    return turns
