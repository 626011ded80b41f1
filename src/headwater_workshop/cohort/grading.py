"""Grades every submission, some at a time; each result is kept as soon as it is there.

    OUT/results/NAME.json    one submission: what was graded, and what came of each lesson

What is kept is not graded again while the submission, the lessons and this version are the same:
who interrupts a long run goes on where it stopped.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from headwater_workshop.cohort.fetching import fetch
from headwater_workshop.cohort.groups import end, end_all, group
from headwater_workshop.cohort.submissions import Submission, project_in
from headwater_workshop.grader.grader import fingerprint, read_sources
from headwater_workshop.kit import KitError, write_whole
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import visible
from headwater_workshop.sandbox.jail import jail_level

SUBMISSION_S: Final = 300.0
"""What one submission may take of the wall clock; the slowest honest one takes about 40 s."""

STRANGERS: Final = ("L3", "L2")
_OUTPUT_BYTES: Final = 2**20
_PROBLEM_CHARS: Final = 500


@dataclass
class Graded:
    """One submission in the gradebook.

    Attributes:
        sources: a fingerprint of the files that were graded.
        course: a fingerprint of the lessons it was graded against.
        lessons: what came of each, by name.
        problem: why it could not be graded, or not to the end; empty when it was.
    """

    name: str
    place: str
    sources: str = ""
    course: str = ""
    lessons: dict[str, dict[str, Any]] = field(default_factory=dict)
    problem: str = ""

    def missing(self, lessons: Sequence[Lesson]) -> list[Lesson]:
        """The lessons it has no result of."""
        return [lesson for lesson in lessons if lesson.name not in self.lessons]


def check_jail() -> None:
    """Whether strangers' code may be run on this machine.

    Raises:
        KitError: its sandbox is too weak.
    """
    level = jail_level()
    if level not in STRANGERS:
        raise KitError(
            f"Strangers' code is not run in a sandbox of level {level}.",
            where="this machine: `headwater doctor` says what it lacks",
            fix="use Linux with Landlock and seccomp (5.13 or later), or install bubblewrap",
        )


def course_of(lessons: Sequence[Lesson], seed: int) -> str:
    """A short name for what is asked, and by whom: the checks of these lessons, what they hold a
    learner's tests against, the random inputs, and the grader's version.
    """
    digest = sha256(f"{version('headwater')}\0{seed}".encode())
    for lesson in lessons:
        for path, content in sorted(lesson.tree.items()):
            if path.startswith(("tests/", "right/")):
                digest.update(f"\0{lesson.name}/{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def folders_of(lessons: Sequence[Lesson]) -> list[str]:
    """The folders of a project that any of these lessons reads."""
    return sorted({name for lesson in lessons for name in lesson.reads})


def grade_cohort(
    every: Sequence[Submission],
    lessons: Sequence[Lesson],
    out: Path,
    *,
    jobs: int,
    seed: int | None = None,
    again: bool = False,
    told: Callable[[str], Any] = lambda name: None,
) -> list[Graded]:
    """Grade every submission.

    Args:
        out: the gradebook's folder; results of an earlier run are taken from there.
        seed: makes the random inputs, the same for everybody; by default a gradebook's own, that
            nobody could know when they handed in.
        again: grade also what has a result already.
        told: called with a submission's name when one lesson of it is done.

    Raises:
        KitError: strangers' code may not be run here, or the results would lie among theirs.
    """
    check_jail()
    _check_apart(every, out)
    chance = _seed_of(out, seed)
    with ThreadPoolExecutor(jobs) as pool:
        run = [pool.submit(_grade_one, each, lessons, out, chance, again, told) for each in every]
        try:
            for future in as_completed(run):
                future.result()
        except BaseException:  # Ctrl-C too: what is kept is kept, the rest is for the next run
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    return [future.result() for future in run]


def _check_apart(every: Sequence[Submission], out: Path) -> None:
    """What somebody handed in is not taken for a result of an earlier run, or the other way round:
    the next run would find the gradebook among the submissions.
    """
    places = {each.place.resolve() for each in every if isinstance(each.place, Path)}
    kept = out.resolve()
    if any(kept.is_relative_to(place) or kept.parent == place.parent for place in places):
        raise KitError(
            "The gradebook's folder is one of the submissions, or among them.",
            where=str(out),
            fix="name a folder beside the submissions: --out ../gradebook",
        )


def _seed_of(out: Path, given: int | None) -> int:
    """The seed of a gradebook: the one that is given, or the one it was begun with."""
    kept = out / "seed.txt"
    try:
        seed = int(kept.read_text(encoding="utf-8")) if given is None else given
    except (OSError, ValueError):
        seed = secrets.randbits(32)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(kept, f"{seed}\n")
    return seed


def _grade_one(
    submission: Submission,
    lessons: Sequence[Lesson],
    out: Path,
    seed: int,
    again: bool,
    told: Callable[[str], Any],
) -> Graded:
    store = out / "results" / f"{submission.name}.json"
    graded = Graded(submission.name, str(submission.place), course=course_of(lessons, seed))
    try:
        folders = folders_of(lessons)
        with _project(submission, folders) as project:
            graded.sources = fingerprint(read_sources(project, folders))
            kept = None if again else _kept(store, graded)
            graded.lessons = kept or {}
            for _ in graded.lessons:
                told(submission.name)
            _run(project, graded, lessons, seed, lambda: _keep(store, graded, told))
    except Exception as error:  # of a stranger's files, which may be anything
        what = getattr(error, "what", "") or f"{type(error).__name__}: {error}"
        graded.problem = visible(what, _PROBLEM_CHARS).replace("\n", " ")
    for _ in graded.missing(lessons):
        told(submission.name)
    _write(store, graded)
    return graded


@contextmanager
def _project(submission: Submission, folders: Sequence[str]) -> Iterator[Path]:
    """The folder of a submission's project, brought here if it is not."""
    if isinstance(submission.place, Path):
        yield project_in(submission.place)
        return
    with tempfile.TemporaryDirectory(prefix="headwater-cohort-") as folder:
        fetch(submission.place, Path(folder), folders)
        yield project_in(Path(folder))


