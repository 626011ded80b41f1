"""The one command: `python -m benchmarks`."""

import json
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.figures import Figure
from benchmarks.measures import LOOPS, MEASURES, Bench, Sizes
from benchmarks.report import terminal_table, write_docs
from benchmarks.servers import BenchmarkFailed

console = Console(stderr=True)


def main(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Run one measure: {', '.join(MEASURES)}.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Pairs of runs for each measure.")] = Sizes.rounds,
    as_json: Annotated[bool, typer.Option("--json", help="Print every run as JSON.")] = False,
    docs: Annotated[
        bool, typer.Option("--write-docs", help="Rewrite the table in docs/benchmarks.md.")
    ] = False,
) -> None:
    """Measure Headwater against a hand-written server and convex-test."""
    chosen = only or list(MEASURES)
    if unknown := set(chosen) - set(MEASURES):
        raise typer.BadParameter(f"no measure {unknown.pop()!r}; there are {', '.join(MEASURES)}")
    if docs and only:
        raise typer.BadParameter("--write-docs needs all measures, so leave out --only")
    figures = measured(chosen, Sizes(rounds=rounds))
    if as_json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        Console().print(terminal_table(figures))
    if docs:
        write_docs(figures)


def measured(chosen: list[str], sizes: Sizes) -> list[Figure]:
    """Run measures one after another, showing how far they are."""
    figures: list[Figure] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        for name in chosen:
            total = sizes.rounds * LOOPS.get(name, 1)
            task = progress.add_task(name, total=total)
            try:
                figures += MEASURES[name](Bench(sizes, partial(progress.advance, task)))
            except BenchmarkFailed as error:
                console.print(f"[red]{name} gave no figure:[/red] {error}")
                raise typer.Exit(1) from None
    return figures


if __name__ == "__main__":
    typer.run(main)
