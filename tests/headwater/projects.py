"""Small projects written to disk by tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

TASKS = """
from headwater import Document, MutationCtx, QueryCtx, mutation, query


class Task(Document, table="tasks"):
    title: str


@mutation
async def add(ctx: MutationCtx, title: str, copies: int = 1) -> int:
    for _ in range(copies):
        await ctx.db.insert(Task(title=title))
    print("added", title)
    return copies


@query
async def titles(ctx: QueryCtx) -> list[str]:
    return [task.title for task in await ctx.db.query(Task).collect()]


@query
async def who(ctx: QueryCtx) -> str:
    return (await ctx.auth.require_identity()).subject
"""


def write_project(root: Path, **files: str) -> Path:
    """A project whose backend has these modules; `a__b` is `a/b.py`."""
    for name, text in files.items():
        file = root / "backend" / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
    return root


FILES = """
from headwater import (
    ActionCtx, Document, FileMetadata, Id, Index, MutationCtx, QueryCtx, StoredFile,
    action, mutation, query,
)


class Picture(Document, table="pictures"):
    file: Id[StoredFile]
    other: Id["_storage"] | None = None
    by_file = Index("file")


@mutation
async def upload_url(ctx: MutationCtx) -> str:
    return await ctx.storage.generate_upload_url()


@mutation
async def keep(ctx: MutationCtx, file: Id["_storage"]) -> Id[Picture]:
    return await ctx.db.insert(Picture(file=file))


@query
async def urls(ctx: QueryCtx) -> list[str | None]:
    pictures = await ctx.db.query(Picture).collect()
    return [await ctx.storage.get_url(picture.file) for picture in pictures]


@query
async def url(ctx: QueryCtx, file: str) -> str | None:
    return await ctx.storage.get_url(file)


@query
async def metadata(ctx: QueryCtx, file: str) -> FileMetadata | None:
    return await ctx.storage.get_metadata(file)


@query
async def row(ctx: QueryCtx, file: Id[StoredFile]) -> StoredFile | None:
    return await ctx.db.system.get(file)


@query
async def count(ctx: QueryCtx) -> int:
    return len(await ctx.db.system.query(StoredFile).collect())


@mutation
async def drop(ctx: MutationCtx, file: str) -> None:
    await ctx.storage.delete(file)


@mutation
async def drop_and_fail(ctx: MutationCtx, file: str) -> None:
    await ctx.storage.delete(file)
    raise ValueError("after all")


@mutation
async def drop_in_part(ctx: MutationCtx, file: str) -> bool:
    try:
        await ctx.run_mutation(drop_and_fail, file=file)
    except Exception:
        pass
    return await ctx.storage.get_url(file) is not None


@action
async def make(
    ctx: ActionCtx, content: bytes, content_type: str | None = None, sha256: str | None = None
) -> Id[StoredFile]:
    return await ctx.storage.store(content, content_type=content_type, sha256=sha256)


@action
async def make_in_pieces(ctx: ActionCtx, pieces: int, fails: bool = False) -> Id[StoredFile]:
    async def content():
        for number in range(pieces):
            yield b"%07d\\n" % number * 2**15
        if fails:
            raise ValueError("the source dried up")

    return await ctx.storage.store(content())


@action
async def read(ctx: ActionCtx, file: str) -> bytes | None:
    blob = await ctx.storage.get(file)
    return None if blob is None else blob.content


@action
async def read_in_pieces(ctx: ActionCtx, file: str) -> list[int]:
    stream = await ctx.storage.stream(file)
    assert stream is not None
    return [stream.size, sum([len(chunk) async for chunk in stream])]


@action
async def all_in_an_action(ctx: ActionCtx, file: str) -> list[str | None]:
    known = await ctx.storage.get_metadata(file)
    assert known is not None
    found = [await ctx.storage.get_url(file), known.content_type]
    assert "token=" in await ctx.storage.generate_upload_url()
    await ctx.storage.delete(file)
    return [*found, await ctx.storage.get_url(file)]
"""
