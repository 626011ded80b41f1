"""The commands that exist: targets of the Makefile, commands of the `headwater` program."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from headwater_workshop.reference_docs import program

from .pages import ROOT


@cache
def make_targets() -> frozenset[str]:
    """The targets of our Makefile."""
    return _targets(ROOT / "Makefile")


@cache
def project_targets() -> frozenset[str]:
    """The targets of a generated project's Makefile."""
    return _targets(ROOT / "template" / "Makefile")


def _targets(makefile: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", makefile.read_text(), re.MULTILINE))


@cache
def headwater_commands() -> dict[str, Any]:
    """The commands of `headwater`, by name, the workshop's too."""
    return dict(program().commands)


def parse_headwater(words: list[str]) -> None:
    """Parse a command line as the program would, without running it; a wrong option raises."""
    command: Any = headwater_commands()[words[0]]
    rest = words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(words[0], list(rest)).close()


def npm_scripts() -> set[str]:
    """What `npm run` knows in the frontend of the template."""
    folder = ROOT / "template" / "{% if frontend == 'react' %}frontend{% endif %}"
    return set(json.loads((folder / "package.json").read_text("utf-8"))["scripts"])
