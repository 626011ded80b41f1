"""`headwater explain`: a rule's page in the terminal."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner, Result

from headwater.cli.explain import explain
from headwater.rules import RULES, Rule

app = typer.Typer()
app.command()(explain)


def run(*args: str) -> Result:
    """The command with these arguments."""
    return CliRunner().invoke(app, args)


@pytest.mark.parametrize("entry", RULES.values(), ids=lambda entry: entry.id)
def test_a_rule_is_explained_whole(entry: Rule) -> None:
    """Its rule, its reason and both examples, line by line."""
    done = run(entry.id)
    assert done.exit_code == 0
    assert f"{entry.id}  {entry.title}\n\n{entry.rule}\n" in done.stdout
    for line in (entry.why, *entry.fix.splitlines(), *entry.good.splitlines()):
        assert line in done.stdout


def test_lower_case_will_do() -> None:
    """Nobody holds the shift key for a number."""
    assert run("hw203").stdout == run("HW203").stdout


@pytest.mark.parametrize("code", ["V002", "q101", "L1.2"])
def test_what_a_grade_saw_is_told_from_rules(code: str) -> None:
    """Who asks for such a code reads where its rule stands."""
    done = run(code)
    assert done.exit_code == 2
    assert f"{code} is no rule, but what a check of `headwater grade` saw" in done.stderr
    assert "`More:`" in done.stderr


def test_without_a_code_the_rules_are_listed() -> None:
    """One line each."""
    assert run().stdout.splitlines() == [f"{r.id}  {r.title}" for r in RULES.values()]


def test_an_unknown_rule_gets_a_suggestion() -> None:
    """Exit code 2, and the nearest number."""
    done = run("HW2003")
    assert done.exit_code == 2
    assert done.stderr == "headwater explain: there is no rule HW2003; did you mean HW203?\n"
