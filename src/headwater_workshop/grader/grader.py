"""Grades one lesson of a project: tests, values and verdict here, handlers in a jailed process.

    project/backend/*.py --copied--> empty folder --loaded by--> jailed worker
    lessons/NN/tests/checks.py --run here, with a Lab--> calls --> results --> GradeResult

Nothing else of the project is read: no configuration, no installed plugin; and of its tests, in a
lesson that is about them, the text, which runs in a jail of its own. Inputs are random; the seed is
in the result.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from headwater.errors import HeadwaterError
from headwater.pipe import Process, WorkerFailed, WorkerLimits
from headwater.settings import Limits
from headwater.worker_placement import WorkerPlacement
from headwater.worlds import World
from headwater_workshop.checks import Check, load_checks
from headwater_workshop.kit import KitError
from headwater_workshop.lab.lab import CheckFailed, Lab, worker_finding
from headwater_workshop.lab.learner_process import LearnerProcess, SandboxTooWeak
from headwater_workshop.lab.learner_tests import TestRunner
from headwater_workshop.lab.other_worlds import OtherWorlds
from headwater_workshop.lab.stock import Stock
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import CheckResult, Finding, GradeResult, ObjectiveResult
from headwater_workshop.sandbox import jail

# A wrong solution that scans 10,000 documents takes a second of a busy laptop; it must hear of its
# scan, not of a time limit.
_PATIENT = Limits(function_limit_s=8.0)
_PATIENT_CALL_S = 12.0
_PATIENT_ACTION_S = 30.0  # the first to import a client of HTTP takes seconds on a busy machine
CHECK_LIMIT_S = 40.0  # one check, the host's own work included; the slowest takes about 3 s
CHECK_LIMIT_AGAIN_S = 0.2
WORKER_FAILURES = 3  # ended processes after which the rest of the run is given up
FILES_AT_MOST, FILE_BYTES_AT_MOST = 200, 262_144
DEPTH_AT_MOST = 16  # folders in folders

Begins = Callable[[int, int, str], Any]
"""Is told which check begins: its number, from 1, how many there are, and its title."""

_NOT_GRADED = ("conftest.py", "sitecustomize.py", "usercustomize.py")


class CheckTooLong(Exception):
    """A check was stopped: the grader itself was kept busy for too long."""


def grade(
    project: Path,
    lesson: Lesson,
    *,
    seed: int | None = None,
    limits: WorkerLimits | None = None,
    least: str = "L1",
    stock: Stock | None = None,
    begins: Begins = lambda _number, _of, _title: None,
) -> GradeResult:
    """Grade the backend of a project against one lesson.

    Args:
        project: the folder that holds `backend/`; only its Python files are read.
        lesson: what it is graded against.
        seed: makes the random inputs; a fresh one by default.
        limits: what the learner's process may take.
        least: the sandbox's level below which checks that need a network are skipped.
        stock: filled databases that are kept for the next verdict by the same seed.
        begins: called with the number of each check that begins, from 1, how many there are, and
            its title.

    Raises:
        KitError: this system has no processes that can be held.
    """
    if os.name != "posix":
        raise KitError(
            "The grader cannot hold a process on this system.",
            where=sys.platform,
            fix="run it on Linux or macOS; on Windows inside WSL2",
        )
    seed = secrets.randbits(32) if seed is None else seed
    started = perf_counter()
    checks = _announced(load_checks(lesson.read("tests/checks.py"), lesson.name), begins)
    sources = read_sources(project, lesson.reads)
    with _copied(sources) as folder, closing(LearnerProcess(folder, least)) as process:
        patient = limits or WorkerLimits(call_s=_PATIENT_CALL_S, action_s=_PATIENT_ACTION_S)
        results = _grade_copy(process, folder, sources, lesson, checks, seed, patient, stock)
    return GradeResult(
        lesson=lesson.name,
        title=lesson.title,
        seed=seed,
        jail=process.level,
        objectives=_objectives(lesson, results),
        checks=results,
        seconds=perf_counter() - started,
        sources=fingerprint(sources),
    )


def _announced(checks: Sequence[Check], begins: Begins) -> tuple[Check, ...]:
    """The same checks; each says first that it begins."""

    def announced(number: int, check: Check) -> Check:
        def run(lab: Lab) -> None:
            begins(number, len(checks), check.title)
            check.run(lab)

        return replace(check, run=run)

    return tuple(announced(number, check) for number, check in enumerate(checks, 1))


def read_sources(project: Path, folders: Sequence[str] = ("backend",)) -> dict[str, str]:
    """The files that are graded, by path: Python files of these folders, no links, of bounded
    size.
    """
    return {name: text for folder in folders for name, text in _read_folder(project, folder)}


def _read_folder(project: Path, name: str) -> Iterator[tuple[str, str]]:
    root, folder = (Path(os.path.realpath(each)) for each in (project, project / name))
    if not folder.is_relative_to(root):
        return  # a link to what somebody else wrote
    not_graded = _NOT_GRADED if name == "backend" else ()
    for path in sorted(_python_files(folder))[:FILES_AT_MOST]:
        if path.name not in not_graded and path.stat().st_size <= FILE_BYTES_AT_MOST:
            text = path.read_text(encoding="utf-8", errors="replace")
            yield f"{name}/{path.relative_to(folder).as_posix()}", text


def _python_files(folder: Path) -> Iterator[Path]:
    """The Python files below a folder, not too far below; nothing that is hidden or a link, or
    whose name is no text.
    """
    waiting = [(folder, 0)] if folder.is_dir() else []
    while waiting:
        here, depth = waiting.pop()
        for path in sorted(here.iterdir()):
            if path.name.startswith(".") or path.is_symlink() or not is_text(path.name):
                continue
            if path.is_dir() and depth < DEPTH_AT_MOST:
                waiting.append((path, depth + 1))
            elif path.suffix == ".py" and path.is_file():
                yield path


def is_text(name: str) -> bool:
    """Whether a file's name is text: Linux takes any bytes."""
    return name == name.encode(errors="replace").decode()


