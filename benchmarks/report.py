"""Show figures: a table on the terminal, a table in docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks.figures import Figure

DOCS_PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
HEADINGS = ("Measure", "Headwater", "Baseline", "Figure", "Target", "")


def row(figure: Figure) -> tuple[str, ...]:
    """One figure as the cells of a table."""
    target = str(figure.target or "none")
    result = ("ok" if figure.ok else "missed") if figure.target else ""
    if not figure.baseline:
        return figure.name, "", "", f"{figure.value:g}", target, result
    ratios = figure.ratios
    return (
        figure.name,
        quantity(figure.headwater, figure.unit),
        f"{quantity(figure.baseline, figure.unit)} ({figure.baseline_name})",
        f"{figure.value:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        target,
        result,
    )


def quantity(runs: list[float], unit: str) -> str:
    """The median of runs with its unit, with a decimal where it is small."""
    middle = median(runs)
    return f"{middle:,.{0 if middle >= 100 else 1}f} {unit}"


def terminal_table(figures: Iterable[Figure]) -> Table:
    """The table for the terminal."""
    table = Table(title="Headwater against its baselines", caption=machine())
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "Measure" else "right")
    for figure in figures:
        table.add_row(*row(figure), style="" if figure.ok else "red")
    return table


def markdown_table(figures: Iterable[Figure]) -> str:
    """The table for the docs page."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(row(figure) for figure in figures)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([*lines, "", machine()])


def machine() -> str:
    """What the figures depend on, without a date."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}; servers and load generator share the cores."
    )


def write_docs(figures: Iterable[Figure], page: Path = DOCS_PAGE) -> None:
    """Put the table between the page's markers."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = markdown_table(figures)
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")
