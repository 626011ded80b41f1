"""The whole proof of one lesson, case by case, each a grading of its own.

    starter, the stage before      must fail
    solution, right/NAME           must pass, and so must the stage with each lesson before it
    wrong/NAME                     must fail, with the code and the phrase it was made for
    cheat/NAME                     must fail
    mutants of the solution        must fail, at least MOST_KILLED of them

A mutant that no check fails is a survivor: it is listed in `survivors.toml` with the reason.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from headwater_workshop.grader.grader import grade
from headwater_workshop.kit import Tree, write_tree
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.proof.cheats import CHEATED, CHEATS
from headwater_workshop.proof.mutants import mutants
from headwater_workshop.report import GradeResult
from headwater_workshop.stages import stage, started, variant

SEED: Final = 20_251
MOST_KILLED: Final = 0.95

Kind = Literal["starter", "right", "wrong", "cheat", "mutant"]
KINDS: Final[tuple[Kind, ...]] = ("starter", "right", "wrong", "cheat", "mutant")


@dataclass(frozen=True)
class Case:
    """A project, the lesson it is graded against, and what must come of it."""

    kind: Kind
    name: str
    against: int
    tree: Tree


@dataclass(frozen=True)
class Proved:
    """How one case ended.

    Attributes:
        good: as it must.
        passed: what the grader said.
        said: the first finding's code and text; empty when it passed.
        failed: names of the checks that failed.
        reason: why a mutant survives, where that is known.
    """

    kind: Kind
    name: str
    against: int
    good: bool
    passed: bool
    said: str
    failed: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Proof:
    """Every case of one lesson."""

    lesson: Lesson
    cases: tuple[Proved, ...]

    def of(self, kind: Kind) -> list[Proved]:
        """The cases of one kind."""
        return [case for case in self.cases if case.kind == kind]

    @property
    def killed(self) -> tuple[int, int]:
        """Mutants that some check fails, and mutants in all, without those that are no mistake."""
        counted = [each for each in self.of("mutant") if not self._is_same(each)]
        return sum(not each.passed for each in counted), len(counted)

    @property
    def faults(self) -> list[str]:
        """What keeps the lesson from being proven, in words."""
        found = [
            f"{case.kind} {case.name}: {_wrong_end(case)}" for case in self.cases if not case.good
        ]
        killed, of = self.killed
        if of and killed < MOST_KILLED * of:
            found.append(f"only {killed} of {of} mutants are killed")
        return found + self._stale_survivors()

    def _stale_survivors(self) -> list[str]:
        alive = {each.name for each in self.of("mutant") if each.passed}
        listed = self.lesson.survivors if self.of("mutant") else {}
        return [
            f"survivors.toml names {name!r}, which is killed or gone"
            for name in listed.keys() - alive
        ]

    def _is_same(self, case: Proved) -> bool:
        survivor = self.lesson.survivors.get(case.name)
        return case.passed and survivor is not None and survivor.same


def _wrong_end(case: Proved) -> str:
    if case.kind == "mutant":
        return "no check fails; add one, or list it in survivors.toml with the reason"
    if case.passed:
        return f"passes lesson {case.against}"
    return f"lesson {case.against} says {case.said}"


def cases(lesson: Lesson, *, mutated: bool) -> Iterator[Case]:
    """Everything that is graded to prove a lesson."""
    lessons, number = _with(lesson), lesson.number
    yield Case("starter", "the stage before", number, stage(number - 1, lessons))
    yield Case("starter", "starter", number, started(lesson, lessons))
    solved = stage(number, lessons)
    for before in lessons[: lessons.index(lesson) + 1]:
        yield Case("right", f"solution, lesson {before.number}", before.number, solved)
    yield from _variants("right", lesson, lesson.right, lessons)
    yield from _variants("wrong", lesson, lesson.wrong, lessons)
    yield from _variants("cheat", lesson, lesson.cheats, lessons)
    if number == CHEATED:
        for name, cheat in CHEATS.items():
            yield Case("cheat", name, number, cheat.project())
    if mutated:
        for mutant in mutants(lesson, lessons):
            yield Case("mutant", mutant.name, number, mutant.tree)


def _variants(
    kind: Kind, lesson: Lesson, names: Iterable[str], lessons: tuple[Lesson, ...]
) -> Iterator[Case]:
    for name in names:
        yield Case(kind, name, lesson.number, variant(lesson, f"{kind}/{name}", lessons))


def _with(lesson: Lesson) -> tuple[Lesson, ...]:
    """The published lessons, and this one even when it is a draft."""
    every = load_lessons(drafts=True)
    return tuple(each for each in every if not each.draft or each.number == lesson.number)


def prove(
    lesson: Lesson,
    *,
    mutated: bool = True,
    jobs: int = 2,
    told: Callable[[int, int], Any] = lambda done, total: None,
) -> Proof:
    """Grade every case of a lesson.

    Args:
        mutated: with mutants, which take the longest.
        jobs: how many are graded at once.
        told: called with how many cases are done, and how many there are.
    """
    every = list(cases(lesson, mutated=mutated))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        run = {pool.submit(partial(_graded, case.against), dict(case.tree)): case for case in every}
        ended = {}
        told(0, len(every))
        for done, future in enumerate(as_completed(run), 1):
            case = run[future]
            ended[case.kind, case.name] = _proved(lesson, case, future.result())
            told(done, len(every))
    return Proof(lesson, tuple(ended[case.kind, case.name] for case in every))


def _graded(against: int, tree: Tree) -> GradeResult:
    """Grade files as a project; runs in a process of its own."""
    lesson = next(each for each in load_lessons(drafts=True) if each.number == against)
    with tempfile.TemporaryDirectory() as folder:
        write_tree(tree, Path(folder))
        return grade(Path(folder), lesson, seed=SEED)


def _proved(lesson: Lesson, case: Case, result: GradeResult) -> Proved:
    findings = [check.finding for check in result.checks if check.finding is not None]
    first = findings[0] if findings else None
    survivor = lesson.survivors.get(case.name) if case.kind == "mutant" else None
    good = result.passed if case.kind == "right" else not result.passed
    if case.kind == "wrong" and first is not None:
        expected = lesson.expected(case.name)
        good = first.code == expected.code and expected.phrase in first.what
    if case.kind == "starter":
        good = good and result.checks[0].outcome == "passed"  # it loads, and is not yet right
    return Proved(
        kind=case.kind,
        name=case.name,
        against=case.against,
        good=good or survivor is not None,
        passed=result.passed,
        said="" if first is None else f"[{first.code}] {first.what}",
        failed=tuple(check.name for check in result.checks if check.outcome == "failed"),
        reason="" if survivor is None else survivor.reason,
    )