def fingerprint(sources: Mapping[str, str]) -> str:
    """A short name for the graded files' content."""
    digest = hashlib.sha256()
    for name, text in sorted(sources.items()):
        digest.update(f"{name}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()[:16]


@contextmanager
def _copied(sources: Mapping[str, str]) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="headwater-grade-")).resolve()
    try:
        (folder / "backend").mkdir()
        for name, text in sources.items():
            if not name.startswith("backend/"):
                continue  # the worker has no business with what does not run in it
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _grade_copy(
    process: LearnerProcess,
    folder: Path,
    sources: Mapping[str, str],
    lesson: Lesson,
    checks: tuple[Check, ...],
    seed: int,
    limits: WorkerLimits,
    stock: Stock | None,
) -> tuple[CheckResult, ...]:
    started = perf_counter()

    def made_in(world: World | None, launch: Callable[[], Process]) -> WorkerPlacement:
        return WorkerPlacement(
            launch, folder, end=jail.kill, limits=limits, function_limits=_PATIENT, world=world
        )

    try:
        worker = made_in(None, process)
    except HeadwaterError as error:
        loaded = _load_result(lesson, _load_finding(error, lesson), perf_counter() - started)
        reason = "the backend did not load"
        return (loaded, *(_skipped(check, reason) for check in checks))
    worlds, tests = OtherWorlds(process.started_in, made_in, seed), TestRunner()
    try:
        loaded = _load_result(lesson, None, perf_counter() - started)
        bench = partial(
            Lab, worker, sources, worlds=worlds, stock=stock, variants=lesson.variants, tests=tests
        )
        return (loaded, *_run_all(worker, bench, checks, seed))
    finally:
        worker.close()
        worlds.close()
        tests.close()


def _load_result(lesson: Lesson, finding: Finding | None, seconds: float) -> CheckResult:
    return CheckResult(
        name="loads",
        objective=lesson.objectives[0].id,
        title="The backend loads",
        outcome="passed" if finding is None else "failed",
        finding=finding,
        seconds=seconds,
    )


