"""Tools that list and run functions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from headwater.core.manifest import FunctionSpec
from headwater.json_schema import json_schema
from headwater.mcp.fitting import fits, fitted
from headwater.mcp.toolbox import READS, WRITES, Toolbox, plain
from headwater.mcp.tools_data import manifest_of
from headwater.spelling import integral, wire_arguments, wire_path

_TIMEOUT_S = 660.0  # an action may take ten minutes

Identity = Annotated[
    str | None, Field(description="Run as this person, a development identity; none: nobody.")
]


class FunctionTools:
    """functions, run."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._link, self._read_only = toolbox.link, toolbox.read_only
        toolbox.add(self.functions)
        kind = READS if toolbox.read_only else WRITES
        toolbox.server.add_tool(self.run, description=plain(self.run), annotations=kind)

    async def functions(
        self,
        kind: Literal["query", "mutation", "action"] | None = None,
        visibility: Literal["public", "internal"] | None = None,
        name: Annotated[
            str | None, Field(description="Only those with this in their name, such as tasks:.")
        ] = None,
    ) -> dict[str, Any]:
        """The functions of the running server, with JSON Schemas of arguments and results.

        Of very many, the names alone: then ask for some by `name`.
        """
        manifest = await manifest_of(self._link)
        return _listed(
            [
                _told(spec)
                for spec in manifest.functions.values()
                if kind in (None, spec.kind) and visibility in (None, spec.visibility)
                if name is None or name.strip() in spec.path or wire_path(name) in spec.path
            ]
        )

    async def run(
        self,
        name: Annotated[str, Field(description="tasks:create_task or tasks:createTask.")],
        args: Annotated[
            dict[str, Any] | None, Field(description="Its arguments; `functions` has the schema.")
        ] = None,
        as_identity: Identity = None,
    ) -> dict[str, Any]:
        """Call a query, mutation or action of the running server, internal ones too.

        A mutation changes the data and an action may reach the world outside.
        """
        path = wire_path(name)
        if self._read_only:
            await self._check_reads(path)
        body = {"path": path, "args": wire_arguments(args or {}), "format": "json"}
        answer = await self._link.ask(
            "POST", "/api/function", body=body, subject=as_identity, timeout_s=_TIMEOUT_S
        )
        lines = {"log_lines": answer["logLines"]} if answer.get("logLines") else {}
        if answer.get("status") != "success":
            text = "\n".join([str(answer["errorMessage"]), *answer.get("logLines", ())])
            raise ToolError(text)
        value, added = fitted(integral(answer["value"]))
        return {"value": value, **added, **lines}

    async def _check_reads(self, path: str) -> None:
        spec = (await manifest_of(self._link)).functions.get(path)
        if spec is not None and spec.kind != "query":
            raise ToolError(
                f"{path} is a {spec.kind}, and this server was started with --read-only: it runs "
                "queries alone. The human can run it: headwater run "
                f"{path} '{{...}}', or start `headwater mcp` without --read-only."
            )


def _listed(told: list[dict[str, Any]]) -> dict[str, Any]:
    """The functions; without their schemas when these would fill an assistant's context."""
    if fits(told):
        return {"functions": told}
    about = ("name", "kind", "visibility")
    return {
        "functions": [{key: one[key] for key in about} for one in told],
        "shortened": "schemas are left out; `functions` with `name` gives them for some",
    }


def _told(spec: FunctionSpec) -> dict[str, Any]:
    about = {"name": spec.path, "kind": spec.kind, "visibility": spec.visibility}
    shapes = {"args": json_schema(spec.arguments), "returns": json_schema(spec.returns)}
    return about | shapes | {"source": spec.source} | ({"doc": spec.doc} if spec.doc else {})
