"""`copier update` in a project: what is new in the kit arrives, what the learner wrote stays."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from copier import run_update

from headwater_workshop.new import new_project
from tests.template.kits import commit, copy, git, make_kit, mark


def update(project: Path, ref: str | None = None) -> None:
    """`copier update --defaults [-r REF]`, as Copier itself does it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_update(project, defaults=True, overwrite=True, quiet=True, vcs_ref=ref)


def under_git(project: Path) -> Path:
    """The project as a repository with one commit, which updates need."""
    git(project, "init", "--quiet")
    commit(project, "Start")
    return project


def edit(project: Path) -> dict[str, str]:
    """What a learner does: changes functions, deletes a test, adds rules of the house."""
    tasks, agents = project / "backend" / "tasks.py", project / "AGENTS.md"
    tasks.write_text(tasks.read_text("utf-8") + "\n# mine\n", encoding="utf-8")
    agents.write_text(agents.read_text("utf-8") + "\nWe write British English.\n", encoding="utf-8")
    commit(project, "Mine")
    return {path.name: path.read_text("utf-8") for path in (tasks, agents)}


def change(kit: Path) -> None:
    """What the kit's keepers do: another README, another backend, other rules."""
    mark(kit, "New rule for Claude.")
    for name in (
        "README.md.jinja",
        "AGENTS.md",
        "{% if start == 'complete' %}backend{% endif %}/tasks.py",
    ):
        page = kit / "template" / name
        page.write_text(f"# New\n{page.read_text('utf-8')}", encoding="utf-8")


def test_an_update_brings_the_kit_s_files_and_keeps_the_learner_s(tmp_path: Path) -> None:
    """A project of the last tag moves to the next one without a conflict."""
    kit = make_kit(tmp_path / "kit")
    git(kit, "tag", "v0.1.0")
    project = under_git(copy(f"git+file://{kit}", tmp_path / "my-app"))
    mine = edit(project)
    change(kit)
    head = commit(kit, "Go on")
    git(kit, "tag", "v0.2.0")
    update(project)
    assert (project / "README.md").read_text("utf-8").startswith("# New\n")
    assert f"@{head}" in (project / "requirements-headwater.txt").read_text("utf-8")
    assert (project / "backend" / "tasks.py").read_text("utf-8") == mine["tasks.py"]
    assert (project / "AGENTS.md").read_text("utf-8") == mine["AGENTS.md"]
    assert not list(project.rglob("*.rej"))


@pytest.mark.prove
def test_a_project_of_a_checkout_s_head_updates_to_head(tmp_path: Path) -> None:
    """What `headwater new` made from a clean HEAD ahead of the tag follows HEAD with -r HEAD."""
    kit = make_kit(tmp_path / "kit")
    git(kit, "tag", "v0.1.0")
    mark(kit, "Ahead of the tag.")
    commit(kit, "Go on")
    project = under_git(new_project(tmp_path / "my-app", defaults=True, root=kit).folder)
    mine = edit(project)
    change(kit)
    commit(kit, "Go further")
    update(project, "HEAD")
    assert (project / "README.md").read_text("utf-8").startswith("# New\n")
    assert (project / "backend" / "tasks.py").read_text("utf-8") == mine["tasks.py"]