def _load_finding(error: HeadwaterError, lesson: Lesson) -> Finding:
    if isinstance(error, WorkerFailed):
        return worker_finding(error, str(lesson.number))
    text = str(error).removeprefix("Uncaught ")
    fix = "mend the line it names; `headwater check --load` and `headwater dev` show it too"
    more = f"headwater lesson show {lesson.number}"
    return Finding(lesson.objectives[0].id, f"backend/ does not load: {text}", fix, more)


def _run_all(
    worker: WorkerPlacement, bench: Callable[..., Lab], checks: tuple[Check, ...], seed: int
) -> Iterator[CheckResult]:
    passed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name not in passed]
        if worker.failures >= WORKER_FAILURES:
            yield _skipped(check, f"the process had to be ended {worker.failures} times")
        elif missing:
            titles = [each.title for each in checks if each.name in missing]
            yield _skipped(check, f"needs: {'; '.join(titles)}")
        else:
            result = _run(bench, check, seed)
            if result.outcome == "passed":
                passed.add(check.name)
            yield result


def _skipped(check: Check, reason: str) -> CheckResult:
    return CheckResult(check.name, check.objective, check.title, "skipped", reason=reason)


def _run(bench: Callable[..., Lab], check: Check, seed: int) -> CheckResult:
    started = perf_counter()
    late: list[bool] = []
    try:
        with _limited(late):
            finding = _finding(bench, check, seed)
    except CheckTooLong:
        finding = None
    except SandboxTooWeak as error:
        return _skipped(check, str(error))
    if late:
        finding = _too_long(check)
    return CheckResult(
        name=check.name,
        objective=check.objective,
        title=check.title,
        outcome="passed" if finding is None else "failed",
        finding=finding,
        seconds=perf_counter() - started,
        place=check.place,
        rule=check.rule,
    )


def _finding(bench: Callable[..., Lab], check: Check, seed: int) -> Finding | None:
    """Runs one check; None when it passed. Whatever else happens is a finding, never a pass."""
    lesson = check.objective.partition(".")[0].removeprefix("L")
    try:
        lab = bench(objective=check.objective, seed=f"{seed}:{check.name}")
    except Exception as error:  # a manifest that no database can serve
        return _unreadable(check, error, lesson)
    try:
        check.run(lab)
    except CheckFailed as failed:
        return failed.finding
    except WorkerFailed as error:
        return worker_finding(error, lesson)
    except (CheckTooLong, SandboxTooWeak):
        raise
    except Exception as error:
        return _unreadable(check, error, lesson)
    finally:
        lab.close()
    return None


def _unreadable(check: Check, error: Exception, lesson: str) -> Finding:
    what = f"What came back could not be read: {type(error).__name__}: {error}"
    fix = "return what the lesson asks for; if you did, please report this"
    return Finding(check.objective, what, fix, f"headwater lesson show {lesson}")


def _too_long(check: Check) -> Finding:
    what = f"The check took longer than {CHECK_LIMIT_S:g} s and was stopped."
    fix = "look for a structure in schema.py that is very costly to check"
    lesson = check.objective.partition(".")[0].removeprefix("L")
    return Finding("G102", what, fix, f"headwater lesson show {lesson}")


@contextmanager
def _limited(late: list[bool]) -> Iterator[None]:
    """Stops the block after CHECK_LIMIT_S; `late` is not empty once it was.

    What a learner's schema makes the host check is the host's own work, so it is bounded too.
    """
    on_main = threading.current_thread() is threading.main_thread()
    if not on_main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        late.append(True)
        raise CheckTooLong

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again: a call in which it is raised fails, and the check may go on to the next call.
    signal.setitimer(signal.ITIMER_REAL, CHECK_LIMIT_S, CHECK_LIMIT_AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _objectives(lesson: Lesson, results: tuple[CheckResult, ...]) -> tuple[ObjectiveResult, ...]:
    found = []
    for objective in lesson.objectives:
        own = [check for check in results if check.objective == objective.id]
        met = bool(own) and all(check.outcome == "passed" for check in own)
        found.append(ObjectiveResult(objective.id, objective.text, met))
    return tuple(found)
