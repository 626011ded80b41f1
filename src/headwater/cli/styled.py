"""Findings in colour, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from headwater.rules import Finding


def print_styled(found: Sequence[Finding], summary: str) -> None:
    """Prints findings and their count."""
    console = Console(highlight=False, soft_wrap=True)
    for finding in found:
        console.print(_styled(finding), end="\n\n")
    console.print(Text(summary, "bold" if found else "green"))


def _styled(finding: Finding) -> Text:
    text = Text(finding.render())
    colour = "bold yellow" if finding.severity == "warning" else "bold red"
    text.highlight_regex(r"\AHW\d{3}", colour)
    text.highlight_regex(r"(?m)^  (What|Fix|More):", "bold")
    return text
