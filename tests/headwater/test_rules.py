"""The registry: every rule is complete, and its examples prove it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from headwater.check import check_project
from headwater.rules import RULES, Rule, rule

STATIC = [entry for entry in RULES.values() if "S" in entry.stages]


def check_example(root: Path, code: str) -> list[tuple[str, int]]:
    """Codes and lines of the findings in an example, written where its first line says."""
    name = code.splitlines()[0].removeprefix("# ")
    path = root / name
    path.parent.mkdir(parents=True)
    path.write_text(code, encoding="utf-8")
    return [(finding.code, finding.line) for finding in check_project(root)]


def marks(entry: Rule) -> list[tuple[str, int]]:
    """The lines of a bad example that say they break the rule."""
    lines = enumerate(entry.bad.splitlines(), 1)
    return [(entry.id, number) for number, line in lines if f"# <- {entry.id}" in line]


@pytest.mark.parametrize("entry", STATIC, ids=lambda entry: entry.id)
def test_a_bad_example_breaks_its_rule_and_no_other(tmp_path: Path, entry: Rule) -> None:
    """Exactly the marked lines, exactly this code."""
    assert check_example(tmp_path, entry.bad) == marks(entry)


@pytest.mark.parametrize("entry", RULES.values(), ids=lambda entry: entry.id)
def test_a_good_example_breaks_no_rule(tmp_path: Path, entry: Rule) -> None:
    """What a page recommends passes the checker."""
    assert check_example(tmp_path, entry.good) == []


@pytest.mark.parametrize("entry", RULES.values(), ids=lambda entry: entry.id)
def test_a_rule_is_complete(entry: Rule) -> None:
    """Every text is there, the examples parse, and the bad one marks its lines."""
    texts = (entry.title, entry.mistake, entry.rule, entry.why, entry.fix)
    assert all(text and text.strip() == text for text in texts)
    assert entry.stages
    assert entry.page == f"rules/{entry.id}.md"
    assert ast.parse(entry.bad)
    assert ast.parse(entry.good)
    assert marks(entry)


@pytest.mark.parametrize("entry", RULES.values(), ids=lambda entry: entry.id)
def test_sentences_fit_where_they_are_put(entry: Rule) -> None:
    """A rule is a sentence; its why is a clause that follows `What: ...; `."""
    assert entry.rule.endswith(".")
    assert not entry.why.endswith(".")
    assert entry.why[0].islower()
    assert len(entry.title) <= 40


def test_rules_are_in_order_of_their_numbers() -> None:
    """A list of rules reads upwards."""
    assert list(RULES) == sorted(RULES)


def test_a_rule_is_found_by_its_id() -> None:
    """Any other id is a KeyError."""
    assert rule("HW203") is RULES["HW203"]
    with pytest.raises(KeyError):
        rule("HW999")


def test_a_finding_takes_why_and_fix_from_its_rule() -> None:
    """At run time only what was seen has to be said."""
    finding = rule("HW205").finding(
        "ctx.db.patch() was not awaited",
        stage="T",
        path="backend/tasks.py",
        line=8,
        function="tasks:complete",
        kind="mutation",
    )
    assert finding.render() == (
        "HW205 backend/tasks.py:8  mutation tasks:complete\n"
        "  What: ctx.db.patch() was not awaited; a ctx call does nothing until it is awaited, so "
        "the write is lost without a word.\n"
        "  Fix:  put `await` in front of the call; several at once go into asyncio.gather\n"
        "  More: headwater explain HW205"
    )


def test_a_finding_without_a_place_has_no_empty_parts() -> None:
    """Nothing is known of the line, and nothing stands for it."""
    finding = rule("HW104").finding("get_tasks was called directly", stage="T")
    assert finding.heading() == "HW104"
