"""New projects: from a checkout, from an install, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headwater_workshop.kit import KitError
from headwater_workshop.new import (
    installed_requirement,
    is_dirty,
    new_project,
    requirement_of,
)
from tests.template.kits import commit, files, git, make_kit, mark, recorded


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A checkout with one tagged commit."""
    made = make_kit(tmp_path / "kit")
    git(made, "tag", "v0.1.0")
    return made


def test_a_checkout_gives_its_newest_commit(kit: Path, tmp_path: Path) -> None:
    """Where Copier alone would take the last tag, a project is made from HEAD."""
    mark(kit, "After the tag.")
    commit(kit, "Go on")
    project = new_project(tmp_path / "my-app", defaults=True, root=kit)
    assert "After the tag." in (project.folder / "Makefile").read_text("utf-8")
    assert project.requirement == f"-e {kit}"
    assert project.name == "my-app"
    assert not project.dirty
    assert recorded(project.folder)["_src_path"] == str(kit)


def test_a_dirty_checkout_is_used_and_recorded_as_such(kit: Path, tmp_path: Path) -> None:
    """Uncommitted changes are in the project, and the project says so."""
    mark(kit, "Not committed.")
    assert is_dirty(kit)
    project = new_project(tmp_path / "my-app", defaults=True, root=kit)
    assert project.dirty
    assert "Not committed." in (project.folder / "Makefile").read_text("utf-8")
    lines = (project.folder / "requirements-headwater.txt").read_text("utf-8")
    assert "Made from a checkout with uncommitted changes." in lines
    assert requirement_of(project.folder) == f"-e {kit}"


def test_an_install_gives_the_version_it_is(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package's data folder is no checkout: the project names what the installer recorded."""
    data = tmp_path / "site-packages"
    for name in ("copier.yml", "template"):
        (data / name).parent.mkdir(exist_ok=True)
        shutil.move(kit / name, data / name)
    monkeypatch.setattr("headwater_workshop.new.installed_as", lambda: "headwater==9.9")
    project = new_project(tmp_path / "my-app", defaults=True, root=data)
    assert project.requirement == "headwater==9.9"
    assert not project.dirty


@pytest.mark.parametrize(
    ("direct_url", "requirement"),
    [
        (None, "headwater==0.1.0"),
        (
            {"url": "https://example.org/kit.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "headwater @ git+https://example.org/kit.git@abc",
        ),
        ({"url": "file:///tmp/kit", "dir_info": {}}, "headwater @ file:///tmp/kit"),
        ({"url": "file:///a.whl", "archive_info": {}}, "headwater @ file:///a.whl"),
    ],
)
def test_the_requirement_is_what_was_installed(
    direct_url: dict[str, object] | None, requirement: str
) -> None:
    """A release is its version; a commit, a folder or a file is its address."""
    assert installed_requirement(direct_url, "0.1.0") == requirement


def test_a_template_without_the_solved_backend_gets_it_from_the_lessons(
    kit: Path, tmp_path: Path
) -> None:
    """A wheel has no plain solution in its template; the project is the same as from a checkout."""
    whole = new_project(tmp_path / "whole", defaults=True, root=kit).folder
    for name in ("backend", "tests"):
        shutil.rmtree(kit / "template" / f"{{% if start == 'complete' %}}{name}{{% endif %}}")
    made = new_project(tmp_path / "made", defaults=True, root=kit).folder
    assert files(made) == files(whole)
    for name in ("backend/tasks.py", "tests/test_create_task.py"):
        assert (made / name).read_bytes() == (whole / name).read_bytes()


def test_answers_are_handed_on(kit: Path, tmp_path: Path) -> None:
    """Name, start and frontend end up in the project, and the rest takes its default."""
    project = new_project(
        tmp_path / "x", name="garden", start="workshop", frontend="none", defaults=True, root=kit
    )
    assert project.name == "garden"
    assert recorded(project.folder)["start"] == "workshop"
    assert not any(name.startswith("frontend/") for name in files(project.folder))


def test_an_occupied_folder_is_refused(kit: Path, tmp_path: Path) -> None:
    """Nothing is written over: neither a folder with something in it nor a file."""
    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "thesis.txt").write_text("years of work")
    with pytest.raises(KitError, match="is not empty") as refused:
        new_project(occupied, defaults=True, root=kit)
    assert "headwater new my-app" in refused.value.fix
    with pytest.raises(KitError, match="is a file"):
        new_project(occupied / "thesis.txt", defaults=True, root=kit)
    assert files(occupied) == {"thesis.txt"}


def test_an_empty_folder_is_filled(kit: Path, tmp_path: Path) -> None:
    """A folder that somebody has just made is good enough."""
    (tmp_path / "my-app").mkdir()
    new_project(tmp_path / "my-app", defaults=True, root=kit)
    assert (tmp_path / "my-app" / "backend" / "tasks.py").is_file()


def test_a_bad_name_says_what_a_good_one_is(kit: Path, tmp_path: Path) -> None:
    """The validator's sentence reaches the person, and no folder is left behind."""
    with pytest.raises(KitError, match="lower-case letters"):
        new_project(tmp_path / "my-app", name="My App", defaults=True, root=kit)
    assert not (tmp_path / "my-app").exists()


def test_without_a_terminal_questions_are_not_asked(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that forgets --defaults is told to give it, and does not hang."""
    with (tmp_path / "nothing").open("w+") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(KitError, match="no terminal") as refused:
            new_project(tmp_path / "my-app", root=kit)
    assert "--defaults" in refused.value.fix


def test_a_missing_template_says_where_it_was_looked_for(tmp_path: Path) -> None:
    """A kit without a template is an error that names the place."""
    with pytest.raises(KitError) as refused:
        new_project(tmp_path / "my-app", defaults=True, root=tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in refused.value.where
