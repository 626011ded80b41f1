"""`headwater cohort`: many submissions, one gradebook. Exits 0 graded, 1 not all, 2 usage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from headwater_workshop.kit import KitError, write_whole
from headwater_workshop.lessons import Lesson, find_lesson, load_lessons
from headwater_workshop.progress import timestamp

if TYPE_CHECKING:
    from headwater_workshop.cohort.grading import Graded
    from headwater_workshop.cohort.submissions import Submission

_MARK_CHARS = 3  # of `2/3`
_NAME_CHARS = 16  # of a name at least, where the terminal is narrow


def cohort(
    source: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A folder of submissions, or a file of git URLs."),
    ],
    lessons: Annotated[
        str | None, typer.Option(help="Which lessons: 1,2,8; all by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the gradebook and the results are kept.")] = Path(
        "gradebook"
    ),
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many are graded at once.")] = 2,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Makes the random inputs, alike for all; the gradebook's own by default."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Grade also what has a result.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Grade submissions of people you do not know: each in a jail, what is done is kept."""
    from headwater_workshop.cohort.gradebook import as_csv, as_html
    from headwater_workshop.cohort.submissions import submissions

    try:
        chosen = _chosen(lessons)
        book = _graded(submissions(source), chosen, out, jobs, seed, again)
        write_whole(out / "gradebook.csv", as_csv(book, chosen))
        write_whole(out / "gradebook.html", as_html(book, chosen, timestamp()))
    except (KitError, OSError) as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]Error:[/red] {escape(str(error))}")
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps([asdict(each) for each in book], indent=2))
    else:
        _show(book, chosen, out)
    raise typer.Exit(1 if any(each.problem for each in book) else 0)


def _chosen(words: str | None) -> tuple[Lesson, ...]:
    lessons = load_lessons()
    if words is None:
        return lessons
    named = {find_lesson(word, lessons).name for word in words.split(",")}
    return tuple(lesson for lesson in lessons if lesson.name in named)


def _graded(
    every: Sequence[Submission],
    lessons: Sequence[Lesson],
    out: Path,
    jobs: int,
    seed: int | None,
    again: bool,
) -> list[Graded]:
    from headwater_workshop.cohort.grading import grade_cohort

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        line = bar.add_task("grading", total=len(every) * len(lessons))

        def told(name: str) -> None:
            bar.update(line, advance=1, description=escape(name))

        return grade_cohort(every, lessons, out, jobs=jobs, seed=seed, again=again, told=told)


def _show(book: Sequence[Graded], lessons: Sequence[Lesson], out: Path) -> None:
    console = Console(soft_wrap=True)
    room = max(_NAME_CHARS, console.width - (_MARK_CHARS + 1) * len(lessons) - 1)
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("Submission", no_wrap=True, max_width=room if console.is_terminal else None)
    for lesson in lessons:
        table.add_column(lesson.label, no_wrap=True, min_width=_MARK_CHARS)
    for each in book:
        table.add_row(escape(each.name), *(_mark(each, lesson) for lesson in lessons))
    console.print(table)
    for each in book:
        if each.problem:
            console.print(f"[red]{escape(each.name)}[/red]: {escape(each.problem)}")
    console.print(f"\nThe gradebook: {out / 'gradebook.html'} and gradebook.csv beside it.")


def _mark(each: Graded, lesson: Lesson) -> str:
    result = each.lessons.get(lesson.name)
    if result is None:
        return "[dim]-[/dim]"
    met, of = sum(result["objectives"].values()), len(lesson.objectives)
    colour = "green" if result["passed"] else "yellow" if met else "red"
    return f"[{colour}]{met}/{of}[/{colour}]"
