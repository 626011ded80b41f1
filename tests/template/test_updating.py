"""`copier update` in a project: what is new in the kit arrives, what the learner wrote stays."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from copier import run_update

from headwater_workshop.ai_files import State, states, updated
from headwater_workshop.mode import mode_of
from headwater_workshop.new import new_project
from tests.template.kits import commit, copy, files, git, make_kit, mark


def update(project: Path, ref: str | None = None, **answers: Any) -> None:
    """`copier update --defaults [-r REF] [--data ...]`, as Copier itself does it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_update(project, data=answers, defaults=True, overwrite=True, quiet=True, vcs_ref=ref)


def under_git(project: Path) -> Path:
    """The project as a repository with one commit, which updates need."""
    git(project, "init", "--quiet")
    commit(project, "Start")
    return project


def edit(project: Path) -> dict[str, str]:
    """What a learner does: changes functions, adds a file of their own and rules of the house."""
    for name, text in {
        "backend/tasks.py": "\n# mine\n",
        "AGENTS.md": "\nWe write British English.\n",
        "Makefile": "\n# Our own words.\n",
        ".claude/output-styles/pair.md": "\nBe brief.\n",
    }.items():
        append(project / name, text)
    (project / "backend" / "notes.py").write_text("# my own file\n", encoding="utf-8")
    commit(project, "Mine")
    kept = ("backend/tasks.py", "AGENTS.md", ".claude/output-styles/pair.md")
    return {name: read(project, name) for name in kept}


def append(path: Path, text: str) -> None:
    """Add to the end of a file."""
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


def read(project: Path, name: str) -> str:
    """A file of a project."""
    return (project / name).read_text("utf-8")


def part(kit: Path, start: str, name: str = "backend") -> Path:
    """The folder of the template that becomes `backend` for one answer."""
    return kit / "template" / f"{{% if start == '{start}' %}}{name}{{% endif %}}"


def change(kit: Path) -> None:
    """What the kit's keepers do: other words at the top of files, a new file, one less."""
    pages = [kit / "template" / name for name in ("README.md.jinja", "AGENTS.md.jinja", "Makefile")]
    for page in (*pages, part(kit, "complete") / "tasks.py", part(kit, "workshop") / "tasks.py"):
        page.write_text(f"# New\n{page.read_text('utf-8')}", encoding="utf-8")
    for start in ("complete", "workshop"):
        (part(kit, start) / "labels.py").write_text('"""Labels."""\n', encoding="utf-8")
        (part(kit, start) / "seed.py").unlink()
    for style in (kit / "template").glob("*claude*/output-styles/pair.md"):
        style.write_text("# New\n", encoding="utf-8")
    (kit / "template" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit with one tag."""
    made = make_kit(tmp_path / "kit")
    git(made, "tag", "v0.1.0")
    return made


def made_by(kit: Path, project: Path, **answers: Any) -> Path:
    """A project of the kit's last tag, by its git address, under git."""
    return under_git(copy(f"git+file://{kit}", project, **answers))


def release(kit: Path, tag: str) -> str:
    """Commit and tag what was changed in the kit; the commit."""
    head = commit(kit, "Go on")
    git(kit, "tag", tag)
    return head


def test_an_update_brings_the_kit_s_files_and_keeps_the_learner_s(
    kit: Path, tmp_path: Path
) -> None:
    """A project of the last tag moves to the next one: both sides' changes are in it."""
    project = made_by(kit, tmp_path / "my-app")
    mine = edit(project)
    change(kit)
    head = release(kit, "v0.2.0")
    update(project)
    assert read(project, "README.md").startswith("# New\n")
    assert f"@{head}" in read(project, "requirements-headwater.txt")
    assert read(project, "backend/tasks.py") == f"# New\n{mine['backend/tasks.py']}"
    assert read(project, "Makefile").startswith("# New\n")
    assert read(project, "Makefile").endswith("# Our own words.\n")
    for name in ("AGENTS.md", ".claude/output-styles/pair.md"):
        assert read(project, name) == mine[name]
    assert not list(project.rglob("*.rej"))
    assert "<<<<<<<" not in "".join(read(project, name) for name in mine)


def test_an_update_brings_new_files_and_takes_old_ones_away(kit: Path, tmp_path: Path) -> None:
    """What the kit has no longer goes, what is the learner's own stays, deleted stays deleted."""
    project = made_by(kit, tmp_path / "my-app")
    edit(project)
    (project / "tests" / "test_messages.py").unlink()
    commit(project, "Without it")
    change(kit)
    release(kit, "v0.2.0")
    update(project)
    assert {"Dockerfile", "backend/labels.py", "backend/notes.py"} <= files(project)
    assert not {"backend/seed.py", "tests/test_messages.py"} & files(project)


def test_an_update_leaves_a_learner_s_code_to_the_lessons(kit: Path, tmp_path: Path) -> None:
    """In the workshop no file of backend/ and tests/ is changed; what is new is added."""
    project = made_by(kit, tmp_path / "my-app", start="workshop")
    mine = edit(project)
    change(kit)
    release(kit, "v0.2.0")
    update(project)
    assert {name: read(project, name) for name in mine} == mine
    assert {"Dockerfile", "backend/labels.py", "backend/notes.py"} <= files(project)


@pytest.mark.prove
def test_a_conflict_is_shown_in_the_file(kit: Path, tmp_path: Path) -> None:
    """Where both changed one line both stand, between git's markers, and nothing is lost."""
    project = made_by(kit, tmp_path / "my-app")
    for folder, word in ((project, "mine"), (kit / "template", "theirs")):
        makefile = (folder / "Makefile").read_text("utf-8")
        changed = makefile.replace("headwater dev\n", f"headwater dev # {word}\n")
        (folder / "Makefile").write_text(changed, encoding="utf-8")
    commit(project, "Mine")
    release(kit, "v0.2.0")
    update(project)
    text = read(project, "Makefile")
    mine, theirs = text.index("# mine"), text.index("# theirs")
    assert text.index("<<<<<<<") < mine < text.index("=======") < theirs < text.index(">>>>>>>")


@pytest.mark.prove
def test_another_answer_brings_its_files(kit: Path, tmp_path: Path) -> None:
    """An assistant that joins later gets its file; the mode's lines come with `ai-files update`."""
    project = made_by(kit, tmp_path / "my-app")
    edit(project)
    change(kit)
    release(kit, "v0.2.0")
    update(project, assistants=["claude", "cursor"], assistant_mode="tutor")
    assert ".cursor/rules/headwater.mdc" in files(project)
    assert mode_of(project) == "tutor"
    text = read(project, "AGENTS.md")
    assert states(text, "tutor")["mode"] is State.STALE
    new = updated(text, "tutor")
    assert "We write British English." in new
    assert "tutor mode" in new


@pytest.mark.prove
def test_a_project_of_a_checkout_s_head_updates_to_head(kit: Path, tmp_path: Path) -> None:
    """What `headwater new` made from a clean HEAD ahead of the tag follows HEAD with -r HEAD."""
    mark(kit, "Ahead of the tag.")
    commit(kit, "Go on")
    project = under_git(new_project(tmp_path / "my-app", defaults=True, root=kit).folder)
    mine = edit(project)
    change(kit)
    commit(kit, "Go further")
    update(project, "HEAD")
    assert read(project, "README.md").startswith("# New\n")
    assert read(project, "backend/tasks.py") == f"# New\n{mine['backend/tasks.py']}"
