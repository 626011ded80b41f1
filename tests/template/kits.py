"""Kits to generate from: small git repositories that hold the template, and what is rendered."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
ASSISTANTS: tuple[str, ...] = tuple(QUESTIONS["assistants"]["choices"].values())


@dataclass(frozen=True)
class Row:
    """One set of answers: a project that somebody may ask for."""

    start: str
    frontend: str
    claude: bool
    cursor: bool
    copilot: bool
    assistant_mode: str

    @property
    def assistants(self) -> list[str]:
        """The answer to the question that takes several."""
        return [name for name in ASSISTANTS if getattr(self, name)]

    @property
    def answers(self) -> dict[str, Any]:
        """The row as Copier takes it."""
        words = {name: getattr(self, name) for name in ("start", "frontend", "assistant_mode")}
        return words | {"assistants": self.assistants}

    def __str__(self) -> str:
        named = "+".join(self.assistants) or "nobody"
        return f"{self.start}-{self.frontend}-{named}-{self.assistant_mode}"


def pairs(row: Row) -> set[tuple[tuple[str, object], ...]]:
    """Every two answers of a row, each with its question."""
    return set(combinations([(one.name, getattr(row, one.name)) for one in fields(Row)], 2))


def every_row() -> list[Row]:
    """All answers of copier.yml with all others."""
    choices = [QUESTIONS[name]["choices"].values() for name in ("start", "frontend")]
    modes = QUESTIONS["assistant_mode"]["choices"].values()
    return [Row(*one) for one in product(*choices, *[(True, False)] * 3, modes)]


def pairwise(chosen: Sequence[Row]) -> list[Row]:
    """The chosen rows, and as few more as it takes to have each pair of answers in one of them."""
    rows, every = list(chosen), every_row()
    missing = set[tuple[tuple[str, object], ...]]().union(*map(pairs, every))
    missing = missing.difference(*map(pairs, rows))
    while missing:
        best = max(every, key=lambda row: len(pairs(row) & missing))
        rows.append(best)
        missing -= pairs(best)
    return rows


DAILY = [
    Row("complete", "plain", True, False, False, "pair"),  # the defaults
    Row("workshop", "plain", False, True, True, "tutor"),
    Row("workshop", "none", False, False, False, "pair"),
]
MATRIX = pairwise(DAILY)
ROWS = [
    pytest.param(row, marks=[] if row in DAILY else pytest.mark.prove, id=str(row))
    for row in MATRIX
]


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
    page = kit / "template" / "Makefile"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n# {text}\n", encoding="utf-8")


def copy(source: Path | str, target: Path, ref: str | None = None, **answers: Any) -> Path:
    """`copier copy --defaults [-r REF] SOURCE TARGET`, as Copier itself does it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_copy(str(source), target, data=answers, defaults=True, quiet=True, vcs_ref=ref)
    return target


def recorded(project: Path) -> dict[str, Any]:
    """The answers that a project keeps for updates."""
    found = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def files(project: Path) -> set[str]:
    """Every file of a project by its path."""
    return {p.relative_to(project).as_posix() for p in project.rglob("*") if p.is_file()}
