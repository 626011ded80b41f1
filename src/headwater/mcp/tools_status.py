"""Tools that say where one is: the project, its server, its variables."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from headwater.mcp.toolbox import Toolbox
from headwater.mcp.tools_data import manifest_of


class StatusTools:
    """status, env_names."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox, self._link = toolbox, toolbox.link
        toolbox.add(self.status, self.env_names)

    async def status(self) -> dict[str, Any]:
        """The project, whether its server runs and where, and what it holds. Ask this first."""
        about: dict[str, Any] = {
            "project": self._toolbox.root.name,
            "folder": str(self._toolbox.root),
            "read_only": self._toolbox.read_only,
        }
        about |= {name: fact() for name, fact in self._toolbox.facts.items()}
        return about | await self._server()

    async def env_names(self) -> dict[str, Any]:
        """The variables that the backend's settings read, and whether each is set; no values."""
        told = await self._link.ask("GET", "/api/v1/manifest")
        listed = await self._link.ask("GET", "/api/v1/list_environment_variables")
        names = {one["name"]: bool(one["set"]) for one in told["variables"]}
        names |= dict.fromkeys(listed["environmentVariables"], True)
        return {"variables": names}

    async def _server(self) -> dict[str, Any]:
        try:
            looks = (await self._link.ask("GET", "/api/data/tables"))["tables"]
            manifest = await manifest_of(self._link)
        except ToolError as error:
            return {"running": False, "problem": str(error)}
        own = [look for look in looks if not look["name"].startswith("_")]
        return {
            "running": True,
            "server": self._link.url,
            "tables": len(own),
            "documents": sum(look["documents"] for look in own),
            "functions": len(manifest.functions),
        }
