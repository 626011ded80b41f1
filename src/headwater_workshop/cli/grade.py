"""`headwater grade`: the grader on the command line. Exits 0 passed, 1 not yet, 2 usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from headwater_workshop.choice import lesson_in_view
from headwater_workshop.course import not_begun
from headwater_workshop.kit import KitError
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.progress import find_project, load_progress, record_grade, timestamp
from headwater_workshop.report import GradeResult, show


def grade(
    lesson: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="1, L1 or its name; else the current.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML to a file.")
    ] = None,
    exercism: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Exercism's results.json, version 3.")
    ] = None,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Gradescope's results.json.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV, a row for each check.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the broken rules as SARIF.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Make the random inputs of an earlier run again.")
    ] = None,
    watched: Annotated[
        bool, typer.Option("--watch", help="Check again after each save, until Ctrl-C.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Every lesson that has begun, in one table.")
    ] = False,
) -> None:
    """Check a lesson: your functions run in a jailed process, the checks outside of it."""
    try:
        files = {"junit": junit, "exercism": exercism, "gradescope": gradescope}
        files |= {"csv": csv, "sarif": sarif}
        project = find_project()
        if every:
            _refuse_beside_all(bool(lesson or watched or any(files.values())))
            raise typer.Exit(0 if _grade_all(project, as_json, seed) else 1)
        chosen = lesson_in_view(lesson, load_progress(project))
        early = not_begun(project, chosen)
        if early and not as_json:
            _tell_early(chosen)
            if lesson is None:
                raise typer.Exit(1)

        def told(result: GradeResult) -> None:
            if not early:
                _record(project, chosen, result)
                _tell_room(project, chosen, result)
            _write(result, files)
            _tell(result, as_json)
            if not as_json:
                Console(soft_wrap=True).print(f"Next: {_next(chosen, result, early)}")

        if watched:
            passed = _watch(project, chosen, seed, told)
        else:
            result = _graded(project, chosen, seed=seed)
            told(result)
            passed = result.passed
    except (KitError, OSError) as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]Error:[/red] {escape(str(error))}")
        raise typer.Exit(2) from None
    raise typer.Exit(0 if passed else 1)


def _graded(project: Path, lesson: Lesson, **options: Any) -> GradeResult:
    """Grade, and tell a person who looks how far that is."""
    from headwater_workshop.grader import grader

    with Console(stderr=True).status(f"Lesson {lesson.number}: the backend loads") as status:

        def begins(number: int, of: int, title: str) -> None:
            status.update(f"Lesson {lesson.number}, check {number} of {of}: {escape(title)}")

        return grader.grade(project, lesson, begins=begins, **options)


def _watch(
    project: Path, lesson: Lesson, seed: int | None, told: Callable[[GradeResult], None]
) -> bool:
    """Grade after each save until Ctrl-C; whether the last one passed."""
    from headwater_workshop.grader.watching import saved_files, watch

    verdicts: list[bool] = []
    console = Console(stderr=True, soft_wrap=True)

    def shown(result: GradeResult, seconds: float) -> None:
        console.clear()  # does nothing where no person looks
        told(result)
        when = " after the save" if verdicts else ""
        verdicts.append(result.passed)
        console.print(f"[dim]{seconds:.2f} s{when}; waiting for a save, Ctrl-C ends[/dim]")

    try:
        watch(project, lesson, saved_files(project, lesson), shown, seed=seed, graded=_graded)
    except KeyboardInterrupt:
        console.print()
    return verdicts[-1] if verdicts else False


def _refuse_beside_all(named: bool) -> None:
    if named:
        raise KitError(
            "--all is for every lesson, so it takes no lesson, no file and no --watch.",
            where="headwater grade",
            fix="headwater grade --all, or with --json for a program; or leave --all out",
        )


def _grade_all(project: Path, as_json: bool, seed: int | None) -> bool:
    """Grade every lesson, print the table; whether all of them passed."""
    from headwater_workshop.grader.all_lessons import grade_all, show_all

    lessons = load_lessons()

    def told(lesson: Lesson, result: GradeResult) -> None:
        if load_progress(project).of(lesson).started:  # else `goto` has brought what passes
            _record(project, lesson, result)

    rows = grade_all(project, lessons, told, seed=seed, graded=_graded)
    if as_json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        show_all(rows, Console(soft_wrap=not sys.stdout.isatty()))
    return all(row.passed for row in rows)


def _record(project: Path, lesson: Lesson, result: GradeResult) -> None:
    met = {objective.id: objective.met for objective in result.objectives}
    record_grade(project, lesson, met, timestamp())


def _next(lesson: Lesson, result: GradeResult, early: bool) -> str:
    """The command that goes on: a hint, or the lesson after this one."""
    if early:
        return f"headwater lesson start {lesson.number}"
    if not result.passed:
        failed = (check.objective for check in result.checks if check.outcome == "failed")
        left = next(failed, f"L{lesson.number}")
        return f"mend that and grade again; stuck? headwater lesson hint {left}"
    look = f"headwater lesson diff {lesson.number} --solution compares yours with ours"
    following = [each for each in load_lessons() if each.number > lesson.number]
    if not following:
        return f"{look}; headwater grade --all, for this was the last one"
    return f"headwater lesson start {following[0].number} ({look})"


def _tell_early(lesson: Lesson) -> None:
    """Nobody is told that they failed what they have not seen yet."""
    what = (
        f"Lesson {lesson.number} ({lesson.name}) has not begun here; this does not count as a run."
    )
    fix = f"headwater lesson start {lesson.number}"
    Console(stderr=True, soft_wrap=True).print(f"[yellow]{what}[/yellow]\n  Fix:   {fix}\n")


def _tell_room(project: Path, lesson: Lesson, result: GradeResult) -> None:
    """Who has taken a seat in a room is seen on its board; the board's faults are nobody's."""
    from headwater_workshop.classroom.seat import report

    said = report(project, lesson, result)
    if said:
        Console(stderr=True, soft_wrap=True).print(f"[dim]{escape(said)}[/dim]")


def _write(result: GradeResult, files: Mapping[str, Path | None]) -> None:
    from headwater_workshop.grader.exports import FORMS

    for form, path in files.items():
        if path is not None:
            path.write_text(FORMS[form](result), encoding="utf-8")


def _tell(result: GradeResult, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.to_json(), indent=2))
    else:
        show(result, Console(soft_wrap=not sys.stdout.isatty()))
