"""HTTP routes: the answer of the model, as it comes."""

from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from headwater import HttpCtx, Id

from backend.ai_replies import finish, take_on
from backend.model import stream_answer
from backend.schema import AiMessage
from backend.settings import Settings

router = APIRouter()


@router.post("/ai/stream")
async def stream(ctx: HttpCtx, message_id: Id[AiMessage]) -> StreamingResponse:
    """The answer to a question, word by word, to whoever asks for it."""
    turns = await ctx.run_mutation(take_on, message_id=message_id) or []

    async def words() -> AsyncGenerator[str, None]:
        async for piece in stream_answer(ctx.env(Settings), turns):
            yield piece
        await ctx.run_mutation(finish, message_id=message_id, content="")

    return StreamingResponse(words(), media_type="text/plain")
