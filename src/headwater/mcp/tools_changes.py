"""The tool that waits: it comes back when a query's result has changed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any

import anyio
import orjson
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from headwater.errors import HeadwaterError
from headwater.follow import Followed, follow
from headwater.mcp.fitting import fitted
from headwater.mcp.toolbox import Toolbox
from headwater.mcp.tools_functions import Identity
from headwater.spelling import wire_arguments, wire_path

_TELL_S = 15.0
"""How often whoever waits is told that it still goes on; clients give up what is silent."""

_WAIT_S = 20
_AGAIN_S = 1.0  # until a server that is being started anew is asked again


class ChangeTools:
    """wait_for_change."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._link = toolbox.link
        toolbox.add(self.wait_for_change)

    async def wait_for_change(
        self,
        ctx: Context[Any, Any],
        query: Annotated[
            str | None, Field(description="tasks:get_tasks or tasks:getTasks.")
        ] = None,
        args: Annotated[dict[str, Any] | None, Field(description="Its arguments.")] = None,
        table: Annotated[
            str | None, Field(description="Instead of a query: any write to this table.")
        ] = None,
        as_identity: Identity = None,
        mark: Annotated[
            str | None,
            Field(description="Of the answer before: what changed since then counts as well."),
        ] = None,
        timeout_s: Annotated[float, Field(gt=0, le=1500)] = 120,
    ) -> dict[str, Any]:
        """Wait until the result of a query changes, whoever changes it, and give the new one.

        It subscribes, so nothing is asked again and again. `changed` is false when nothing happened
        until timeout_s; give the answer's `mark` to the next call, and nothing in between is lost.
        With `table` it waits for any write to that table; read the documents afterwards.
        """
        if (query is None) == (table is None):
            raise ToolError("say either `query`, a function such as tasks:list, or `table`")
        newest: dict[str, Any] = {}
        if query is not None:
            path, arguments = wire_path(query), wire_arguments(args or {})
            waiting = _wait(self._link.followed(path, arguments, as_identity), mark, newest)
        else:
            await self._link.ask("POST", "/api/v1/read", body={"table": table, "take": 1})
            waiting = self._wait_for_write(str(table), mark, newest)
        with anyio.move_on_after(timeout_s):
            async with _telling(ctx, timeout_s):
                newest["changed"] = await waiting
        if "problem" in newest:
            raise ToolError(newest["problem"])
        if "mark" not in newest:
            raise ToolError(f"the server did not answer within {timeout_s:g} s")
        if "value" in newest:
            newest["value"], added = fitted(newest["value"])
            newest |= added
        return {"changed": False} | newest

    async def _wait_for_write(self, table: str, mark: str | None, newest: dict[str, Any]) -> bool:
        """Takes in news of the server until the table is among them; outlives its restarts."""
        epoch, _, cursor = (mark or "").partition(":")
        place: dict[str, Any] = {"epoch": epoch, "cursor": cursor} if cursor.isdigit() else {}
        while True:
            try:
                news = await self._link.ask("GET", "/api/v1/changes", query=place)
            except ToolError:
                await anyio.sleep(_AGAIN_S)
                continue
            newest |= {"table": table, "mark": f"{news['epoch']}:{news['cursor']}"}
            if table in news["tables"]:
                return True
            place = {"epoch": news["epoch"], "cursor": news["cursor"], "wait": _WAIT_S}


async def _wait(followed: Followed, mark: str | None, newest: dict[str, Any]) -> bool:
    """Takes in results until one is another than that of the mark, or than the first."""
    try:
        async with aclosing(follow(followed)) as results:
            async for result in results:
                now = _mark(result.value)
                newest |= {"value": result.value, "mark": now}
                if mark is not None and now != mark:
                    return True
                mark = now
    except HeadwaterError as error:
        newest["problem"] = error.message
    return False


@asynccontextmanager
async def _telling(ctx: Context[Any, Any], timeout_s: float) -> AsyncIterator[None]:
    """Tells whoever waits, now and then, that it still goes on."""

    async def tell() -> None:
        waited = 0.0
        while True:
            await anyio.sleep(_TELL_S)
            waited += _TELL_S
            await ctx.report_progress(waited, timeout_s, "no change yet")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell)
        yield
        tasks.cancel_scope.cancel()


def _mark(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
