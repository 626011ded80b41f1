"""A hook's payload: which tool, and which files of the project it is about."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Payload = dict[str, Any]
ENVIRONMENT = "CLAUDE_PROJECT_DIR"
AT_MOST = 9_000  # characters; Claude Code cuts what is longer than 10,000

_DRIVE = re.compile(r"[A-Za-z]:/")
_GIT_BASH = re.compile(r"/([A-Za-z])/")
_OURS = re.compile(r"/((?:backend|tests|lessons|frontend|\.claude|\.headwater)(?:/.*)?)\Z")


class Call:
    """One event, in the project it happened in."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.cwd = str(payload.get("cwd") or os.getcwd())
        self.root = _root(self.cwd)

    @property
    def session(self) -> str:
        """The session's id; empty when the payload has none."""
        return str(self.payload.get("session_id", ""))

    @property
    def tool(self) -> str:
        """The tool's name, such as `Edit`."""
        return str(self.payload.get("tool_name", ""))

    @property
    def input(self) -> Mapping[str, Any]:
        """What the tool was given."""
        given = self.payload.get("tool_input")
        return given if isinstance(given, dict) else {}

    def names(self, path: str, cwd: str | None = None) -> list[str]:
        """What a path is called from the project's root, with `/`: as written, and behind links.

        Args:
            path: as in the payload: absolute or not, of this system or with Windows separators.
            cwd: where a relative path begins; the payload's folder by default.

        Returns:
            The names inside the project; empty for a file elsewhere. The root itself is "".
        """
        if "\0" in path:  # no system has such a file
            return []
        written = _joined(_plain(cwd or self.cwd), _with_drive(_plain(path), self.cwd))
        if _is_foreign(written):
            return _foreign_names(written, [os.environ.get(ENVIRONMENT, ""), self.cwd])
        real = os.path.realpath(self.root)
        places = ((written, str(self.root)), (written, real), (os.path.realpath(written), real))
        found = (_below(_plain(place), _plain(top)) for place, top in places)
        return list(dict.fromkeys(name for name in found if name is not None))

    @property
    def edited(self) -> list[str]:
        """The names of the file that `Edit` or `Write` is about."""
        return self.names(str(self.input.get("file_path") or "")) if self.input else []


def context(event: str, text: str) -> Payload:
    """An answer that tells the assistant something.

    Args:
        event: the event's name in the payload, such as `PostToolUse`.
        text: facts; what is too long is cut.
    """
    return {"hookSpecificOutput": {"hookEventName": event, "additionalContext": cut(text)}}


def cut(text: str) -> str:
    """The text, at most as long as Claude Code shows it whole."""
    return text if len(text) <= AT_MOST else f"{text[:AT_MOST]}\n(cut)"


def _root(cwd: str) -> Path:
    """The project: as the environment says, else the nearest folder with a backend, else cwd."""
    told = os.environ.get(ENVIRONMENT, "")
    if told and Path(told).is_dir():
        return Path(told)
    here = Path(cwd) if Path(cwd).is_dir() else Path.cwd()
    tops = (here, *here.parents)
    return next((top for top in tops if (top / "backend").is_dir()), here)


def _plain(path: str) -> str:
    return path.replace("\\", "/")


def _with_drive(path: str, cwd: str) -> str:
    """A path of Git Bash, `/c/Users`, as the rest of Windows writes it."""
    found = _GIT_BASH.match(path) if _DRIVE.match(_plain(cwd)) else None
    return f"{found[1].upper()}:/{path[3:]}" if found else path


def _is_foreign(path: str) -> bool:
    """Whether a path with a drive is read on a system without them, as a recorded payload is."""
    return os.name != "nt" and bool(_DRIVE.match(path))


def _foreign_names(path: str, tops: list[str]) -> list[str]:
    """Below one of the folders the payload knows; else from the first folder every project has."""
    found = [name for top in tops if (name := _below(path, _plain(top))) is not None]
    tail = _OURS.search(path)
    return found[:1] or ([tail.group(1)] if tail else [])


def _joined(base: str, path: str) -> str:
    absolute = path.startswith("/") or _DRIVE.match(path)
    return posixpath.normpath(path if absolute else f"{base}/{path}")


def _below(path: str, top: str) -> str | None:
    """A path's rest below a folder; letters' case does not count, as on most people's disks."""
    top = posixpath.normpath(top) if top else ""
    if top and path.casefold() == top.casefold():
        return ""
    prefix = f"{top.rstrip('/')}/"
    return path[len(prefix) :] if top and path.casefold().startswith(prefix.casefold()) else None
