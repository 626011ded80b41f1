"""A learner's own work: whatever is laid over it, it can be had again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from headwater_workshop.kit import read_folder, write_tree
from headwater_workshop.own.work import is_repository, lay

AT = "2026-01-02T03:04:05Z"
MINE = {"backend/a.py": b"mine\n", "backend/own.py": b"own\n", "tests/test_a.py": b"test\n"}
THEIRS = {"backend/a.py": b"theirs\n", "backend/b.py": b"new\n"}


def git(project: Path, *arguments: str) -> str:
    """The output of a git command that must succeed."""
    done = subprocess.run(
        ["git", *arguments], cwd=project, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is no git repository."""
    write_tree(MINE, tmp_path)
    return tmp_path


@pytest.fixture
def repository(project: Path) -> Path:
    """A project that is one, with a commit and work after it."""
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "backend/a.py")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "First")
    (project / "backend" / "a.py").write_bytes(b"after the commit\n")
    return project


def test_a_dated_copy_holds_what_was_changed(project: Path) -> None:
    """Files that are written over are kept; others are neither touched nor copied."""
    laid = lay(project, THEIRS, "start-1", AT)
    assert laid.written == ("backend/a.py", "backend/b.py")
    assert laid.kept is not None
    assert laid.kept.folder == ".headwater/kept/2026-01-02T03-04-05Z-start-1"
    assert read_folder(project / "backend") == {
        "a.py": b"theirs\n",
        "b.py": b"new\n",
        "own.py": b"own\n",
    }
    assert (project / laid.kept.folder / "backend" / "a.py").read_bytes() == b"mine\n"
    assert not (project / laid.kept.folder / "backend" / "own.py").exists()


def test_replacing_a_folder_keeps_what_it_removes(project: Path) -> None:
    """A file of the learner's that is not in the tree goes, and is in the copy."""
    laid = lay(project, THEIRS, "goto-1", AT, replace=("backend",))
    assert laid.removed == ("backend/own.py",)
    assert laid.kept is not None
    assert laid.kept.folder is not None
    assert (project / laid.kept.folder / "backend" / "own.py").read_bytes() == b"own\n"
    assert (project / "tests" / "test_a.py").read_bytes() == b"test\n"


def test_two_copies_in_one_second_are_two_copies(project: Path) -> None:
    """The second takes another name."""
    kept = [lay(project, {"backend/a.py": text}, "reset-1", AT).kept for text in (b"1", b"2")]
    folders = [each.folder for each in kept if each is not None]
    assert len(set(folders)) == 2
    contents = [(project / str(folder) / "backend/a.py").read_bytes() for folder in folders]
    assert contents == [b"mine\n", b"1"]


def test_files_that_are_these_already_are_left_alone(project: Path) -> None:
    """Nothing to change: nothing is written, and nothing kept."""
    laid = lay(project, {"backend/a.py": b"mine\n"}, "reset-1", AT)
    assert (laid.written, laid.removed, laid.kept) == ((), (), None)
    assert not (project / ".headwater").exists()


def test_a_repository_keeps_it_as_a_branch(repository: Path) -> None:
    """Every file is on the branch, and the learner's branch, index and history are as they were."""
    before = git(repository, "status", "--porcelain"), git(repository, "log", "--format=%H")
    laid = lay(repository, {"backend/b.py": b"new\n"}, "goto-1", AT, replace=("backend",))
    assert laid.kept is not None
    branch = "headwater/2026-01-02T03-04-05Z-goto-1"
    assert laid.kept.branch == branch
    assert git(repository, "show", f"{branch}:backend/a.py") == "after the commit"
    assert git(repository, "show", f"{branch}:backend/own.py") == "own"
    assert git(repository, "show", f"{branch}:tests/test_a.py") == "test"
    assert git(repository, "branch", "--show-current") == "main"
    assert git(repository, "diff", "--cached", "--name-only") == ""
    assert git(repository, "log", "--format=%H", "main") == before[1]


def test_the_branch_brings_it_back(repository: Path) -> None:
    """The command that is printed is the one that works."""
    laid = lay(repository, {"backend/b.py": b"new\n"}, "goto-1", AT, replace=("backend",))
    assert laid.kept is not None
    command = laid.kept.back.split()
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    assert (repository / "backend" / "a.py").read_bytes() == b"after the commit\n"
    assert (repository / "backend" / "own.py").read_bytes() == b"own\n"


def test_an_ignored_file_is_kept_too(repository: Path) -> None:
    """What git does not watch would be lost otherwise."""
    (repository / ".gitignore").write_text("own.py\n.headwater/\n")
    laid = lay(repository, {"backend/own.py": b"new\n"}, "start-1", AT)
    assert laid.kept is not None
    assert git(repository, "show", f"{laid.kept.branch}:backend/own.py") == "own"


@pytest.mark.parametrize("ignored", ["", ".headwater/\n"])
def test_the_project_s_state_is_not_on_the_branch(repository: Path, ignored: str) -> None:
    """The database and the keys in .headwater/ stay out of the history, ignored or not."""
    tree = {".headwater/admin_key": b"secret", ".gitignore": ignored.encode()}
    write_tree(tree, repository)
    laid = lay(repository, {"backend/a.py": b"new\n"}, "start-1", AT)
    assert laid.kept is not None
    assert ".headwater" not in git(
        repository, "ls-tree", "-r", "--name-only", str(laid.kept.branch)
    )


def test_a_dated_copy_can_be_asked_for_in_a_repository(repository: Path) -> None:
    """Resetting keeps a copy beside the code, where it is seen."""
    laid = lay(repository, {"backend/a.py": b"new\n"}, "reset-1", AT, copy=True)
    assert laid.kept is not None
    assert laid.kept.branch is None
    assert git(repository, "branch", "--list", "headwater/*") == ""


def test_a_repository_without_commits_works_too(project: Path) -> None:
    """The branch is its first commit."""
    git(project, "init", "-q")
    laid = lay(project, {"backend/a.py": b"new\n"}, "start-1", AT)
    assert laid.kept is not None
    assert git(project, "show", f"{laid.kept.branch}:backend/a.py") == "mine"


def test_a_second_branch_in_one_second_has_another_name(repository: Path) -> None:
    """No branch is ever moved."""
    kept = [lay(repository, {"backend/a.py": text}, "start-1", AT).kept for text in (b"1", b"2")]
    branches = [each.branch for each in kept if each is not None]
    assert branches[1] == f"{branches[0]}-2"
    assert git(repository, "show", f"{branches[0]}:backend/a.py") == "after the commit"


def test_a_folder_inside_a_repository_is_no_repository(repository: Path) -> None:
    """A project inside somebody else's repository makes no branch there."""
    inner = repository / "my-app"
    write_tree(MINE, inner)
    assert is_repository(repository)
    assert not is_repository(inner)
    laid = lay(inner, THEIRS, "start-1", AT)
    assert laid.kept is not None
    assert laid.kept.branch is None


def test_without_git_it_is_a_copy(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git loses nothing."""
    monkeypatch.setenv("PATH", str(repository / "nothing"))
    laid = lay(repository, {"backend/a.py": b"new\n"}, "start-1", AT)
    assert laid.kept is not None
    assert laid.kept.folder is not None
