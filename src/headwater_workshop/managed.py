"""The files of `.claude/` that headwater writes whole: settings, launcher, skills, agent, styles.

A file is up to date when it is what the template of this headwater gives. One that differs was
written by an older headwater if its digest is the one in `.headwater/ai-files.json`; else somebody
changed it, and it is left to them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2 import Environment

from .ai_files import State, digest
from .hooks.records import AI_FILES
from .kit import kit_root, read_folder
from .mode import MODES, asked_mode

FOLDER = ".claude"
RECORD = AI_FILES
TEMPLATE = "{% if 'claude' in assistants %}.claude{% endif %}"
"""The folder of the template that becomes `.claude`."""
_SYSTEMS = ("linux", "windows")


def is_for_claude(project: Path) -> bool:
    """Whether the project has files for Claude Code, or had them before there were these."""
    return (project / FOLDER).is_dir() or (project / "CLAUDE.md").is_file()


def wanted(mode: str, system: str = "") -> dict[str, str]:
    """Every file as this headwater writes it, by its path in the project.

    Args:
        mode: pair or tutor, for the output style.
        system: `windows` starts another Python; this machine's kind by default.
    """
    system = system or ("windows" if os.name == "nt" else "linux")
    return dict(_rendered(mode, system))


def file_states(project: Path) -> dict[str, State]:
    """How each file stands to what this headwater would write; none in a project without Claude."""
    if not is_for_claude(project):
        return {}
    now, known = asked_mode(project), _recorded(project)
    variants = {mode: [wanted(mode, system) for system in _SYSTEMS] for mode in MODES}
    return {
        name: _state(
            project / name,
            {each[name] for each in variants[now]},
            {digest(each[name]) for mode in MODES for each in variants[mode]}
            | {known.get(name, "")},
        )
        for name in variants[now][0]
    }


def update_files(project: Path, *, force: bool = False, check: bool = False) -> list[str]:
    """Write the files that are missing or old; with `force` those changed by hand too.

    Args:
        project: its folder.
        force: write over what somebody changed.
        check: write nothing.

    Returns:
        The paths that were written, or would be.
    """
    states = file_states(project)
    old = (State.MISSING, State.STALE, *([State.EDITED] if force else []))
    names = [name for name, state in states.items() if state in old]
    if not check and states:
        files = wanted(asked_mode(project))
        for name in names:
            _write(project / name, files[name])
        record(project)
    return names


def remove_files(project: Path, *, check: bool = False) -> list[str]:
    """Take away the files that nobody changed, and folders that are empty then; their paths."""
    found = file_states(project).items()
    names = [name for name, state in found if state in (State.CURRENT, State.STALE)]
    for name in names if not check else []:
        path = project / name
        path.unlink()
        for folder in path.parents:
            if folder == project or any(folder.iterdir()):
                break
            folder.rmdir()
    return names


def record(project: Path) -> None:
    """Note the digest of each file that is as this headwater writes it."""
    known = _recorded(project)
    for name, state in file_states(project).items():
        if state is State.CURRENT:
            known[name] = digest(_read(project / name))
    path = project / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _rendered(mode: str, system: str) -> Iterator[tuple[str, str]]:
    answers = {"assistant_mode": mode, "_copier_conf": {"os": system}}
    for name, content in read_folder(kit_root() / "template" / TEMPLATE).items():
        text = content.decode()
        if name.endswith(".jinja"):
            text = Environment(keep_trailing_newline=True).from_string(text).render(answers)
        yield f"{FOLDER}/{name.removesuffix('.jinja')}", text


def _state(path: Path, variants: set[str], ours: set[str]) -> State:
    if not path.is_file():
        return State.MISSING
    text = _read(path)
    if text in variants:
        return State.CURRENT
    return State.STALE if digest(text) in ours else State.EDITED


def _recorded(project: Path) -> dict[str, str]:
    try:
        found = json.loads((project / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(digest) for name, digest in pairs}


def _read(path: Path) -> str:
    """The text with plain line ends, as every system's git may have changed them."""
    return path.read_text(encoding="utf-8", errors="replace")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
