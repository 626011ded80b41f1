"""`headwater lesson list|show|start|hint|reveal|diff|reset|goto`: a learner's way through them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from .. import progress as kept_progress
from ..bar import how_far
from ..choice import chosen_lesson, chosen_objective, lesson_in_view
from ..course import Beginning, ahead_of_lessons, beginning, comparison, revealed, state_of
from ..kit import KitError
from ..ladder import next_hint
from ..lessons import Lesson, LessonError, find_lesson, load_lessons
from ..mode import mode_of
from ..own.work import Kept, Laid, lay
from ..progress import Progress, find_project, load_progress, timestamp
from ..stages import FOLDERS, last_stage, started, with_page_test
from .authoring import new, schedule, verify

app = typer.Typer(
    add_completion=False,
    help="The lessons: read, begin, get a hint, start again, jump.",
)
app.command()(new)
app.command()(verify)
app.command()(schedule)

LessonWord = Annotated[
    str | None,
    typer.Argument(metavar="[LESSON]", help="1, L1 or a name; the current one if left out."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_END = "end"


@app.command("list")
def list_lessons(as_json: Json = False) -> None:
    """List the lessons, and how far you are."""
    with _told(as_json):
        lessons, progress = load_lessons(), _progress_if_any()
        states = [state_of(lesson, progress) for lesson in lessons]
        done = sum(progress.of(lesson).state == "done" for lesson in lessons)
        if as_json:
            _print_json({"done": done, "of": len(lessons), "lessons": states})
            return
        _console().print(_table(states))
        _console().print(f"\n{escape(how_far(done, len(lessons), 'lessons done'))}")
        _console().print(f"Next: {_next(lessons, progress)}")


@app.command("bar")
def bar() -> None:
    """Print how far you are in one line, for a status line; nothing before the first lesson."""
    progress = _progress_if_any()
    if not progress.lessons:
        return
    lessons = load_lessons()
    done = sum(progress.of(lesson).state == "done" for lesson in lessons)
    now = [f", now {each.label} {each.title}" for each in lessons if each.name == progress.current]
    print(how_far(done, len(lessons), "lessons done") + "".join(now))


@app.command()
def show(
    word: LessonWord = None,
    instructor: Annotated[
        bool, typer.Option("--instructor", help="With the notes for who leads a workshop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a lesson's page in the terminal."""
    with _told(as_json):
        lesson = chosen_lesson(word, _progress_if_any())
        text = lesson.text if instructor else lesson.learners_text
        if as_json:
            _print_json({"number": lesson.number, "name": lesson.name, "text": text})
        else:
            _print_page(text)


@app.command()
def start(word: LessonWord = None, as_json: Json = False) -> None:
    """Begin a lesson: lay its files into your project. Your own are kept first."""
    with _told(as_json):
        project = find_project()
        progress = load_progress(project)
        lesson = chosen_lesson(word, progress)
        record = progress.of(lesson)
        if record.started and not record.over:
            raise LessonError(
                f"Lesson {lesson.number} has begun already, so its files are not laid again.",
                where=f"{project}, since {record.again or record.started}",
                fix=f"go on with it, or begin again: headwater lesson reset {lesson.number}",
            )
        _lay_starter(project, lesson, as_json, copy=False)


@app.command()
def reset(word: LessonWord = None, as_json: Json = False) -> None:
    """Lay a lesson's files again. A dated copy of yours is kept."""
    with _told(as_json):
        project = find_project()
        _lay_starter(project, chosen_lesson(word, load_progress(project)), as_json, copy=True)


@app.command()
def goto(
    word: Annotated[str, typer.Argument(metavar="LESSON", help="1, L1, a name, or `end`.")],
    as_json: Json = False,
) -> None:
    """Jump to a lesson with a project that is known to be good. Your own work is kept first."""
    with _told(as_json):
        project, at = find_project(), timestamp()
        if word == _END:
            tree = with_page_test(last_stage(), project)
            laid = lay(project, tree, "goto-end", at, replace=FOLDERS)
            _report("After the last lesson", laid, "headwater lesson list", as_json)
            return
        lesson = find_lesson(word)
        label = f"goto-{lesson.number}"
        tree = with_page_test(started(lesson), project)
        laid = lay(project, tree, label, at, replace=FOLDERS)
        kept_progress.record_start(project, lesson, at)
        _report(_heading(lesson), laid, f"headwater lesson show {lesson.number}", as_json)


