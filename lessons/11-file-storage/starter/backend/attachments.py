"""Images in messages: uploaded by the page, taken on by a mutation that looks at them first."""

from headwater import AppError, Id, Model, MutationCtx, QueryCtx, StoredFile, mutation, query

from backend.schema import Message

MOST_BYTES = 10 * 1024 * 1024
TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # no SVG: it may hold scripts


class Image(Model):
    """The image of a message, as the page knows it."""

    url: str
    size: int
    content_type: str


@mutation
async def generate_image_url(ctx: MutationCtx) -> str:
    """Where the signed-in person's page may send one image, for an hour."""
    await ctx.auth.require_identity()
    return await ctx.storage.generate_upload_url()


@mutation
async def attach_image(
    ctx: MutationCtx,
    message_id: Id[Message],
    image_id: Id[StoredFile],
    size: int,
    content_type: str,
) -> None:
    """Put an uploaded image into a message."""
    await ctx.auth.require_identity()
    check_image(size, content_type)
    await ctx.db.patch(message_id, image_id=image_id, image_size=size, image_type=content_type)


@query
async def get_image(ctx: QueryCtx, message_id: Id[Message]) -> Image | None:
    """The image of a message; null where it has none."""
    message = await ctx.db.get(message_id)
    if message is None or message.image_id is None:
        return None
    url = await ctx.storage.get_url(message.image_id)
    if url is None:
        return None
    return Image(url=url, size=message.image_size or 0, content_type=message.image_type or "")


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
