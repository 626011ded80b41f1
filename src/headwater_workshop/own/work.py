"""Keeping a learner's own work before files are laid over it: nothing is ever lost.

In a project that is a git repository of its own, the work becomes a branch; neither the learner's
branch, nor the index, nor the files are touched by that. Anywhere else it becomes a dated copy in
`.headwater/kept/`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..kit import KitError, Tree, is_data, write_tree

_AUTHOR = {"NAME": "headwater", "EMAIL": "headwater@localhost"}


@dataclass(frozen=True)
class Kept:
    """Where work was kept: the name of a branch or a folder of the project, and a file of it."""

    branch: str | None
    folder: str | None
    file: str

    @property
    def back(self) -> str:
        """The command that brings all of it back, over the files that were laid."""
        if self.branch:
            return f"git checkout {self.branch} -- backend tests"
        return f"cp -r {self.folder}/* ."

    @property
    def one(self) -> str:
        """The command that shows one file of it."""
        if self.branch:
            return f"git show {self.branch}:{self.file}"
        return f"cat {self.folder}/{self.file}"


@dataclass(frozen=True)
class Laid:
    """What laying files did: written and removed files, and where the work before is kept."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    kept: Kept | None


def lay(
    project: Path,
    tree: Tree,
    label: str,
    at: str,
    *,
    replace: Iterable[str] = (),
    remove: Iterable[str] = (),
    copy: bool = False,
) -> Laid:
    """Lay files into a project, keeping first what they change.

    Args:
        project: the learner's project.
        tree: the files to lay.
        label: what is being done, for the name under which the work is kept.
        at: the time, for that name too.
        replace: folders that are to hold the tree's files and no others.
        remove: further files that are to go.
        copy: keep a dated copy, in a git repository too.
    """
    removed = [name for folder in replace for name in _files(project, folder) if name not in tree]
    removed += [name for name in remove if (project / name).is_file()]
    written = [name for name, content in tree.items() if _content(project, name) != content]
    at_risk = sorted(name for name in (*removed, *written) if (project / name).is_file())
    kept = keep(project, at_risk, label, at, copy=copy) if at_risk else None
    write_tree({name: tree[name] for name in written}, project)
    for name in removed:
        (project / name).unlink()
    return Laid(tuple(sorted(written)), tuple(sorted(removed)), kept)


def keep(project: Path, files: list[str], label: str, at: str, *, copy: bool = False) -> Kept:
    """Keep these files: on a branch in a git repository, in a dated copy otherwise, or if asked."""
    name = f"{at.replace(':', '-')}-{label}"
    branch = None if copy or not is_repository(project) else _keep_branch(project, files, name)
    if branch is not None:
        return Kept(branch=branch, folder=None, file=min(files))
    folder = _free(project / ".headwater" / "kept" / name)
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / file, target)
    return Kept(branch=None, folder=folder.relative_to(project).as_posix(), file=min(files))


def is_repository(project: Path) -> bool:
    """Whether the project is the root of a git repository, and not a folder inside another one."""
    top = _git(project, "rev-parse", "--show-toplevel")
    return top is not None and Path(top).resolve() == project.resolve()


def _keep_branch(project: Path, files: list[str], name: str) -> str | None:
    """Commit the working tree, and these files though ignored, beside the learner's branch."""
    branch = name = f"headwater/{name}"
    number = 1
    while _git(project, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") is not None:
        number += 1
        branch = f"{name}-{number}"
    head = _git(project, "rev-parse", "--verify", "--quiet", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        added = _git(project, "add", "--all", "--", ".", env=index)
        # Not left out by a pathspec: git refuses one that names what .gitignore names too.
        state = ("rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", ".headwater")
        added = added if _git(project, *state, env=index) is not None else None
        forced = _git(project, "add", "--force", "--", *files, env=index)
        tree = _git(project, "write-tree", env=index)
    if added is None or forced is None or tree is None:
        return None
    parent = ["-p", head] if head else []
    message = ["-m", f"Work kept by headwater: {name}"]
    commit = _git(project, "commit-tree", tree, *parent, *message, env=_identity())
    if commit is None or _git(project, "branch", branch, commit) is None:
        return None
    return branch


def _identity() -> dict[str, str]:
    roles = ("AUTHOR", "COMMITTER")
    return {f"GIT_{role}_{key}": value for role in roles for key, value in _AUTHOR.items()}


def _git(project: Path, *arguments: str, env: dict[str, str] | None = None) -> str | None:
    """The output of a git command; None when it fails, or when there is no git."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=project,
            env=kept | (env or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _content(project: Path, name: str) -> bytes | None:
    path = project / name
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise KitError(
            f"{name} cannot be read, so it could not be kept: {error.strerror}.",
            where=str(path),
            fix="give yourself the right to read it, then run the command again",
        ) from error


def _files(project: Path, folder: str) -> list[str]:
    paths = (path for path in (project / folder).rglob("*") if path.is_file())
    names = (path.relative_to(project).as_posix() for path in paths)
    return sorted(name for name in names if is_data(name))


def _free(folder: Path) -> Path:
    """The folder's name, or that with a number when it is taken."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free
