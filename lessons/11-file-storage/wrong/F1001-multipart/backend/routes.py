"""HTTP for the page: it sends a form with an image."""

from fastapi import APIRouter, Request
from headwater import HttpCtx

router = APIRouter()


@router.post("/images")
async def post_image(ctx: HttpCtx, request: Request) -> dict[str, str]:
    """Store the image of a form."""
    form = await request.form()
    file = form["image"]
    if isinstance(file, str):
        return {"error": "no file"}
    storage_id = await ctx.storage.store(await file.read(), content_type=file.content_type)
    return {"storageId": storage_id}
