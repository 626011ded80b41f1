"""The command: `python -m evals run|tutor|score|page`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evals.arms import ARMS
from evals.claude import Budget, Skipped
from evals.leaks import score as score_transcript
from evals.page import write_page
from evals.runs import RESULTS, Run, judged, run_all, save
from evals.transcripts import load_transcript
from evals.tutoring import run_tutor
from headwater_workshop.lessons import Lesson, LessonError, find_lesson, load_lessons

app = typer.Typer(help="Does the guidance help, and does the tutor keep the learner's work?")

Tasks = Annotated[str, typer.Option(metavar="1,2", help="Lessons; all of them if left out.")]
Command = Annotated[str, typer.Option(help="The program that is asked.")]
Model = Annotated[str, typer.Option(help="Its model; its own choice if left out.")]
Turns = Annotated[int, typer.Option(min=1, help="Of one call.")]
Seconds = Annotated[float, typer.Option(min=1, help="Of one call.")]
Out = Annotated[Path, typer.Option(help="The folder of results.")]


@app.command()
def run(
    tasks: Tasks = "",
    arms: Annotated[str, typer.Option(help=f"Of {', '.join(ARMS)}.")] = ",".join(ARMS),
    repeats: Annotated[int, typer.Option(min=1)] = 1,
    turns: Turns = Budget.turns,
    dollars: Annotated[float, typer.Option(min=0.01, help="Of one call.")] = Budget.dollars,
    seconds: Seconds = Budget.seconds,
    total_dollars: Annotated[float, typer.Option(min=0.01, help="Of all calls together.")] = 10.0,
    command: Command = "claude",
    model: Model = "",
    out: Out = RESULTS,
) -> None:
    """Run lessons in arms, grade what came of each, and write DATE-arms.json."""
    chosen = [name.strip() for name in arms.split(",")]
    if unknown := set(chosen) - set(ARMS):
        raise typer.BadParameter(f"no arm {sorted(unknown)[0]!r}; there are {', '.join(ARMS)}")
    try:
        results = run_all(
            _lessons(tasks),
            chosen,
            Budget(turns, dollars, seconds),
            repeats=repeats,
            total_dollars=total_dollars,
            command=command,
            model=model,
            tell=_tell,
        )
    except Skipped as reason:
        _skip(reason)
    typer.echo(f"written: {save('arms', results, out)}")


@app.command()
def tutor(
    tasks: Tasks = "",
    turns: Turns = Budget.turns,
    dollars: Annotated[float, typer.Option(min=0.01, help="Of one conversation.")] = 3.0,
    seconds: Seconds = Budget.seconds,
    command: Command = "claude",
    model: Model = "",
    out: Out = RESULTS,
) -> None:
    """Play a learner in tutor mode, score what was given away, and write DATE-tutor.json."""
    try:
        results = run_tutor(
            _lessons(tasks),
            Budget(turns, dollars, seconds),
            command=command,
            model=model,
            tell=lambda text: typer.echo(f"> {text}"),
        )
    except Skipped as reason:
        _skip(reason)
    for each in results.scores:
        typer.echo(f"{each.lesson}: {each.leaks} leaks, {each.written} edits, clean: {each.clean}")
    typer.echo(f"written: {save('tutor', results, out)}")


@app.command()
def score(transcript: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Score a transcript of tutor mode; exits 1 when something was given away."""
    try:
        told = load_transcript(transcript)
        found = score_transcript(told, find_lesson(told.lesson), judged)
    except (ValueError, LessonError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps({**asdict(found), "clean": found.clean}, indent=2))
    raise typer.Exit(int(not found.clean))


@app.command()
def page() -> None:
    """Write the newest results into docs/guides/evals.md."""
    typer.echo("written" if write_page() else "up to date")


def _lessons(words: str) -> list[Lesson]:
    try:
        named = [find_lesson(word) for word in words.split(",") if word.strip()]
    except LessonError as error:
        raise typer.BadParameter(str(error)) from None
    return named or list(load_lessons())


def _tell(run: Run) -> None:
    verdict = "passed" if run.passed else f"not yet ({', '.join(run.observed) or run.outcome})"
    typer.echo(f"{run.task}  {run.arm}: {verdict}, {run.turns} turns, {run.dollars:.2f} dollars")


def _skip(reason: Skipped) -> None:
    typer.echo(f"skipped: {reason}")
    raise typer.Exit(0)


if __name__ == "__main__":
    app()
