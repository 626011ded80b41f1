"""Where submissions come from: a folder with one project in each subfolder, or a list of git URLs.

A list holds one submission a line, `URL` or `NAME URL`; lines that begin with # are for people.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from headwater_workshop.kit import KitError
from headwater_workshop.report import visible

ENTRIES_AT_MOST = 20_000
LIST_BYTES_AT_MOST = 1_000_000
_NAME = re.compile(r"[^\w.@-]+")
_NAME_CHARS, _NAME_BYTES = 80, 200  # a file is named so, and a file's name has 255


@dataclass(frozen=True)
class Submission:
    """One submission: its name in the gradebook, and where it is; a folder or an https URL."""

    name: str
    place: Path | str


def submissions(source: Path) -> list[Submission]:
    """Every submission of a folder or of a list, by name.

    Raises:
        KitError: there is none, a URL is not https, or two have one name.
    """
    if source.is_dir():
        found = _of_folder(source)
    elif source.is_file():
        found = _of_list(source)
    else:
        raise _no(source, "is neither a folder nor a list", "name a folder of submissions")
    if not found:
        raise _no(source, "holds no submission", "put one project in each subfolder")
    names = [each.name.casefold() for each in found]
    twice = sorted({each.name for each in found if names.count(each.name.casefold()) > 1})
    if twice:
        raise _no(source, f"names {', '.join(twice)} twice", "give each submission its own name")
    return sorted(found, key=lambda each: each.name.casefold())


def _of_folder(folder: Path) -> list[Submission]:
    children = (path for path in folder.iterdir() if not path.name.startswith("."))
    return [Submission(shown_name(path.name), path) for path in children if _is_folder(path)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _of_list(source: Path) -> list[Submission]:
    if source.stat().st_size > LIST_BYTES_AT_MOST:
        raise _no(source, "is too long for a list", "split it")
    lines = source.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    rows = [(number, line.split()) for number, line in enumerate(lines, 1)]
    rows = [(number, words) for number, words in rows if words and not words[0].startswith("#")]
    return [_of_line(f"{source}, line {number}", words) for number, words in rows]


def _of_line(where: str, words: list[str]) -> Submission:
    url = words[-1]
    parts = urlsplit(url)
    if len(words) > 2 or parts.scheme != "https" or not parts.hostname:
        fix = "write one submission a line: NAME https://host/owner/repository"
        raise KitError("This is no git URL over https.", where=where, fix=fix)
    if parts.username or parts.password:
        fix = "take the password out; clone what is not public yourself, and grade that folder"
        raise KitError("A URL with a password would end up in the gradebook.", where=where, fix=fix)
    path = parts.path.strip("/").removesuffix(".git")
    return Submission(plain_name(words[0] if len(words) == 2 else path), url)


def plain_name(text: str) -> str:
    """A name that is fit for a file, a table and a terminal."""
    return shown_name(_NAME.sub("-", text).strip(".-")) or "unnamed"


def shown_name(text: str) -> str:
    """A folder's name as far as it fits a file, a table and a terminal: it may hold any bytes."""
    shown = visible(text[:_NAME_CHARS], _NAME_CHARS).replace("\n", "\ufffd")
    return shown.encode()[:_NAME_BYTES].decode(errors="ignore")


def project_in(folder: Path) -> Path:
    """The project in a submission: the folder itself, or the one folder in it with a `backend/`.

    Raises:
        KitError: there is none, or the submission is beyond all measure.
    """
    _check_size(folder)
    inside = [path for path in sorted(folder.iterdir()) if _is_folder(path)]
    found = [path for path in (folder, *inside) if _is_folder(path / "backend")]
    if not found:
        raise _no(folder, "holds no backend/", "submit the project's folder as it is")
    return found[0]


def _check_size(folder: Path) -> None:
    """Counts what lies there without following a link, and stops counting at the limit."""
    seen, waiting = 0, [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > ENTRIES_AT_MOST:
                    what = f"holds more than {ENTRIES_AT_MOST:,} files"
                    raise _no(folder, what, "submit the project without what is installed in it")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))


def _no(where: Path, what: str, fix: str) -> KitError:
    return KitError(f"{where.name} {what}.", where=str(where), fix=fix)
