"""Kits to generate from: small git repositories that hold the template, and what is rendered."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import yaml
from copier import run_copy

ROOT = Path(__file__).resolve().parents[2]
MATRIX = [("complete", "plain"), ("workshop", "plain"), ("workshop", "none"), ("complete", "none")]
DAILY = MATRIX[:3]


def git(folder: Path, *words: str) -> str:
    """The output of a git command in a folder, as somebody without any configuration."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_kit(folder: Path) -> Path:
    """A git repository with this kit's template, one commit and no tag."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "copier.yml", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "template", folder / "template")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Start")
    return folder


def commit(kit: Path, message: str) -> str:
    """Commit everything in a kit; the commit's full hash."""
    git(kit, "add", "--all")
    git(kit, "commit", "--quiet", "--message", message)
    return git(kit, "rev-parse", "HEAD")


def mark(kit: Path, text: str) -> None:
    """Change the template, so that it shows which version was rendered."""
    page = kit / "template" / "CLAUDE.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")


def copy(source: Path | str, target: Path, ref: str | None = None, **answers: str) -> Path:
    """`copier copy --defaults [-r REF] SOURCE TARGET`, as Copier itself does it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_copy(str(source), target, data=answers, defaults=True, quiet=True, vcs_ref=ref)
    return target


def recorded(project: Path) -> dict[str, str]:
    """The answers that a project keeps for updates."""
    found = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def files(project: Path) -> set[str]:
    """Every file of a project by its path."""
    return {p.relative_to(project).as_posix() for p in project.rglob("*") if p.is_file()}
