"""What is read by its address: schema, functions, tables and rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from mcp.server.mcpserver.exceptions import ResourceError, ToolError

from headwater.mcp.toolbox import Toolbox
from headwater.mcp.tools_data import DataTools
from headwater.mcp.tools_functions import FunctionTools
from headwater.mcp.tools_rules import rule_of, rule_page
from headwater.rules import RULES

SCHEMA = "headwater://schema"
FUNCTIONS = "headwater://functions"
TABLES = "headwater://tables/"
_JSON = "application/json"
_SHOWN = 20


def add_resources(toolbox: Toolbox, data: DataTools, functions: FunctionTools) -> None:
    """Adds the resources; what tools tell, under addresses."""
    server = toolbox.server

    @server.resource(SCHEMA, mime_type=_JSON)
    async def schema() -> str:
        """The tables of the running server: schema, indexes, number of documents."""
        return await _text(data.tables)

    @server.resource(FUNCTIONS, mime_type=_JSON)
    async def all_functions() -> str:
        """The functions of the running server, with JSON Schemas."""
        return await _text(functions.functions)

    @server.resource(f"{TABLES}{{name}}", mime_type=_JSON)
    async def table(name: str) -> str:
        """The newest documents of a table."""
        return await _text(lambda: data.data(name, limit=_SHOWN))

    @server.resource("headwater://rules", mime_type=_JSON)
    async def rules() -> str:
        """The rules, each with its code and title."""
        return _json({rule.id: rule.title for rule in RULES.values()})

    @server.resource("headwater://rules/{code}", mime_type=_JSON)
    async def rule(code: str) -> str:
        """A rule: what it asks, why, and how right code looks."""

        async def page() -> dict[str, Any]:
            return rule_page(rule_of(code))

        return await _text(page)


async def _text(tell: Callable[[], Awaitable[dict[str, Any]]]) -> str:
    try:
        return _json(await tell())
    except ToolError as error:
        raise ResourceError(str(error)) from None


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