def _kept(store: Path, graded: Graded) -> dict[str, dict[str, Any]] | None:
    """What an earlier run found out about the same files and the same lessons."""
    try:
        before = json.loads(store.read_text(encoding="utf-8"))
        same = (before["sources"], before["course"]) == (graded.sources, graded.course)
        return dict(before["lessons"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(store: Path, graded: Graded, told: Callable[[str], Any]) -> None:
    _write(store, graded)
    told(graded.name)


def _write(store: Path, graded: Graded) -> None:
    store.parent.mkdir(parents=True, exist_ok=True)
    write_whole(store, json.dumps(asdict(graded), indent=2) + "\n")


def _run(
    project: Path,
    graded: Graded,
    lessons: Sequence[Lesson],
    seed: int,
    kept: Callable[[], Any],
) -> None:
    """Grade what has no result yet, in a process that is ended when its time is up."""
    names = [lesson.name for lesson in graded.missing(lessons)]
    if not names:
        return
    order = {"project": str(project), "lessons": names, "seed": seed}
    late = threading.Event()
    with group(
        [sys.executable, "-m", "headwater_workshop.cohort.one"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:

        def stop() -> None:
            late.set()
            end(process)

        timer = threading.Timer(SUBMISSION_S, stop)
        timer.start()
        try:
            _read(process, json.dumps(order).encode(), graded, kept)
        finally:
            timer.cancel()
    if late.is_set():
        graded.problem = f"took longer than {SUBMISSION_S:g} s; what was not reached is not graded"
    elif graded.missing(lessons):
        graded.problem = "the grader itself ended before the last lesson; please report this"


def _read(
    process: subprocess.Popen[bytes], order: bytes, graded: Graded, kept: Callable[[], Any]
) -> None:
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018
    process.stdin.write(order)
    process.stdin.close()
    for line in process.stdout:
        if len(line) > _OUTPUT_BYTES:
            return
        result = json.loads(line)
        graded.lessons[result.pop("lesson")] = result
        kept()
