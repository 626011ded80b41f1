"""All of it together: a server that an assistant starts, or reaches on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from mcp.server import MCPServer

from headwater.mcp.link import Link
from headwater.mcp.prompts import add_prompts
from headwater.mcp.resources import add_resources
from headwater.mcp.toolbox import Toolbox, join
from headwater.mcp.tools_changes import ChangeTools
from headwater.mcp.tools_data import DataTools
from headwater.mcp.tools_functions import FunctionTools
from headwater.mcp.tools_logs import LogTools
from headwater.mcp.tools_rules import RuleTools
from headwater.mcp.tools_status import StatusTools
from headwater.mcp.updates import Bus, telling

INSTRUCTIONS = """A Headwater project: a reactive backend in Python, in backend/. Use these tools to
look at its live data and functions instead of guessing, to run functions, and to check code against
the project's rules (HW101 to HW504).
- `status` first: does the server run? If not, the human starts it with `headwater dev`.
- `tables`, `data`, `query_once` read documents; `functions` has the arguments that `run` takes.
- After an edit of backend/: `check`; `explain HW203` says what a rule asks. Mend every finding.
- Something failed or is slow: `logs`, `insights`.
- `wait_for_change` comes back when the result of a query changes: use it to see what the human,
  a page or a scheduled function did, instead of asking again and again.
- In a lesson: `lesson`, then `hint` for one step more. `reveal_solution` asks the human.
"""


def build(link: Link, *, read_only: bool = False, without: Iterable[str] = ()) -> MCPServer[Any]:
    """The server of a project.

    Args:
        link: the way to the project's running server.
        read_only: no tool may change data.
        without: tools that are left out.

    Raises:
        ToolError: there is no such tool to leave out.
    """
    bus = Bus()

    @asynccontextmanager
    async def life(_server: MCPServer[Any]) -> AsyncIterator[None]:
        async with telling(toolbox, bus):
            yield

    server: MCPServer[Any] = MCPServer(
        "headwater",
        instructions=INSTRUCTIONS,
        version=version("headwater"),
        log_level="WARNING",
        lifespan=life,
        subscriptions=bus,
    )
    toolbox = Toolbox(server, link, read_only)
    StatusTools(toolbox)
    data, functions = DataTools(toolbox), FunctionTools(toolbox)
    logs, rules = LogTools(toolbox), RuleTools(toolbox)
    ChangeTools(toolbox)
    add_resources(toolbox, data, functions)
    add_prompts(toolbox, rules, logs)
    bus.older.serve(server)
    join(toolbox)
    for name in without:
        server.remove_tool(name)
    return server
