"""The bench a check works at: a fresh database, people who call, and what the host counted.

Everything here runs in the grader's process. The learner's functions are reached only through
calls; their results are plain data, compared by exact type.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from headwater.errors import DocumentInvalid
from headwater.host import FunctionKind, Host, Manifest, Page, Range, Scan, identity_of, python_name
from headwater.pipe import WorkerFailed
from headwater.worker_placement import WorkerPlacement
from headwater_workshop.learner_tests import TestRun, TestRunner
from headwater_workshop.report import Finding

_WORDS: Final = {bool: "a boolean", str: "a text", float: "a number", dict: "an object"}
_SHOWN = 60


class CheckFailed(Exception):
    """A check found something; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class _Absent:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


@dataclass(frozen=True)
class Attempt:
    """One call and how it ended.

    Attributes:
        ok: it returned.
        entered: its arguments fitted, so the handler was asked for.
        text: the error's first line, for messages.
        reads: documents the host handed to the handler.
        ranges: the index ranges it asked for, in order.
    """

    ok: bool
    value: Any
    text: str
    entered: bool
    reads: int
    writes: int
    ranges: tuple[Range, ...]


class Caller:
    """A person, or nobody, who calls public functions."""

    def __init__(self, lab: Lab, identity: dict[str, Any] | None) -> None:
        self._lab, self._identity = lab, identity

    def query(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """The result of a query; a call that fails fails the check."""
        return self._lab.value_of(path, self.attempt(path, arguments, kind="query"))

    def mutation(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """The result of a mutation; a call that fails fails the check."""
        return self._lab.value_of(path, self.attempt(path, arguments))

    def attempt(
        self, path: str, arguments: Mapping[str, Any], *, kind: FunctionKind = "mutation"
    ) -> Attempt:
        """A call that may fail."""
        return self._lab.call(path, kind, arguments, self._identity)


class Lab:
    """What a check gets.

    Attributes:
        random: chance for this check, from the run's seed and the check's name.
        sources: the learner's graded files, as text by path: data, never run here.
        anonymous: a caller who has not signed in.
        ABSENT: stands for a field that is not there.
    """

    ABSENT: Final = _Absent()

    def __init__(
        self,
        worker: WorkerPlacement,
        sources: Mapping[str, str],
        *,
        objective: str,
        seed: str,
        variants: Callable[[str], dict[str, dict[str, str]]] | None = None,
    ) -> None:
        self._variants = variants
        self._tests: TestRunner | None = None
        self._worker = worker
        self._objective = objective
        self.sources = sources
        self.random = random.Random(seed)
        self.anonymous = Caller(self, None)
        self._host = Host(worker, seed=self.random.getrandbits(32))

    @property
    def manifest(self) -> Manifest:
        """The learner's backend as plain data."""
        return self._host.manifest

    def person(self, subject: str) -> Caller:
        """Somebody signed in under this name."""
        return Caller(self, identity_of(subject))

    def empty(self) -> None:
        """Start over with an empty database."""
        self._host.close()
        self._host = Host(self._worker, seed=self.random.getrandbits(32))

    def close(self) -> None:
        """Let the database go, and whatever else was started."""
        self._host.close()
        if self._tests is not None:
            self._tests.close()

    # calls

    def call(
        self,
        path: str,
        kind: FunctionKind,
        arguments: Mapping[str, Any],
        identity: dict[str, Any] | None,
    ) -> Attempt:
        """One call; some of them share a millisecond, some do not.

        Raises:
            WorkerFailed: the learner's process did not play by the rules.
        """
        self._worker.failed = None
        ended = self._host.call(path, kind, dict(arguments), identity)
        if self._worker.failed is not None:
            raise self._worker.failed
        self._host.clock.advance(self.random.choice([0, 1, 7]))
        return Attempt(
            ok=ended.failure is None,
            value=ended.value,
            text="" if ended.failure is None else ended.failure.message.splitlines()[0],
            entered=ended.entered,
            reads=ended.documents_read,
            writes=ended.documents_written,
            ranges=self._ranges() if ended.entered else (),
        )

    def _ranges(self) -> tuple[Range, ...]:
        asked = self._worker.requests
        return tuple(each.range for each in asked if isinstance(each, Scan | Page))

    def value_of(self, path: str, attempt: Attempt) -> Any:
        """The value of a call that had to work; the check fails when it did not."""
        if not attempt.ok:
            self.fail(
                self._objective,
                seen=f"{path} refused a call that it should take: {attempt.text}",
                fix="read the error above; make the same call with `headwater run`",
                more=self._objective.partition(".")[0],
            )
        return attempt.value

    def entries(self, path: str) -> int:
        """How often a function's handler was asked for, in the whole run."""
        return self._worker.entered.get(path, 0)

    # the database, from the host's side

    def insert(self, table: str, document: Mapping[str, Any]) -> str:
        """Store a document; gives its id."""
        return self.insert_many(table, [document])[0]

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Store documents; a table that does not take them fails the check."""
        try:
            return self._host.insert(table, [dict(row) for row in rows])
        except DocumentInvalid as error:
            self.fail(
                self._objective,
                seen=f"The table {table} does not take the documents of this lesson: {error}",
                fix=f"keep the fields that {table} had before this lesson; new ones are optional",
                more=self._objective.partition(".")[0],
            )

    def delete(self, ids: Sequence[str]) -> None:
        """Delete documents, as nobody's call: somebody's change meanwhile."""
        self._host.delete(ids)

    def misfit(self, table: str, document: Mapping[str, Any]) -> str | None:
        """Why a table would refuse a document; None when it would take it."""
        return self._host.misfit(table, dict(document))

    def documents(self, table: str) -> list[dict[str, Any]]:
        """All documents of a table, in the order of their creation."""
        return self._host.documents(table)

    def stored_bytes(self, document_id: str) -> int:
        """The encoded size of one stored document."""
        return self._host.stored_bytes(document_id)

    # the learner's own tests

    def variants(self, kind: str) -> list[tuple[str, dict[str, str]]]:
        """The lesson's backends to run a learner's tests against, in random order.

        Args:
            kind: `correct` or `broken`.
        """
        found = list(self._variants(kind).items()) if self._variants is not None else []
        self.random.shuffle(found)
        return found

    def run_learner_tests(
        self, files: Mapping[str, str], variant: Mapping[str, str] | None = None
    ) -> TestRun:
        """The learner's tests, run in the jail against their own backend or a variant of it.

        Args:
            files: test files, and those they import, by path.
            variant: files laid over the learner's backend.

        Raises:
            WorkerFailed: the process that ran them did not play by the rules.
        """
        if self._tests is None:
            self._tests = TestRunner()
        own = {name: text for name, text in self.sources.items() if name.startswith("backend/")}
        return self._tests.run({**own, **(variant or {})}, files)

    # judging

    def fail(self, code: str, *, seen: str, fix: str, more: str) -> NoReturn:
        """End the check with a finding.

        Args:
            code: the observation's name, or the objective's.
            seen: what was observed, with numbers; never a hidden input or an expected value.
            fix: one next step.
            more: a rule's id (`HW103`), or a lesson's label (`L1`).
        """
        if more.startswith("HW"):
            more = f"headwater explain {more}"
        else:
            more = f"headwater lesson show {more.removeprefix('L')}"
        raise CheckFailed(Finding(code=code, what=seen, fix=fix, more=more))

    def expect_function(self, path: str, kind: FunctionKind) -> None:
        """The backend has this public function, of this kind."""
        spec = self.manifest.functions.get(path)
        name = f"{path.partition(':')[0]}.{python_name(path.partition(':')[2])}"
        if spec is None:
            self._refuse_contract(f"There is no function {path}.", f"keep {name}, under that name")
        if spec.kind != kind:
            self._refuse_contract(f"{path} is a {spec.kind}.", f"make {name} a @{kind}")
        if not spec.is_public:
            self._refuse_contract(f"{path} is internal.", f"make {name} public: @{kind}")

    def _refuse_contract(self, seen: str, fix: str) -> NoReturn:
        self.fail(self._objective, seen=seen, fix=fix, more=self._objective.partition(".")[0])

    @staticmethod
    def differs(one: Any, other: Any) -> bool:
        """Whether two values differ, types included: 1 and True do."""
        if type(one) is not type(other):
            return True
        if isinstance(one, dict):
            return one.keys() != other.keys() or any(Lab.differs(one[k], other[k]) for k in one)
        if isinstance(one, list):
            return len(one) != len(other) or any(map(Lab.differs, one, other))
        return bool(one != other)

    @staticmethod
    def describe(value: Any) -> str:
        """A value in a message, without its content where that is long."""
        if isinstance(value, _Absent):
            return "absent"
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, list):
            return f"a list of {len(value)}"
        text = repr(value) if isinstance(value, str | float) else ""
        return text if 0 < len(text) <= _SHOWN else _WORDS.get(type(value), type(value).__name__)

    @staticmethod
    def listed(arguments: Mapping[str, Any]) -> str:
        """The names of a call's arguments, for a message."""
        return ", ".join(arguments)

    python_name: Callable[[str], str] = staticmethod(python_name)


def worker_finding(error: WorkerFailed, lesson: str) -> Finding:
    """What a learner is told when their process was ended."""
    words = {
        "ended": "a function returns its result and never ends the process it runs in",
        "silent": "bound every loop, and leave waiting to actions",
        "flood": "print little: lines in a log are for people",
        "malformed": "leave the process's own pipes alone; a function speaks by returning",
    }
    lines = error.printed.strip().splitlines()
    last = f" It last printed: {lines[-1][:200]}" if lines else ""
    return Finding(
        "G101", f"{error}.{last}", words[error.reason], f"headwater lesson show {lesson}"
    )
