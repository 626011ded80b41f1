"""What the page fetches every 200 ms."""

from typing import Any

from fastapi import APIRouter
from headwater import HttpCtx

from backend.newest import newest_of

router = APIRouter()


@router.get("/recent/{room_id}")
async def recent(ctx: HttpCtx, room_id: str, since: float = 0.0) -> list[dict[str, Any]]:
    """The messages of a room since a time, as JSON."""
    found = await ctx.run_query(newest_of, room_id=room_id, since=since)
    return [message.model_dump(mode="json") for message in found]
