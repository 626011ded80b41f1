"""`headwater grade --watch`: a verdict after each save, by workers that start warm."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from headwater_workshop.grader.grader import fingerprint, grade, read_sources
from headwater_workshop.lab.stock import Stock
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import GradeResult
from headwater_workshop.sandbox import jail

DEBOUNCE_MS: Final = 50
STEP_MS: Final = 20


def watch(
    project: Path,
    lesson: Lesson,
    saves: Iterable[Any],
    told: Callable[[GradeResult, float], Any],
    *,
    seed: int | None = None,
    graded: Callable[..., GradeResult] = grade,
) -> None:
    """Grade a lesson now, and again after each save that changed something.

    All verdicts are by one seed: what is found wrong is found again until it is mended, and what
    the seed has filled databases with is kept.

    Args:
        saves: gives something at once and whenever a file was saved; when it ends, this ends.
        told: called with each result, and the seconds from the save to it.
        seed: makes the random inputs; a fresh one by default.
        graded: grades, as `grader.grade` does.
    """
    jail.expect_workers()
    seen, stock = "", Stock()
    seed = secrets.randbits(32) if seed is None else seed
    for _ in saves:
        started = perf_counter()
        now = fingerprint(read_sources(project, lesson.reads))
        if now != seen:
            seen = now
            result = graded(project, lesson, seed=seed, stock=stock)
            told(result, perf_counter() - started)


def saved_files(project: Path, lesson: Lesson) -> Iterator[Any]:
    """Something for each save below the folders that the lesson reads, until Ctrl-C.

    The first comes as soon as the folders are watched: what is saved while it is graded comes next.
    """
    from watchfiles import PythonFilter, watch

    folders = [project / name for name in lesson.reads if (project / name).is_dir()]
    turns = watch(
        *folders,
        watch_filter=PythonFilter(),
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        rust_timeout=STEP_MS,
        yield_on_timeout=True,
    )
    yield next(turns)
    yield from filter(None, turns)
