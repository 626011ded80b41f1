"""A project's logo: uploaded by the page, then taken on by a mutation that looks at it first."""

from headwater import FileMetadata, Id, MutationCtx, StoredFile, mutation

from backend.access import invalid, member
from backend.attachments import is_shown
from backend.schema import Project

MOST_BYTES = 512 * 1024
TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # no SVG: it may hold scripts


@mutation
async def generate_logo_url(ctx: MutationCtx, project_id: Id[Project]) -> str:
    """Where the page may send one file, for an hour. For admins."""
    await member(ctx, project_id, "admin")
    return await ctx.storage.generate_upload_url()


@mutation
async def set_logo(ctx: MutationCtx, project_id: Id[Project], storage_id: str) -> None:
    """Make an uploaded file the project's logo, and delete the one before. For admins.

    The file is judged by what the server noted at its upload, not by what the page says. A file
    that is shown somewhere already is refused: whose it is shown to could have it deleted.
    """
    await member(ctx, project_id, "admin")
    project = await ctx.db.get(project_id)
    file = await ctx.storage.get_metadata(storage_id)
    if project is None or file is None:
        raise invalid("There is no such file. Upload it again.")
    if file.storage_id == project.logo_id:
        return
    if await _is_taken(ctx, file):
        raise invalid("There is no such file. Upload it again.")
    _check(file)
    await ctx.db.patch(project_id, logo_id=file.storage_id)
    old = project.logo_id
    if old is not None and await ctx.storage.get_metadata(old) is not None:
        await ctx.storage.delete(old)


async def _is_taken(ctx: MutationCtx, file: FileMetadata) -> bool:
    files = ctx.db.system.query(StoredFile)
    row = await files.with_index("by_storage_id", storage_id=file.storage_id).unique()
    return row is None or await is_shown(ctx, row)


def _check(file: FileMetadata) -> None:
    if file.content_type not in TYPES:
        raise invalid("A logo is a PNG, JPEG, WebP or GIF image.")
    if file.size > MOST_BYTES:
        raise invalid(f"A logo has {MOST_BYTES // 1024} KB at most, this has {file.size // 1024}.")
