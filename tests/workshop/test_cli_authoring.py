"""`headwater lesson new|verify`, as an author of lessons uses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater_workshop import kit
from headwater_workshop.cli.lesson import app
from headwater_workshop.lessons import load_lessons
from headwater_workshop.proof import proof
from headwater_workshop.proof.matrix import page
from headwater_workshop.proof.proof import Case, Proof, Proved
from headwater_workshop.proof.scaffold import scaffold

SECOND = load_lessons()[1]
RUN = CliRunner()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, with the lessons of this one."""
    kit.write_tree(kit.lessons_tree(), tmp_path / "lessons")
    shutil.copytree(kit.kit_root() / "template", tmp_path / "template")
    (tmp_path / "copier.yml").write_text("")
    monkeypatch.setattr(kit, "_CHECKOUT", tmp_path)
    return tmp_path


def test_a_new_lesson_is_a_draft_that_loads(checkout: Path) -> None:
    """It has the next number, is in no list yet, and says what to do next."""
    before = load_lessons(drafts=True)
    ended = RUN.invoke(app, ["new", "Vector search"])
    assert ended.exit_code == 0, ended.output
    made = load_lessons(drafts=True)[-1]
    assert set(scaffold("Vector search", "vector", before)) == {
        f"{len(before) + 1:02}-vector/{name}"
        for name in ("lesson.toml", "lesson.md", "tests/checks.py")
    }
    assert (made.name, made.draft) == (f"{len(before) + 1:02}-vector-search", True)
    assert made not in load_lessons()
    assert "headwater lesson verify vector-search" in ended.output
    assert (checkout / "lessons" / made.name / "tests" / "checks.py").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["!!", "--name", "A b"], "cannot name a lesson"), (["Indexes or scans"], "there is a")],
)
def test_a_name_that_cannot_be_used_is_refused(words: list[str], said: str, checkout: Path) -> None:
    """With what to do about it, and nothing is written."""
    before = sorted(checkout.rglob("*"))
    ended = RUN.invoke(app, ["new", *words])
    assert ended.exit_code == 2
    assert said in ended.stderr.lower() or said in ended.stderr
    assert "Fix:" in ended.stderr
    assert sorted(checkout.rglob("*")) == before


def test_an_unfinished_lesson_cannot_be_proven(checkout: Path) -> None:
    """What is missing is named."""
    RUN.invoke(app, ["new", "Vector search"])
    ended = RUN.invoke(app, ["verify", "vector-search"])
    assert ended.exit_code == 2
    assert "has no files in starter/" in ended.stderr


def test_which_lesson_has_to_be_said() -> None:
    """`--all` is never meant by accident: it takes minutes."""
    ended = RUN.invoke(app, ["verify"])
    assert ended.exit_code == 2
    assert "--all" in ended.stderr


def proved(kind: proof.Kind, name: str, *, passed: bool, good: bool = True) -> Proved:
    """One case of a proof that a test makes up."""
    said = "" if passed else "[Q101] Read 10 documents"
    failed = () if passed else ("reads",)
    return Proved(kind, name, 2, good, passed, said, failed, "either order" if passed else "")


def test_a_fault_says_which_case_ended_wrongly() -> None:
    """In words, for a person; a proven lesson has none."""
    wrong = proved("wrong", "Q101-filter", passed=True, good=False)
    right = proved("right", "other", passed=False, good=False)
    found = Proof(SECOND, (wrong, right)).faults
    assert found == [
        "wrong Q101-filter: passes lesson 2",
        "right other: lesson 2 says [Q101] Read 10 documents",
    ]
    assert Proof(SECOND, (proved("wrong", "Q101-filter", passed=False),)).faults == []


def test_too_many_survivors_are_a_fault() -> None:
    """At least 95 % of the mutants have to be found, whatever reasons are given."""
    (same,) = SECOND.survivors
    killed = [proved("mutant", f"m{n}", passed=False) for n in range(18)]
    alive = [proved("mutant", name, passed=True) for name in (same, "a", "b")]
    ended = Proof(SECOND, (*killed, *alive))
    assert ended.killed == (18, 20)
    assert ended.faults == ["only 18 of 20 mutants are killed"]
    assert "either order" in page([ended])


def test_a_listed_survivor_that_is_gone_is_a_fault() -> None:
    """The list is as true as the page that is made of it."""
    (same,) = SECOND.survivors
    ended = Proof(SECOND, (proved("mutant", same, passed=False),))
    assert ended.faults == [f"survivors.toml names {same!r}, which is killed or gone"]


def test_a_lesson_is_proven_in_numbers_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--json` gives each case; here two of them, really graded."""

    def two(lesson, *, mutated):  # type: ignore[no-untyped-def]
        every = {case.name: case for case in CASES(lesson, mutated=mutated)}
        yield every["starter"]
        yield every["completed-first"]

    CASES = proof.cases
    monkeypatch.setattr(proof, "cases", two)
    ended = RUN.invoke(app, ["verify", "2", "--json", "--no-mutants"])
    assert ended.exit_code == 0, ended.output
    (told,) = json.loads(ended.stdout)
    assert (told["lesson"], told["proven"], told["faults"]) == (SECOND.name, True, [])
    assert [(case["kind"], case["passed"]) for case in told["cases"]] == [
        ("starter", False),
        ("right", True),
    ]


def test_every_case_of_a_lesson_is_named_once() -> None:
    """No two cases share a name: none could hide another."""
    every: list[Case] = list(proof.cases(SECOND, mutated=True))
    assert len({(case.kind, case.name) for case in every}) == len(every)
    assert {case.kind for case in every} == set(proof.KINDS)
