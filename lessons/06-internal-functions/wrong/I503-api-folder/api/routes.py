"""Routes of the clean-up, for whoever runs the server."""

from fastapi import APIRouter

from backend.cleanup import clean_up

router = APIRouter(prefix="/api")


@router.post("/clean-up")
async def post_clean_up(ctx: object) -> dict[str, bool]:
    """Clean up now."""
    await clean_up(ctx)
    return {"done": True}
