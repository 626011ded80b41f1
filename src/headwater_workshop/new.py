"""A new project from the kit's template, rendered by Copier.

The template is taken where the kit lies: from a checkout at its HEAD (Copier by itself would take
the last tag), from an install out of the package. Either way the project's
`requirements-headwater.txt` names the very headwater it was made from.
"""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from .kit import KitError, kit_root
from .managed import record
from .stages import template_source

REQUIREMENT_FILE = "requirements-headwater.txt"
"""The file of a project that says where its headwater comes from."""


@dataclass(frozen=True)
class NewProject:
    """What was made: the folder, its name, and the requirement that brings headwater into it."""

    folder: Path
    name: str
    requirement: str
    dirty: bool
    """Whether the kit was a checkout with changes that no commit has."""


def new_project(
    target: Path,
    *,
    name: str | None = None,
    start: str | None = None,
    frontend: str | None = None,
    assistants: Sequence[str] | None = None,
    assistant_mode: str | None = None,
    defaults: bool = False,
    root: Path | None = None,
) -> NewProject:
    """Make a project in `target`; what is not given is asked, or left to the default.

    Args:
        target: a folder that does not exist yet, or is empty.
        name, start, frontend, assistants, assistant_mode: the answers to copier.yml's questions.
        defaults: ask nothing.
        root: the kit; this headwater's own if it is left out.

    Raises:
        KitError: the folder is occupied, the kit is incomplete, or an answer is refused.
    """
    _refuse_occupied(target)
    root = _template_root(root)
    given = {
        "project_name": name,
        "start": start,
        "frontend": frontend,
        "assistants": None if assistants is None else list(assistants),
        "assistant_mode": assistant_mode,
    }
    data: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    dirty = is_dirty(root)
    if dirty:
        data["kit_note"] = "Made from a checkout with uncommitted changes."
    if not (root / "pyproject.toml").is_file():
        data["kit_requirement"] = installed_as()
    with template_source(root) as source:
        answers = _copy(source, target, data, defaults)
    record(target)
    return NewProject(target.resolve(), answers["project_name"], requirement_of(target), dirty)


def requirement_of(project: Path) -> str:
    """The one line of a project's requirements file that is not a comment."""
    lines = (project / REQUIREMENT_FILE).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line and not line.startswith("#"))


def installed_requirement(direct_url: dict[str, Any] | None, version: str) -> str:
    """The requirement that brings the same headwater again, from what the installer recorded.

    Args:
        direct_url: the content of `direct_url.json`, or None for a release from an index.
        version: the version that is installed.
    """
    if direct_url is None:
        return f"headwater=={version}"
    url = direct_url["url"]
    if "vcs_info" in direct_url:
        return f"headwater @ git+{url}@{direct_url['vcs_info']['commit_id']}"
    return f"headwater @ {url}"


def is_dirty(root: Path) -> bool:
    """Whether a folder is a git checkout with changes that are not committed."""
    if not (root / ".git").exists():
        return False
    command = ["git", "-C", str(root), "status", "--porcelain", "--", "copier.yml", "template"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise KitError(
            "The kit is a git checkout, and git is not installed.",
            where=str(root),
            fix="install git, and try again",
        ) from error
    return bool(done.stdout.strip())


def installed_as() -> str:
    """The requirement that brings this very headwater again: a version, or an address."""
    found = distribution("headwater")
    text = found.read_text("direct_url.json")
    return installed_requirement(json.loads(text) if text else None, found.version)


def _template_root(root: Path | None) -> Path:
    root = kit_root() if root is None else root.resolve()
    if (root / "copier.yml").is_file():
        return root
    raise KitError(
        "There is no template: copier.yml is missing.",
        where=str(root),
        fix="name a checkout of headwater",
    )


def _refuse_occupied(target: Path) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    what = "is not empty" if target.is_dir() else "is a file"
    raise KitError(
        f"{target} {what}, so no project is made there.",
        where=str(target.resolve()),
        fix="name a folder that does not exist yet: headwater new my-app",
    )


def _copy(root: Path, target: Path, data: dict[str, Any], defaults: bool) -> dict[str, Any]:
    # Imported here: copier takes a third of a second, which every other command would pay.
    from copier import run_copy
    from copier.errors import CopierError, InteractiveSessionError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its one warning, a dirty checkout, is in NewProject
            worker = run_copy(
                str(root), target, data=data, defaults=defaults, vcs_ref="HEAD", quiet=True
            )
    except InteractiveSessionError as error:
        raise KitError(
            "There are questions to answer, and no terminal to ask them in.",
            where=str(root / "copier.yml"),
            fix="take the defaults: headwater new my-app --defaults",
        ) from error
    except (CopierError, ValueError) as error:
        raise KitError(
            str(error).strip(),
            where=str(root / "copier.yml"),
            fix="mend the answer, and try again",
        ) from error
    return dict(worker.answers.combined)
