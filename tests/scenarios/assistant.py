"""An assistant, as the SDK's own client plays it: in this process, tools called one by one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import TextContent

from headwater.mcp.link import Link
from headwater.mcp.server import build

MODES = ("auto", "legacy")
"""How a client negotiates: 2026-07-28 as Claude Code does by now, and the handshake before it."""

Story = Callable[["Assistant"], Awaitable[Any]]


class Assistant:
    """A connected client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def told(self, tool: str, **arguments: Any) -> Any:
        """What a tool gives."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        return answer.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Why a tool refuses."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error, answer.content
        (part,) = answer.content
        assert isinstance(part, TextContent)
        return part.text

    async def prompt(self, name: str, **arguments: str) -> str:
        """What a prompt says."""
        (message,) = (await self.client.get_prompt(name, arguments)).messages
        assert isinstance(message.content, TextContent)
        return message.content.text

    async def read(self, uri: str) -> str:
        """A resource's text."""
        (part,) = (await self.client.read_resource(uri)).contents
        text: str = part.text  # type: ignore[union-attr]
        return text


def tell(project: Path, story: Story, *, mode: Any = "auto", **options: Any) -> Any:
    """Plays a story with an assistant in a project; gives what it gives.

    Args:
        project: its folder.
        story: what the assistant does.
        mode: of negotiation.
        options: of `build`; `client` has those of the SDK's client.
    """
    client = options.pop("client", {})

    async def play() -> Any:
        tools = build(Link(project), **options)
        async with Client(tools, mode=mode, **client) as connected:
            return await story(Assistant(connected))

    return asyncio.run(play())
