"""Images in messages: uploaded by the page, taken on by a mutation that looks at them first."""

from headwater import FileMetadata, Id, Model, MutationCtx, QueryCtx, StoredFile, mutation, query

from backend.access import forbidden, invalid, not_found, signed_in
from backend.rate_limits import take_token
from backend.rooms import enter
from backend.schema import Message, Project

MOST_BYTES = 10 * 1024 * 1024
TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # no SVG: it may hold scripts
BURST = 20
REFILL_MS = 30_000


class Image(Model):
    """The image of a message, as the server knows it."""

    url: str
    size: int
    content_type: str
    sha256: str


@mutation
async def generate_image_url(ctx: MutationCtx) -> str:
    """Where the signed-in person's page may send one image, for an hour.

    It is permission to store a file, so it has a limit: 20 at once, then one every 30 seconds.
    """
    user = await signed_in(ctx)
    await take_token(ctx, f"images:{user.id}", burst=BURST, refill_ms=REFILL_MS)
    return await ctx.storage.generate_upload_url()


@mutation
async def attach_image(ctx: MutationCtx, message_id: Id[Message], image_id: Id[StoredFile]) -> None:
    """Put an uploaded image into one's own message, in place of the one before.

    The file is judged by what the server noted at its upload, not by what the page says. One that
    is shown somewhere already is refused: it would go with the first message that is deleted.
    """
    message = await _message(ctx, message_id)
    if message.author_id != (await signed_in(ctx)).id:
        raise forbidden("This message is somebody else's.")
    if message.image_id == image_id:
        return
    file = await ctx.db.system.get(image_id)
    if file is None or await is_shown(ctx, file):
        raise invalid("There is no such file. Upload it again.")
    _check(file)
    await remove_image(ctx, message)
    await ctx.db.patch(message_id, image_id=image_id)


@query
async def get_image(ctx: QueryCtx, message_id: Id[Message]) -> Image | None:
    """The image of a message, for those who may be in its room; null where it has none."""
    message = await _message(ctx, message_id)
    file = await _file(ctx, message)
    url = await ctx.storage.get_url(message.image_id) if message.image_id else None
    if file is None or url is None:
        return None
    kind = file.content_type or ""
    return Image(url=url, size=file.size, content_type=kind, sha256=file.sha256)


async def remove_image(ctx: MutationCtx, message: Message) -> None:
    """Delete the file of a message, if it has one: with the message, or before another."""
    if message.image_id is not None and await _file(ctx, message) is not None:
        await ctx.storage.delete(message.image_id)


async def is_shown(ctx: QueryCtx, file: StoredFile) -> bool:
    """Whether a message or a project has this file; if none has, nobody would miss it."""
    messages = ctx.db.query(Message).with_index("by_image_id", image_id=file.id)
    projects = ctx.db.query(Project).with_index("by_logo_id", logo_id=file.storage_id)
    return await messages.first() is not None or await projects.first() is not None


async def _message(ctx: QueryCtx, message_id: Id[Message]) -> Message:
    await ctx.auth.require_identity()
    message = await ctx.db.get(message_id)
    if message is None:
        raise not_found()
    await enter(ctx, message.room_id)
    return message


async def _file(ctx: QueryCtx, message: Message) -> FileMetadata | None:
    return await ctx.storage.get_metadata(message.image_id) if message.image_id else None


def _check(file: StoredFile) -> None:
    if file.content_type not in TYPES:
        raise invalid("An image is a PNG, JPEG, WebP or GIF file.")
    if file.size > MOST_BYTES:
        raise invalid(f"An image has {MOST_BYTES >> 20} MB at most, this has {file.size >> 20}.")
