"""The arms: what an assistant finds in a project. Each has what the one before has, and more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_OTHERS = (".cursor", ".github/copilot-instructions.md")
_SERVERS = (".mcp.json", ".claude/skills", ".claude/agents", ".claude/commands")
_CHECK = "headwater check"


@dataclass(frozen=True)
class Arm:
    """One way to prepare a project.

    Attributes:
        about: what it has, for the page.
        without: files and folders of the generated project that are taken away.
        check: whether `headwater check` may be run and is spoken of.
        mcp: whether the project's MCP server is connected.
    """

    about: str
    without: tuple[str, ...]
    check: bool = True
    mcp: bool = False


ARMS: Mapping[str, Arm] = {
    "none": Arm(
        "no guidance", ("AGENTS.md", "CLAUDE.md", ".claude", ".mcp.json", *_OTHERS), check=False
    ),
    "rulebook": Arm("the rulebook: AGENTS.md", (".claude", ".mcp.json", *_OTHERS), check=False),
    "check": Arm("+ `headwater check`", (".claude", ".mcp.json", *_OTHERS)),
    "hooks": Arm("+ hooks at each edit and at the end", (*_SERVERS, *_OTHERS)),
    "mcp": Arm("+ MCP and skills", _OTHERS, mcp=True),
}


def dress(project: Path, arm: Arm) -> None:
    """Take away from a generated project what the arm does not have."""
    for name in arm.without:
        path = project / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in project.glob("*.md") if not arm.check else ():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(x for x in lines if _CHECK not in x), encoding="utf-8")


def options(arm: Arm) -> list[str]:
    """The options of `claude -p` for an arm: nothing of the user's own settings and servers."""
    allowed = ["Read", "Edit", "Write", "Glob", "Grep", "Bash(uv run pytest *)"]
    allowed += ["Bash(uv run headwater *)"] + (["mcp__headwater"] if arm.mcp else [])
    words = ["--setting-sources", "project,local", "--strict-mcp-config"]
    words += ["--permission-mode", "acceptEdits", "--allowedTools", ",".join(allowed)]
    if arm.mcp:
        words += ["--mcp-config", ".mcp.json"]
    if not arm.check:
        words += ["--disallowedTools", f"Bash(uv run {_CHECK} *)"]
    return words