@app.command()
def hint(
    word: Annotated[
        str | None,
        typer.Argument(metavar="[LESSON|OBJECTIVE]", help="1, L1, or one objective: L1.2"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a hint, from the goal to a nearly finished line; in tutor mode a new one after a try."""
    with _told(as_json):
        project = find_project()
        progress = load_progress(project)
        lesson, objective = chosen_objective(word, progress)
        given = next_hint(project, lesson, objective)
        if as_json:
            _print_json(asdict(given))
            return
        goal = next(each.text for each in lesson.objectives if each.id == objective)
        _console().print(f"[bold]{objective}[/bold] {escape(goal)}")
        again = ", again" if given.again else ""
        _console().print(f"[dim]Hint {given.level} of {given.last}{again}[/dim]\n")
        _print_page(given.text)
        if given.level == given.last:
            solution = f"headwater lesson reveal {lesson.number}"
            _console().print(f"\nThis was the last hint. The solution is yours to see: {solution}")
        elif given.again:
            _console().print(f"\n[dim]The next one: {escape(given.next)}[/dim]")


@app.command()
def reveal(word: LessonWord = None, as_json: Json = False) -> None:
    """Show what is left to the solution, if you say yes. The lesson is then seen, not solved."""
    with _told(as_json):
        project = find_project()
        lesson = lesson_in_view(word, load_progress(project))
        confirm_reveal(project, lesson)
        _print_diff(lesson, revealed(project, lesson, timestamp()), True, as_json)


@app.command()
def diff(
    word: LessonWord = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="Compare with the solution; this is recorded.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what you changed since the lesson began, or what is left to the solution."""
    with _told(as_json):
        project = find_project()
        lesson = lesson_in_view(word, load_progress(project))
        if solution:
            if mode_of(project) == "tutor":
                confirm_reveal(project, lesson)
            text = revealed(project, lesson, timestamp())
        else:
            text = comparison(project, lesson, solution=False)
        _print_diff(lesson, text, solution, as_json)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Say an error as what, where and what next; exit with 2."""
    try:
        yield
    except KitError as error:
        if as_json:
            facts = {"what": error.what, "where": error.where, "fix": error.fix}
            _print_json({"error": facts})
        else:
            Console(stderr=True, soft_wrap=True).print(f"[red]Error:[/red] {escape(str(error))}")
        raise typer.Exit(2) from None


def confirm_reveal(project: Path, lesson: Lesson) -> None:
    """Ask the human before a solution that they have not seen.

    Raises:
        LessonError: they do not want it, or nobody is there to be asked.
    """
    record = load_progress(project).of(lesson)
    if record.solution_seen or record.over:
        return
    given, rungs = sum(record.hints.values()), sum(len(each) for each in lesson.hints.values())
    text = (
        f"{given} of {rungs} hints of lesson {lesson.number} are given. Show the solution? "
        "The lesson then counts as seen, not as solved."
    )
    typer.echo(f"{text} [y/N] ", nl=False, err=True)  # standard output is the solution's
    said = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not said:
        raise LessonError(
            "The solution stays closed: nobody said yes.",
            where=lesson.name,
            fix=f"say y in a terminal, or go on with: headwater lesson hint {lesson.number}",
        )


def _print_diff(lesson: Lesson, text: str, solution: bool, as_json: bool) -> None:
    if as_json:
        _print_json({"lesson": lesson.name, "solution": solution, "diff": text})
    elif not text:
        _console().print("No difference.")
    elif _console().is_terminal:
        _console().print(Syntax(text, "diff", background_color="default", word_wrap=True))
    else:
        print(text, end="")


def _lay_starter(project: Path, lesson: Lesson, as_json: bool, *, copy: bool) -> None:
    ahead = ahead_of_lessons(project)
    if ahead:
        raise LessonError(
            "This project is ahead of the lessons, so a lesson's files would not fit into it.",
            where=f"{project} has {', '.join(ahead)}",
            fix=f"jump to the lesson, your own work is kept: headwater lesson goto {lesson.number}",
        )
    at, label = timestamp(), f"{'reset' if copy else 'start'}-{lesson.number}"
    begun = beginning(project, lesson)
    laid = lay(project, begun.tree, label, at, remove=begun.remove, copy=copy)
    kept_progress.record_start(project, lesson, at)
    _report(_heading(lesson), laid, f"headwater lesson show {lesson.number}", as_json, begun)


def _report(
    heading: str, laid: Laid, following: str, as_json: bool, begun: Beginning | None = None
) -> None:
    kept = laid.kept
    stays = begun.stays if begun else {}
    broken = begun.broken if begun else []
    if as_json:
        where = None if kept is None else {"branch": kept.branch, "folder": kept.folder}
        facts = {"written": list(laid.written), "removed": list(laid.removed), "kept": where}
        own = {"stays": stays, "broken": [asdict(each) for each in broken]}
        _print_json({**facts, **own, "next": following})
        return
    console = _console()
    console.print(f"[bold]{escape(heading)}[/bold]")
    for verb, names in (("written", laid.written), ("removed", laid.removed)):
        if names:
            console.print(f"  {verb}: {escape(', '.join(names))}")
    if not laid.written and not laid.removed:
        console.print("  your files are these already")
    for path, own_names in stays.items():
        console.print(f"  yours, and still in {escape(path)}: {escape(', '.join(own_names))}")
    if kept is not None:
        _report_kept(kept, console)
    for each in broken:
        console.print(f"  [red]does not load now[/red]: {escape(str(each))}")
    if broken:
        console.print("  mend these lines; what they need is in your work that is kept")
    console.print(f"  next: {escape(following)}")


def _report_kept(kept: Kept, console: Console) -> None:
    place = f"on branch {kept.branch}" if kept.branch else f"in {kept.folder}"
    for said in (
        f"your own work is kept {place}",
        f"to see a file of it: {kept.one}",
        f"to get it back, over the lesson's files: {kept.back}",
    ):
        console.print(f"  {escape(said)}", soft_wrap=True)  # a command is not broken by us


def _progress_if_any() -> Progress:
    """The project's progress; an empty one where a lesson is only read and there is no project."""
    try:
        project = find_project()
    except KitError:
        return Progress()
    return load_progress(project)


def _heading(lesson: Lesson) -> str:
    return f"Lesson {lesson.number}: {lesson.title} ({lesson.minutes} minutes)"


def _table(states: list[dict[str, Any]]) -> Table:
    table = Table("", "Lesson", "Minutes", "In short", "State", "Runs", "Hints", box=None)
    for each in states:
        minutes, runs, hints = str(each["minutes"]), str(each["runs"]), str(each["hints"])
        short = str(each["minutes_short"] or "-")
        table.add_row(str(each["number"]), each["title"], minutes, short, _word(each), runs, hints)
    return table


def _next(lessons: tuple[Lesson, ...], progress: Progress) -> str:
    """The command that goes on: with the lesson in hand, else with the first that is not done."""
    unfinished = [each for each in lessons if not progress.of(each).over]
    in_hand = [each for each in unfinished if each.name == progress.current]
    if in_hand:
        return f"headwater grade {in_hand[0].number}"
    if unfinished:
        return f"headwater lesson start {unfinished[0].number}"
    return "headwater grade --all"


def _word(state: dict[str, Any]) -> str:
    colour = {"done": "green", "current": "yellow", "seen": "cyan"}.get(state["state"], "dim")
    return f"[{colour}]{state['state']}[/{colour}]"


def _console() -> Console:
    """Made for each use, so that it writes to the standard output of that moment."""
    return Console(soft_wrap=not sys.stdout.isatty())


def _print_page(text: str) -> None:
    """Markdown, laid out on a terminal; as it is for a program or an assistant."""
    if _console().is_terminal:
        _console().print(Markdown(text))
    else:
        print(text)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))
