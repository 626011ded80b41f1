"""The kill matrix: which check finds which mistake. A page for the docs, made from proofs."""

from __future__ import annotations

from collections.abc import Sequence

from headwater_workshop.checks import load_checks
from headwater_workshop.lessons import Lesson
from headwater_workshop.proof.proof import Kind, Proof, Proved

_HEAD = """# What finds what

Who grades must be sound and fair: nothing wrong passes, and nothing right fails. This page is the
evidence, made by

```console
$ headwater lesson verify --all --page docs/reference/kill-matrix.md
```

Each lesson is graded in every state that matters: its beginning and the stage before it must fail,
each right solution must pass, each wrong one must get the message it was made for, no cheat may
pass, and of the solution's mutants (one small change each) at least 95 % must be found.

| | Lesson | Right solutions passed | Wrong ones with their message | Cheats refused \
| Mutants found |
| --- | --- | --- | --- | --- | --- |
"""
_FOUND, _NOT = "●", ""


def page(proofs: Sequence[Proof]) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(map(row, proofs)) + "".join(map(section, proofs))


def row(proof: Proof) -> str:
    """A lesson's line of the first table."""
    return (
        f"| {proof.lesson.number} | [{proof.lesson.title}](#lesson-{proof.lesson.number}) "
        f"| {_right(proof)} | {_refused(proof, 'wrong')} | {_refused(proof, 'cheat')} "
        f"| {_mutants(proof)} |\n"
    )


def _right(proof: Proof) -> str:
    own = [case for case in proof.of("right") if case.against == proof.lesson.number]
    return _of(sum(case.passed for case in own), len(own))


def _refused(proof: Proof, kind: Kind) -> str:
    own = proof.of(kind)
    return _of(sum(case.good for case in own), len(own))


def _mutants(proof: Proof) -> str:
    killed, of = proof.killed
    return _of(killed, of)


def _of(some: int, every: int) -> str:
    return f"{some} of {every}"


def section(proof: Proof) -> str:
    """What is said of one lesson, with its heading."""
    lesson = proof.lesson
    return (
        f"\n## Lesson {lesson.number}\n\n{lesson.title}.\n\n"
        f"{_table(proof)}{_cheats(proof)}{_survivors(proof)}"
    )


def _table(proof: Proof) -> str:
    """Checks by wrong solutions, and how many mutants each check is the first to find."""
    wrong, mutants = proof.of("wrong"), proof.of("mutant")
    heads = "".join(f"| {case.name.partition('-')[0]} " for case in wrong)
    rows = "".join(
        f"| {title} {''.join(f'| {_FOUND if name in case.failed else _NOT} ' for case in wrong)}"
        f"| {sum(case.failed[:1] == (name,) for case in mutants) or ''} |\n"
        for name, title in _checks(proof.lesson)
    )
    line = "| --- " * (len(wrong) + 2) + "|\n"
    return f"| Check {heads}| Mutants |\n{line}{rows}"


def _checks(lesson: Lesson) -> list[tuple[str, str]]:
    found = load_checks(lesson.read("tests/checks.py"), lesson.name)
    return [("loads", "The backend loads"), *((check.name, check.title) for check in found)]


def _cheats(proof: Proof) -> str:
    names = ", ".join(f"`{case.name}`" for case in proof.of("cheat"))
    return f"\nCheats that do not pass: {names}.\n" if names else ""


def _survivors(proof: Proof) -> str:
    alive: list[Proved] = [case for case in proof.of("mutant") if case.passed]
    rows = "".join(f"- `{case.name}`: {case.reason or 'no reason is known.'}\n" for case in alive)
    return f"\nMutants that no check fails:\n\n{rows}" if rows else ""
