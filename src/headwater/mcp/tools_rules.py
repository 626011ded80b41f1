"""Tools of the rulebook: what is wrong in the code, and why."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from headwater.check import check_project
from headwater.mcp.toolbox import Toolbox
from headwater.rules import RULES, STAGES, Rule


class RuleTools:
    """check, explain."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._root = toolbox.root
        toolbox.add(self.check, self.explain)

    async def check(
        self,
        paths: Annotated[
            list[str] | None,
            Field(description="Files or folders of the project; none: the whole backend."),
        ] = None,
    ) -> dict[str, Any]:
        """Check the backend against the rules, without running it: `headwater check`.

        Each finding has its place, what is wrong, why, and how to mend it.
        """
        wanted = [self._inside(path) for path in paths or []]
        found = await anyio.to_thread.run_sync(check_project, self._root)
        told = [
            finding.to_json()
            for finding in found
            if not wanted or any(_is_in(self._root / finding.path, place) for place in wanted)
        ]
        return {"findings": told, "clean": not told}

    async def explain(
        self, code: Annotated[str, Field(description="Of the rule, such as HW203.")]
    ) -> dict[str, Any]:
        """What a rule asks, why, and how right code looks."""
        return rule_page(rule_of(code))

    def _inside(self, path: str) -> Path:
        place = (self._root / path).resolve()
        if not place.is_relative_to(self._root.resolve()) or not place.exists():
            raise ToolError(
                f"{path} is no file of this project; give paths from {self._root}, such as "
                "backend/tasks.py"
            )
        return place


def rule_of(code: str) -> Rule:
    """The rule of this code.

    Raises:
        ToolError: there is none; suggests the nearest.
    """
    rule = RULES.get(code.strip().upper())
    if rule is None:
        close = difflib.get_close_matches(code.upper(), RULES, n=1)
        known = f"did you mean {close[0]}?" if close else f"the rules are {', '.join(RULES)}"
        raise ToolError(f"there is no rule {code}; {known}")
    return rule


def rule_page(rule: Rule) -> dict[str, Any]:
    """All that is written about a rule."""
    return {
        "code": rule.id,
        "title": rule.title,
        "rule": rule.rule,
        "why": rule.why,
        "mistake": rule.mistake,
        "fix": rule.fix,
        "found": [STAGES[stage] for stage in rule.stages],
        "bad": rule.bad,
        "good": rule.good,
    }


def _is_in(path: Path, place: Path) -> bool:
    return path.resolve().is_relative_to(place)
