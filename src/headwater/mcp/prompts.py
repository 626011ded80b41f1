"""Prompts: what a human can pick in their client, filled with what this project's tools tell."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import Field

from headwater.mcp.toolbox import Toolbox
from headwater.mcp.tools_logs import LogTools
from headwater.mcp.tools_rules import RuleTools

_FAILURES = 5


def add_prompts(toolbox: Toolbox, rules: RuleTools, logs: LogTools) -> None:
    """Adds the prompts `review` and `explain-failure`."""

    @toolbox.server.prompt(name="review", title="Review the backend against its rules")
    async def review(
        path: Annotated[
            str, Field(description="A file or folder; the whole backend if empty.")
        ] = "",
    ) -> str:
        """Findings of the checker, and what to look for beyond them."""
        found = await rules.check([path] if path else None)
        return (
            f"Review {path or 'backend/'} of this project against its rules (AGENTS.md; `explain` "
            "has each in full). The checker found:\n\n"
            f"{_json(found['findings'])}\n\n"
            "For each finding: is it right, and what is the smallest repair? Then look for what a "
            "checker cannot see: who may call a function (HW303), what happens when two calls "
            "come at once, and what a subscription reads that it does not need (HW401, HW402). "
            "Name file, line and rule of each. Change nothing."
        )

    @toolbox.server.prompt(name="explain-failure", title="Explain why calls fail")
    async def explain_failure(
        function: Annotated[str, Field(description="As in tasks:createTask; any if empty.")] = "",
    ) -> str:
        """The newest failed calls with their logs, and what is known of them."""
        entries = (await logs.logs(status="error"))["entries"]
        told = (await logs.insights())["insights"]
        failed = [one for one in entries if _is_of(one, function)][-_FAILURES:]
        known = [one for one in told if _is_of(one, function)]
        return (
            f"Explain why calls of {function or 'this backend'} fail. The newest failures:\n\n"
            f"{_json(failed)}\n\nWhat the records of calls tell:\n\n{_json(known)}\n\n"
            "Say which line raised it, what the caller did, which rule it is about if one is, and "
            "the smallest repair. `run` can repeat a query; ask before you repeat a mutation."
        )


def _is_of(entry: dict[str, Any], function: str) -> bool:
    return not function or entry.get("function") == function


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
