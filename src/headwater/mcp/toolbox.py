"""What tools are made with: the SDK's server, the link, and the words for what a tool does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp_types import ToolAnnotations

from headwater.mcp.link import Link

GROUP = "headwater.mcp"
"""Entry points by which other packages join tools: each is called with the toolbox."""

READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
"""Marks a tool that changes nothing."""

NOTES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
"""Marks a tool that notes that it was used, and changes nothing else."""

WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)
"""Marks a tool that may change data, or the world outside."""


@dataclass
class Toolbox:
    """Where tools and resources are added.

    Attributes:
        server: the SDK's.
        link: the way to the project's server.
        read_only: no tool may change data.
        facts: what `status` tells beside its own, by name; each is asked for anew.
        watched: names of files in `.headwater/`, by the resources that change with them.
    """

    server: MCPServer[Any]
    link: Link
    read_only: bool = False
    facts: dict[str, Callable[[], Any]] = field(default_factory=dict)
    watched: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.link.root

    def add(self, *tools: Callable[..., Any]) -> None:
        """Adds tools that change nothing; name and description are the functions' own."""
        for tool in tools:
            self.server.add_tool(tool, description=plain(tool), annotations=READS)


def plain(function: Callable[..., Any]) -> str:
    """A docstring as an assistant reads it: without the indentation of its lines."""
    lines = (function.__doc__ or "").splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def join(toolbox: Toolbox) -> None:
    """Lets other packages add theirs."""
    for entry in entry_points(group=GROUP):
        entry.load()(toolbox)
