"""The reference pages made from code: `python -m headwater_workshop.reference_docs DIR`.

settings.md from the limits, cli.md from the commands: written once, in the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer.main

from headwater.cli import GROUP, app
from headwater.settings import Limits

SETTINGS = """# Limits

Every limit has a name with its unit, a default and a reason. They are the same in tests, in
development and in production, so that they are met early. For one server a limit is set by the
environment: `HEADWATER_FUNCTION_LIMIT_S=2`. What goes past one raises an error that names it
(see [LimitExceeded](errors.md#limitexceeded)).
"""
CLI = """# Command line

`headwater COMMAND --help` says the same. Exit codes: 0 ok, 1 findings or a failure, 2 wrong usage.

Inside of a project type `uv run headwater`, or `.venv/bin/headwater` where there is no uv. These
pages say `headwater` for both.
"""


def settings_page() -> str:
    """One heading for each limit, with its default, its variable and its reason."""
    parts = [SETTINGS]
    for limit in fields(Limits):
        default, reason = f"{limit.default:,}", limit.metadata["reason"]
        reason = f"{reason[0].upper()}{reason[1:]}."
        variable = f"HEADWATER_{limit.name.upper()}"
        fixed = "fixed" in limit.metadata
        given = (
            f"Always **{default}**." if fixed else f"Default **{default}**, set by `{variable}`."
        )
        parts.append(f"## {limit.name}\n\n{given} {reason}\n")
    return "\n".join(parts)


def cli_page() -> str:
    """One heading for each command, with its usage, its arguments and options."""
    commands = program().commands
    parts = [part for name in sorted(commands) for part in _walk(commands[name], name)]
    return "\n".join([CLI, *parts])


@cache
def program() -> Any:
    """The whole `headwater` program, with the commands that other packages add."""
    for entry in entry_points(group=GROUP):
        entry.load()(app)
    return typer.main.get_command(app)


def _walk(command: Any, name: str) -> Iterator[str]:
    if getattr(command, "hidden", False):
        return
    yield _section(command, name)
    for inner in sorted(getattr(command, "commands", {})):
        yield from _walk(command.commands[inner], f"{name} {inner}")


def _section(command: Any, name: str) -> str:
    context = command.context_class(command, info_name=f"headwater {name}")
    usage = " ".join([f"headwater {name}", *command.collect_usage_pieces(context)])
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [_row(*record) for record in records if record and record[0] != "--help"]
    table = ["| Argument or option | Meaning |", "| --- | --- |", *rows, ""] if rows else []
    text = (command.help or "").strip()
    return "\n".join([f"## {name}", "", "```text", usage, "```", "", text, "", *table])


def _row(option: str, meaning: str) -> str:
    return f"| `{option}` | {meaning} |".replace("\n", " ")


def write(folder: Path) -> None:
    """Write both pages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")
    (folder / "cli.md").write_text(cli_page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
