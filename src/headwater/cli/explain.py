"""`headwater explain HW203`: a rule's page in the terminal."""

from __future__ import annotations

import difflib
import re
from textwrap import indent
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.syntax import Syntax
from rich.text import Text

from headwater.rules import RULES, STAGES, Rule


def explain(
    code: Annotated[
        str | None, typer.Argument(help="A rule such as HW203; none: list them.")
    ] = None,
) -> None:
    """Say what a rule asks, why, and how right code looks."""
    console = Console(highlight=False, soft_wrap=True)
    if code is None:
        for rule in RULES.values():
            console.print(Text.assemble((rule.id, "bold"), f"  {rule.title}"))
        return
    found = RULES.get(code.upper())
    if found is None:
        typer.echo(_unknown(code), err=True)
        raise typer.Exit(2)
    console.print(_page(found))


_SEEN = re.compile(r"[GLQSV]\d+(\.\d+)?")
"""What `headwater grade` writes in brackets before what it saw."""


def _unknown(code: str) -> str:
    if _SEEN.fullmatch(code.upper()):
        return (
            f"headwater explain: {code} is no rule, but what a check of `headwater grade` saw; the "
            "lines `At:` and `More:` below it name the place and the rule"
        )
    close = difflib.get_close_matches(code.upper(), RULES, n=1)
    hint = f"did you mean {close[0]}?" if close else "`headwater explain` lists the rules"
    return f"headwater explain: there is no rule {code}; {hint}"


def _page(rule: Rule) -> Group:
    where = "; ".join(STAGES[stage] for stage in rule.stages)
    return Group(
        Text(f"{rule.id}  {rule.title}", "bold"),
        Text(f"\n{rule.rule}\n"),
        _labelled("Why", rule.why),
        _labelled("Mistake", rule.mistake),
        _labelled("Fix", rule.fix),
        _labelled("Found", where),
        Text("\nInstead of this:", "bold red"),
        _code(rule.bad),
        Text("Write this:", "bold green"),
        _code(rule.good),
    )


def _labelled(label: str, text: str) -> Text:
    indented = text.replace("\n", "\n" + " " * 10)
    return Text.assemble((f"{label + ':':<10}", "bold"), indented)


def _code(source: str) -> Text:
    """Coloured and indented; lines are never cropped, so that they can be copied."""
    syntax = Syntax("", "python", theme="ansi_light", background_color="default")
    return syntax.highlight(indent(source, "  "))
