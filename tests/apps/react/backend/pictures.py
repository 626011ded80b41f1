"""Pictures: uploaded, shown, removed."""

from headwater import (
    Document,
    FileMetadata,
    Id,
    Index,
    Model,
    MutationCtx,
    QueryCtx,
    StoredFile,
    mutation,
    query,
)


class Picture(Document, table="pictures"):
    """A stored file with its caption, in an album."""

    album: str
    caption: str
    file: Id[StoredFile]
    by_album = Index("album")


class Shown(Model):
    """A picture as a page shows it."""

    picture: Picture
    url: str | None
    about: FileMetadata | None


@mutation
async def upload_url(ctx: MutationCtx) -> str:
    """Where the page sends the file."""
    return await ctx.storage.generate_upload_url()


@mutation
async def keep(ctx: MutationCtx, album: str, caption: str, file: Id[StoredFile]) -> Id[Picture]:
    """The picture whose file has been uploaded."""
    return await ctx.db.insert(Picture(album=album, caption=caption, file=file))


@query(name="list")
async def list_pictures(ctx: QueryCtx, album: str) -> list[Shown]:
    """The pictures of an album with the addresses of their files."""
    pictures = ctx.db.query(Picture).with_index("by_album", album=album)
    return [
        Shown(
            picture=picture,
            url=await ctx.storage.get_url(picture.file),
            about=await ctx.storage.get_metadata(picture.file),
        )
        async for picture in pictures
    ]


@mutation
async def remove(ctx: MutationCtx, id: Id[Picture]) -> None:
    """The picture and its file."""
    picture = await ctx.db.get(id)
    assert picture is not None
    await ctx.storage.delete(picture.file)
    await ctx.db.delete(id)
