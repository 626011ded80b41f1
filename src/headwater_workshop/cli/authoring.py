"""`headwater lesson new|verify|schedule`: for who writes lessons and leads workshops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from headwater_workshop.kit import KitError, lessons_folder, write_tree
from headwater_workshop.lessons import Lesson, find_lesson, load_lessons
from headwater_workshop.schedule import day, short

if TYPE_CHECKING:
    from headwater_workshop.proof.proof import Proof


def new(
    title: Annotated[str, typer.Argument(help="What it is called: 'Rate limiting'.")],
    name: Annotated[
        str | None, typer.Option(help="Its folder's name; made of the title by default.")
    ] = None,
) -> None:
    """Begin a lesson: every file it needs, as a draft. Needs a checkout of headwater."""
    from headwater_workshop.proof.scaffold import scaffold

    try:
        folder = lessons_folder()
        folder_name = name or "-".join(
            "".join(c if c.isalnum() else " " for c in title.lower()).split()
        )
        files = scaffold(title, folder_name, load_lessons(drafts=True))
        write_tree({path: text.encode() for path, text in files.items()}, folder)
    except (KitError, OSError) as error:
        _refuse(error)
    for path in files:
        print(f"lessons/{path}")
    print(f"\nNext: write starter/ and solution/, then: headwater lesson verify {folder_name}")


def schedule(
    in_short: Annotated[bool, typer.Option("--short", help="The one of 90 minutes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Print a workshop's schedule, computed from the lessons' minutes."""
    plan = short(load_lessons()) if in_short else day(load_lessons())
    if as_json:
        rows = [
            {
                "at": block.time,
                "minutes": block.minutes,
                "what": block.what,
                "lesson": block.lesson.number if block.lesson else None,
            }
            for block in plan.blocks
        ]
        numbers = [each.number for each in plan.spare]
        print(json.dumps({"blocks": rows, "slack": plan.slack, "spare": numbers}, indent=2))
        return
    table = Table("From", "Minutes", "", "What", box=None)
    for block in plan.blocks:
        label = block.lesson.label if block.lesson else ""
        style = "" if block.lesson else "dim"
        table.add_row(block.time, str(block.minutes), label, block.what, style=style)
    console = Console(soft_wrap=True)
    console.print(table)
    spare = ", ".join(f"{each.label} {each.title} ({each.minutes})" for each in plan.spare)
    console.print(f"\n{plan.slack} minutes are left" + (f", for {spare}." if spare else "."))


def verify(
    word: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="1, L1 or a name; drafts too.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every lesson.")] = False,
    mutated: Annotated[
        bool, typer.Option("--mutants/--no-mutants", help="Mutants take the longest.")
    ] = True,
    jobs: Annotated[int, typer.Option(min=1, help="How many are graded at once.")] = 2,
    page_file: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write the kill matrix to a file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Prove that what must pass passes and what must fail fails. Exits 0 proven, 1 not, 2 usage."""
    from headwater_workshop.proof.matrix import page  # with the grader: slow to import

    try:
        chosen = _chosen(word, every)
        proofs = _proven(chosen, mutated, jobs)
        if page_file is not None:
            page_file.write_text(page(proofs), encoding="utf-8")
    except (KitError, OSError) as error:
        _refuse(error)
    if as_json:
        print(json.dumps([_plain(proof) for proof in proofs], indent=2))
    else:
        _show(proofs)
    raise typer.Exit(1 if any(proof.faults for proof in proofs) else 0)


def _refuse(error: Exception) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(f"[red]Error:[/red] {escape(str(error))}")
    raise typer.Exit(2) from None


def _chosen(word: str | None, every: bool) -> tuple[Lesson, ...]:
    if every:
        return load_lessons()
    if word is None:
        raise KitError(
            "No lesson is named.",
            where="headwater lesson verify",
            fix="name one, or say --all: headwater lesson verify 2",
        )
    return (find_lesson(word, load_lessons(drafts=True)),)


def _proven(chosen: Sequence[Lesson], mutated: bool, jobs: int) -> list[Proof]:
    from headwater_workshop.proof.proof import prove

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    proofs = []
    with bar:
        for lesson in chosen:
            line = bar.add_task(f"{lesson.label} {lesson.title}", total=None)

            def told(done: int, total: int, line: TaskID = line) -> None:
                bar.update(line, completed=done, total=total)

            proofs.append(prove(lesson, mutated=mutated, jobs=jobs, told=told))
    return proofs


def _plain(proof: Proof) -> dict[str, Any]:
    killed, of = proof.killed
    return {
        "lesson": proof.lesson.name,
        "proven": not proof.faults,
        "faults": proof.faults,
        "mutants": {"killed": killed, "of": of},
        "cases": [asdict(case) for case in proof.cases],
    }


def _show(proofs: Sequence[Proof]) -> None:
    from headwater_workshop.proof.proof import KINDS

    table = Table("", "Lesson", *(kind.capitalize() for kind in KINDS), "", box=None)
    for proof in proofs:
        counts = []
        for kind in KINDS:
            own = proof.of(kind)
            good = sum(case.good for case in own)
            colour = "green" if good == len(own) else "red"
            counts.append(f"[{colour}]{good} of {len(own)}[/{colour}]" if own else "")
        word = "[red]not proven[/red]" if proof.faults else "[green]proven[/green]"
        table.add_row(str(proof.lesson.number), proof.lesson.title, *counts, word)
    console = Console(soft_wrap=True)
    console.print(table)
    for proof in proofs:
        for fault in proof.faults:
            console.print(f"[red]{proof.lesson.label}[/red] {escape(fault)}")
