"""What `headwater deploy` asks of a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headwater.deploy_api import DEPLOY_ROUTES, PREFLIGHT, ROLL, code_mark
from headwater.loader import load
from tests.headwater.projects import TASKS, write_project
from tests.headwater.served import Served

DONE = "\n\n@query\nasync def done(ctx: QueryCtx) -> bool:\n    return True\n"


def ask(served: Served, root: Path, *variables: str) -> Any:
    """The preflight of the backend in a folder."""
    body = {"manifest": load(root).manifest.to_json(), "variables": list(variables)}
    return served.post(PREFLIGHT, body, served.admin)


def roll(served: Served) -> Any:
    """The last of what a roll tells."""
    answer = served.request("POST", ROLL, headers={"Authorization": served.admin})
    return json.loads(answer.text.splitlines()[-1])


@pytest.mark.parametrize("path", sorted(DEPLOY_ROUTES))
def test_only_the_admin_may_ask(served: Served, path: str) -> None:
    """And no page of another origin."""
    headers = {"Origin": "https://app.example"}
    refused = served.request("POST", path, json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "Forbidden")
    assert "access-control-allow-origin" not in refused.headers


def test_documents_that_would_not_fit_are_told_before_anything_changes(
    served: Served, tmp_path: Path
) -> None:
    """The new code is only described; what serves goes on."""
    served.post("/api/mutation", {"path": "tasks:add", "args": {"title": "Old"}})
    new = TASKS.replace("    title: str\n", "    title: int\n", 1)
    found = ask(served, write_project(tmp_path / "new", tasks=new))
    assert (found["checked"], len(found["misfits"])) == (1, 1)
    assert served.post("/api/query", {"path": "tasks:titles", "args": {}})["value"] == ["Old"]


def test_variables_are_looked_for_where_the_server_is(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case does not count, as for settings."""
    served.environment.variables.change({"SHOP_KEY": "x"})
    project = write_project(tmp_path / "new", tasks=TASKS)
    assert ask(served, project, "shop_key", "OTHER")["missingVariables"] == ["OTHER"]


def test_a_roll_serves_what_lies_in_the_folder(served: Served) -> None:
    """From that answer on."""
    write_project(served.options.root, tasks=TASKS + DONE)
    assert roll(served) == {"serves": True}
    assert served.post("/api/query", {"path": "tasks:done", "args": {}})["value"] is True


def test_a_roll_that_fails_says_why_and_the_old_serves(served: Served) -> None:
    """As a reload in development does."""
    write_project(served.options.root, tasks="import nothing_of_this_name\n")
    told = roll(served)
    assert told["serves"] is False
    assert "nothing_of_this_name" in told["problem"]
    assert served.post("/api/query", {"path": "tasks:titles", "args": {}})["value"] == []


@pytest.mark.parametrize("body", [{}, [], {"manifest": 1}, {"manifest": {"tables": [1]}}])
def test_a_body_of_another_shape_is_refused(served: Served, body: Any) -> None:
    """With the shape it must have."""
    assert '{"manifest": {...}' in served.post(PREFLIGHT, body, served.admin)["message"]


def test_the_mark_of_code_is_of_names_and_contents(tmp_path: Path) -> None:
    """Line ends do not count, and files that are no Python neither."""
    mark = code_mark(write_project(tmp_path / "a", tasks=TASKS))
    other = write_project(tmp_path / "b", tasks=TASKS)
    tasks = other / "backend" / "tasks.py"
    tasks.write_bytes(tasks.read_bytes().replace(b"\n", b"\r\n"))
    (other / "backend" / "notes.txt").write_text("x")
    assert code_mark(other) == mark
    tasks.rename(tasks.with_name("chores.py"))
    assert code_mark(other) != mark
