"""One record, three ways to show it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from rich.console import Console

from headwater_workshop.grader.exports import as_csv, exercism, gradescope, junit, sarif
from headwater_workshop.report import (
    CheckResult,
    Finding,
    GradeResult,
    ObjectiveResult,
    show,
)

FINDING = Finding("V001", "It took [3] & <more>", "declare it", "headwater explain HW103")
RESULT = GradeResult(
    lesson="01-x",
    title="Schema",
    seed=42,
    jail="L3",
    objectives=(ObjectiveResult("L1.1", "Declare", False), ObjectiveResult("L1.2", "Say", True)),
    checks=(
        CheckResult(
            "one",
            "L1.1",
            "First",
            "failed",
            FINDING,
            seconds=0.5,
            place="backend/x.py f",
            rule="HW103",
        ),
        CheckResult("two", "L1.1", "Second", "skipped", reason="needs: First"),
        CheckResult("three", "L1.2", "Third", "passed"),
    ),
    seconds=1.25,
    sources="abc",
)


def test_the_terminal_shows_what_to_do_and_how_to_repeat_it() -> None:
    """Objectives, findings in What / Fix / More, counts, seed, jail and trust, as plain text."""
    out = io.StringIO()
    show(RESULT, Console(file=out, width=200))
    text = out.getvalue()
    for part in (
        "[V001] It took [3] & <more>",
        "At:   backend/x.py f, HW103",
        "Fix:  declare it",
        "More: headwater explain HW103",
        "Second (needs: First)",
        "L1.2 met",
        "not yet: 1 passed, 1 failed, 1 skipped in 1.2 s",
        "seed 42, jail L3, trust: local",
    ):
        assert part in text


def test_on_a_narrow_terminal_no_word_is_broken() -> None:
    """What does not fit into a line goes on below its own beginning."""
    out = io.StringIO()
    show(RESULT, Console(file=out, width=30))
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= 50, "short as it is, and no word is broken"
    whole = io.StringIO()
    show(RESULT, Console(file=whole, soft_wrap=True))
    assert out.getvalue().split() == whole.getvalue().split()
    assert len(lines) > len(whole.getvalue().splitlines())


def test_a_finding_does_not_steer_the_terminal() -> None:
    """Escape sequences out of a learner's error are shown as marks, not obeyed."""
    out = io.StringIO()
    check = replace(RESULT.checks[0], finding=replace(FINDING, what="a\x1b[2Jb\rc"))
    show(replace(RESULT, checks=(check,)), Console(file=out, width=200))
    assert "a\ufffd[2Jb\ufffdc" in out.getvalue()


def test_json_holds_the_whole_record() -> None:
    """A program reads the verdict and every finding."""
    data = json.loads(json.dumps(RESULT.to_json()))
    assert (data["passed"], data["seed"], data["trust"]) == (False, 42, "local")
    assert data["checks"][0]["finding"]["code"] == "V001"


def test_junit_has_one_case_for_each_check() -> None:
    """Failures carry message and text, skips their reason, properties how the run was made."""
    suite = ElementTree.fromstring(junit(RESULT))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "[V001] It took [3] & <more>"
    facts = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert facts == {"seed": "42", "jail": "L3", "trust": "local", "sources": "abc"}


def test_junit_survives_characters_that_xml_has_not() -> None:
    """Control characters in a learner's error do not make the file unreadable."""
    broken = replace(FINDING, what="bell \x07 and lone \ud800 surrogate")
    check = replace(RESULT.checks[0], finding=broken)
    ElementTree.fromstring(junit(replace(RESULT, checks=(check,))))


def test_a_skipped_check_is_no_pass_and_no_check_is_none_either() -> None:
    """Green means that every check ran and passed."""
    skipped = replace(RESULT, checks=RESULT.checks[1:])
    assert not skipped.passed
    assert not replace(RESULT, checks=()).passed
    assert replace(RESULT, checks=RESULT.checks[2:]).passed


def test_exercism_gets_its_third_version() -> None:
    """A status each, the objective as the task, and no test left out: a skipped one is an error."""
    data = exercism(RESULT)
    assert (data["version"], data["status"]) == (3, "fail")
    assert [test["status"] for test in data["tests"]] == ["fail", "error", "pass"]
    assert [test["task_id"] for test in data["tests"]] == [1, 1, 2]
    assert data["tests"][0]["message"].startswith("First\n[V001] It took")
    assert all(len(test["message"] or "") <= 500 for test in data["tests"])


def test_gradescope_gets_points_for_each_objective() -> None:
    """Partial credit: an objective that is met counts whatever the others do."""
    data = gradescope(RESULT)
    assert (data["score"], [test["max_score"] for test in data["tests"]]) == (10.0, [10.0, 10.0])
    assert [test["status"] for test in data["tests"]] == ["failed", "passed"]
    assert "Second: skipped, needs: First" in data["tests"][0]["output"]
    assert "trust: local" in data["output"]


def test_csv_has_a_row_for_each_check() -> None:
    """With what was seen where it failed."""
    head, *rows = csv.reader(io.StringIO(as_csv(RESULT)))
    assert head[:6] == ["lesson", "objective", "check", "outcome", "code", "rule"]
    assert rows[0][1:6] == ["L1.1", "First", "failed", "V001", "HW103"]
    assert [row[3] for row in rows] == ["failed", "skipped", "passed"]


def test_sarif_names_the_rule_and_the_file() -> None:
    """Only what a rule is about: a finding without one is no result there."""
    (result,) = sarif(RESULT)["runs"][0]["results"]
    assert result["ruleId"] == "HW103"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "backend/x.py"
    assert "It took [3] & <more>" in result["message"]["text"]
    without = replace(RESULT, checks=(replace(RESULT.checks[0], rule=""),))
    assert sarif(without)["runs"][0]["results"] == []


def test_a_finding_is_clean_in_every_form() -> None:
    """What a learner's program says is cut and has no control character, whoever shows it."""
    said = Finding("V001", "\x1b[2J\ud800\uffff" + "x" * 10**6, "mend \x07", "L1")
    assert said.what.startswith("\ufffd[2J\ufffd\ufffdxxx")
    assert len(said.what) < 3_000
    assert said.fix == "mend \ufffd"
    check = replace(RESULT.checks[0], finding=said)
    for form in (junit, as_csv):
        text = form(replace(RESULT, checks=(check,)))
        assert all(each.isprintable() for each in text.splitlines())
    ElementTree.fromstring(junit(replace(RESULT, checks=(check,))))
