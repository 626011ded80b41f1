"""What a check sees of calls: who made them, what they changed, what they said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_workshop.checks import CheckFailed, Lab
from headwater_workshop.lab.tests import LearnerTested
from tests.workshop.labs import made_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab over a small backend."""
    made = made_lab(tmp_path)
    yield made
    made.close()


def test_an_attempt_tells_what_was_committed_in_order(lab: Lab) -> None:
    """Net changes by kind; what was inserted and deleted again is none."""
    task = lab.anonymous.mutation("tasks:add", {"title": "one"})
    attempt = lab.anonymous.attempt("tasks:finish", {"id": task, "title": "two"})
    patched, inserted = attempt.changes
    assert (patched.kind, patched.table, patched.id) == ("patch", "tasks", task)
    assert patched.document is not None
    assert patched.document["done"] is True
    assert (inserted.kind, inserted.document and inserted.document["title"]) == ("insert", "two!")
    assert attempt.writes == 5
    (gone,) = lab.anonymous.attempt("tasks:remove", {"id": task}).changes
    assert (gone.kind, gone.id, gone.document) == ("delete", task, None)
    assert [commit.path for commit in lab.commits()] == [
        "tasks:add",
        "tasks:finish",
        "tasks:remove",
    ]


def test_a_refused_call_changed_nothing_and_tells_its_data_and_log(lab: Lab) -> None:
    """An AppError's data is there as it was raised, and what was printed before it."""
    attempt = lab.anonymous.attempt("tasks:add", {"title": "taken"})
    assert (attempt.ok, attempt.changes) == (False, ())
    assert attempt.data == {"code": "TAKEN", "retry_after_ms": 900}
    assert attempt.log_lines == ("[LOG] 'adding' 'taken'",)
    assert attempt.rule == ""
    assert attempt.seconds > 0


def test_a_rule_broken_while_it_ran_is_named(lab: Lab) -> None:
    """A check gives its own code for it; other failures have none."""
    assert lab.anonymous.attempt("tasks:opens", {}).rule == "HW203"
    assert lab.anonymous.attempt("tasks:add", {"title": 3}).rule == ""


def test_people_differ_by_issuer_and_have_claims(lab: Lab) -> None:
    """One subject of two issuers is two people."""
    ana = lab.person("ana", "https://other.example", given_name="Ana")
    assert ana.query("tasks:who", {}) == ["https://other.example", "Ana"]
    assert lab.person("ana").query("tasks:who", {})[0] != "https://other.example"


def test_an_insider_belongs_to_the_project(lab: Lab) -> None:
    """Once in `users`, with a role in `project_members`, and an owner in the project itself."""
    project = lab.insert("projects", {"name": "P", "owner": "zoe"})
    assert lab.person("ben").query("tasks:role", {"projectId": project}) == "stranger"
    ben = lab.insider(project, "ben", role="member")
    assert ben.query("tasks:role", {"projectId": project}) == "member"
    assert lab.documents("projects")[0]["owner"] == "zoe"
    lab.insider(project, "ben")
    assert ben.query("tasks:role", {"projectId": project}) == "owner"
    assert lab.documents("projects")[0]["owner"] == "ben"
    assert (len(lab.documents("users")), len(lab.documents("project_members"))) == (1, 1)


def test_an_insider_of_a_backend_without_members_is_the_owner(tmp_path: Path) -> None:
    """At an early stage a project's owner is all that there is."""
    schema = (
        "from headwater import Document\n"
        "class Project(Document, table='projects'):\n    name: str\n    owner: str\n"
    )
    lab = made_lab(tmp_path, files={"schema.py": schema})
    project = lab.insert("projects", {"name": "P", "owner": "zoe"})
    lab.insider(project)
    assert lab.documents("projects")[0]["owner"] == "ana"
    assert not {"users", "project_members"} & set(lab.manifest.tables)
    lab.close()


def test_internal_functions_are_called_as_the_scheduler_does(lab: Lab) -> None:
    """A client cannot reach them, and nobody is signed in."""
    assert not lab.anonymous.attempt("tasks:note", {"title": "x"}).ok
    assert lab.call_internal("tasks:note", {"title": "x"}).ok
    assert [task["title"] for task in lab.documents("tasks")] == ["x"]


def test_a_followed_query_is_pushed_what_changes_it(lab: Lab) -> None:
    """One push for a write it read, none for others, none once it is closed."""
    followed = lab.follow(lab.anonymous, "tasks:titles", {"done": False})
    lab.anonymous.mutation("tasks:add", {"title": "one"})
    lab.insert("projects", {"name": "P", "owner": "ana"})
    assert (followed.value, followed.updates, followed.runs) == (["one"], [[], ["one"]], 2)
    followed.close()
    lab.anonymous.mutation("tasks:add", {"title": "two"})
    assert (followed.value, followed.runs, followed.failed) == (["one"], 2, "")


def test_a_followed_query_that_fails_says_why(lab: Lab) -> None:
    """Its failure is one line; there is no value."""
    followed = lab.follow(lab.anonymous, "tasks:who", {})
    assert "signed in" in followed.failed
    assert followed.value is None


def test_a_function_that_the_check_has_to_have_is_asked_for(lab: Lab) -> None:
    """Missing, of another kind, internal: each is a finding."""
    lab.expect_function("tasks:add", "mutation")
    for path in ("tasks:gone", "tasks:titles", "tasks:note"):
        with pytest.raises(CheckFailed):
            lab.expect_function(path, "mutation")


def test_entries_are_counted_by_the_host(lab: Lab) -> None:
    """A call that was refused its arguments did not enter."""
    lab.anonymous.attempt("tasks:add", {"title": 3})
    assert lab.entries("tasks:add") == 0
    lab.anonymous.mutation("tasks:add", {"title": "one"})
    assert lab.entries("tasks:add") == 1


def test_a_lesson_without_variants_has_none_to_test_against(lab: Lab) -> None:
    """Nothing is made up, and nothing was started that closing would have to end."""
    assert isinstance(lab, LearnerTested)
    assert lab.variants("broken") == []
