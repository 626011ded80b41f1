"""HTTP routes, each for what a test wants to see."""

import asyncio
import time
from collections.abc import AsyncIterator

from backend.counters import increment, read
from backend.people import whoami
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from headwater import Cors, HttpCtx

router = APIRouter()
cors = Cors(allow_origins=["https://shop.example"], allow_credentials=True)


@router.post("/count/{name:path}")
async def count(ctx: HttpCtx, name: str) -> int:
    """Adds one."""
    print("counting", name)
    return await ctx.run_mutation(increment, name=name)


@router.get("/who")
async def who(ctx: HttpCtx) -> str | None:
    """The caller, as a query sees it."""
    return await ctx.run_query(whoami)


@router.get("/asked")
async def asked(ctx: HttpCtx) -> bool:
    """Whether anybody is signed in."""
    return await ctx.auth.get_user_identity() is not None


@router.post("/echo")
async def echo(request: Request) -> StreamingResponse:
    """The body, as it comes."""
    return StreamingResponse(request.stream())


@router.get("/megabytes")
async def megabytes(count: int) -> StreamingResponse:
    """So many of them, in a stream."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 2**20

    return StreamingResponse(stream())


@router.get("/wait/{name:path}")
async def wait(ctx: HttpCtx, name: str) -> None:
    """For ever; counts when it begins and when it is ended."""
    try:
        await ctx.run_mutation(increment, name=name)
        await asyncio.Event().wait()
    finally:
        await asyncio.shield(asyncio.create_task(count(ctx, name)))


@router.get("/block")
async def block(seconds: float) -> None:
    """Holds the whole loop, as it should not."""
    time.sleep(seconds)


@router.get("/broken")
async def broken() -> None:
    """Fails as code with a mistake does."""
    raise ValueError("the cable is out")


@router.get("/read/{name:path}")
async def read_count(ctx: HttpCtx, name: str) -> int:
    """How often it was counted."""
    return await ctx.run_query(read, name=name)


@router.post("/size")
async def size(request: Request) -> int:
    """How large the body is, taken as a whole."""
    return len(await request.body())
