"""Tools that tell of calls that were made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from headwater.mcp.insights import insights
from headwater.mcp.toolbox import Toolbox

_PATH = "/api/stream_function_logs"
_MOST = 1000
_BYTES_PER_TOKEN = 4  # about


class LogTools:
    """logs, insights."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._link = toolbox.link
        toolbox.add(self.logs, self.insights)

    async def logs(
        self,
        status: Annotated[
            Literal["success", "error"] | None, Field(description="Only calls that ended so.")
        ] = None,
        since: Annotated[
            str | None, Field(description="Only after this `time` of a record before.")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=_MOST)] = 50,
        max_tokens: Annotated[int, Field(ge=100)] = 5000,
    ) -> dict[str, Any]:
        """The newest calls, oldest first: function, duration, what was read and written, failures.

        Also what the functions logged. `left_off` says how many did not fit into max_tokens.
        """
        found = [
            entry
            for entry in await self._records(errors=status == "error")
            if (since is None or entry["time"] > since)
            and status in (None, entry.get("outcome", "error"))
        ][-limit:]
        fitting = _fitting(found, max_tokens * _BYTES_PER_TOKEN)
        return {"entries": fitting, "left_off": len(found) - len(fitting)}

    async def insights(self) -> dict[str, Any]:
        """What the newest calls tell of the code: calls that conflicted, failed or were refused,
        reads of much more than was given, calls near a limit; with rule and fix.
        """
        records = await self._records(errors=False)
        calls = [entry for entry in records if "function" in entry]
        return {"calls": len(calls), "insights": insights(calls)}

    async def _records(self, *, errors: bool) -> list[dict[str, Any]]:
        query = {"limit": _MOST, **({"errors": 1} if errors else {})}
        entries: list[dict[str, Any]] = (await self._link.ask("GET", _PATH, query=query))["entries"]
        return entries


def _fitting(entries: list[dict[str, Any]], most_bytes: int) -> list[dict[str, Any]]:
    """The newest entries that fit."""
    size, kept = 0, 0
    for entry in reversed(entries):
        size += len(orjson.dumps(entry))
        if size > most_bytes:
            break
        kept += 1
    return entries[len(entries) - kept :]
