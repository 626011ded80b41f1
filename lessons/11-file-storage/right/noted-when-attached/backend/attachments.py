"""Images in messages: uploaded by the page, taken on by a mutation that looks at them first."""

from headwater import AppError, Id, Model, MutationCtx, QueryCtx, StoredFile, mutation, query

from backend.access import forbidden, not_found
from backend.rooms import enter
from backend.schema import Message

MOST_BYTES = 10 * 1024 * 1024
TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # no SVG: it may hold scripts


class Image(Model):
    """The image of a message, as the server knows it."""

    url: str
    size: int
    content_type: str
    sha256: str


@mutation
async def generate_image_url(ctx: MutationCtx) -> str:
    """Where the signed-in person's page may send one image, for an hour."""
    await ctx.auth.require_identity()
    return await ctx.storage.generate_upload_url()


@mutation
async def attach_image(ctx: MutationCtx, message_id: Id[Message], image_id: Id[StoredFile]) -> None:
    """Put an uploaded image into one's own message, in place of the one before.

    The file is judged by what the server noted at its upload, not by what the page says. One that
    is shown somewhere already is refused: it would go with the first message that is deleted.
    """
    identity = await ctx.auth.require_identity()
    message = await readable(ctx, message_id)
    if message.user_id != identity.subject:
        raise forbidden("This message is somebody else's.")
    file = await ctx.db.system.get(image_id)
    if file is None or await is_shown(ctx, file):
        raise not_found()
    check_image(file.size, file.content_type)
    if message.image_id is not None:
        await ctx.storage.delete(message.image_id)
    noted = await ctx.storage.get_metadata(image_id)
    await ctx.db.patch(
        message_id,
        image_id=image_id,
        image_size=file.size,
        image_type=file.content_type,
        image_sha256=noted.sha256 if noted else "",
    )


@query
async def get_image(ctx: QueryCtx, message_id: Id[Message]) -> Image | None:
    """The image of a message, for those who may be in its room; null where it has none."""
    await ctx.auth.require_identity()
    message = await readable(ctx, message_id)
    url = await ctx.storage.get_url(message.image_id) if message.image_id else None
    if url is None:
        return None
    return Image(
        url=url,
        size=message.image_size or 0,
        content_type=message.image_type or "",
        sha256=message.image_sha256 or "",
    )


async def readable(ctx: QueryCtx, message_id: Id[Message]) -> Message:
    """The message, if the caller may be in its room."""
    message = await ctx.db.get(message_id)
    if message is None:
        raise not_found()
    await enter(ctx, message.room_id)
    return message


async def is_shown(ctx: QueryCtx, file: StoredFile) -> bool:
    """Whether a message has this file; if none has, nobody would miss it."""
    messages = ctx.db.query(Message).with_index("by_image_id", image_id=file.id)
    return await messages.first() is not None


def check_image(size: int, content_type: str | None) -> None:
    """An AppError for what is no image, or too large for a message."""
    if content_type not in TYPES:
        raise AppError({"code": "INVALID", "message": "This is no PNG, JPEG, WebP or GIF."})
    if size > MOST_BYTES:
        raise AppError({"code": "INVALID", "message": "An image has 10 MB at most."})
