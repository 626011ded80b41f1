"""How assistants help in lessons: `pair` writes with the learner, `tutor` leaves it to them.

The question `assistant_mode` sets it when a project is made; `headwater mode` writes
`.headwater/mode`, which counts more. Imports little: an edit hook asks this before every edit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .kit import KitError

ANSWERS = ".copier-answers.yml"
MODES = ("pair", "tutor")
DEFAULT_MODE = "pair"
STYLES = {"pair": "Pair", "tutor": "Tutor"}
"""Claude Code's output style in each mode, by the `name` of its file."""

_LOCAL = ".claude/settings.local.json"


def mode_file(project: Path) -> Path:
    """Where `headwater mode` keeps what was chosen."""
    return project / ".headwater" / "mode"


def mode_of(project: Path) -> str:
    """The mode that was chosen last, else the one the project was made with; pair if never asked.

    Raises:
        KitError: what is written there is no mode.
    """
    path = mode_file(project)
    if path.is_file():
        return _known(path.read_text(encoding="utf-8").strip(), path, "headwater mode pair")
    return asked_mode(project)


def asked_mode(project: Path) -> str:
    """The mode the project was made with, whatever was chosen since; pair if never asked.

    Raises:
        KitError: what is written there is no mode.
    """
    answers = project / ANSWERS
    if not answers.is_file():
        return DEFAULT_MODE
    import yaml  # a seventh of a second that a project with .headwater/mode need not wait for

    found = yaml.safe_load(answers.read_text(encoding="utf-8"))
    mode = found.get("assistant_mode", DEFAULT_MODE) if isinstance(found, dict) else ""
    return _known(mode, answers, f"copier update --data assistant_mode={DEFAULT_MODE}")


def set_mode(project: Path, mode: str) -> bool:
    """Choose the mode of a project, for Claude Code its output style too; whether it has Claude.

    Raises:
        KitError: there is no such mode, or Claude Code's local settings are no JSON object.
    """
    _known(mode, project, "headwater mode pair")
    path = mode_file(project)
    has_claude = (project / ".claude").is_dir() or (project / "CLAUDE.md").is_file()
    if has_claude:
        _write_style(project / _LOCAL, STYLES[mode])
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{mode}\n", encoding="utf-8")
    return has_claude


def _write_style(path: Path, style: str) -> None:
    """Says the output style in the learner's own settings, beside what they have there."""
    settings: Any = {}
    try:
        if path.is_file():
            settings = json.loads(path.read_text(encoding="utf-8"))
        settings["outputStyle"] = style
    except (ValueError, TypeError) as error:
        raise KitError(
            f"Claude Code's local settings cannot be read: {error}.",
            where=str(path),
            fix="mend the file or delete it, then run the command again",
        ) from error
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _known(mode: object, where: Path, again: str) -> str:
    if mode in MODES:
        return str(mode)
    raise KitError(f"There is no mode {mode!r}.", where=str(where), fix=f"answer again: {again}")
