"""A learner's seat in the room: taken by choice, and told of after each grading.

It is kept in `.headwater/classroom.json`; without that file nothing is ever sent.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from headwater_workshop.kit import KitError, write_whole
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.progress import load_progress
from headwater_workshop.report import GradeResult

ANSWER_S: Final = 3.0
_ANSWER_BYTES: Final = 65_536
_NAME_CHARS: Final = 40


@dataclass(frozen=True)
class Seat:
    """A seat.

    Attributes:
        url: the room's address.
        code: the room's code.
        seat: the secret that makes it this learner's.
    """

    url: str
    code: str
    name: str
    seat: str


def seat_of(project: Path) -> Seat | None:
    """The seat that was taken from this project; None when none was, or the file is broken."""
    try:
        return Seat(**json.loads(_file(project).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def join(project: Path, url: str, code: str, name: str) -> Seat:
    """Take a seat, or change the name of one's own.

    Raises:
        KitError: the address, the code or the name is wrong, or nobody answers.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fix = "copy the address from the board: http://192.168.1.20:3219"
        raise KitError(f"{url} is no address of a room.", where="the first word", fix=fix)
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_CHARS or not name.isprintable():
        fix = f"choose a name of 1 to {_NAME_CHARS} letters"
        raise KitError("This name does not fit on the board.", where="--name", fix=fix)
    before = seat_of(project)
    base = f"{parts.scheme}://{parts.netloc}"
    secret = before.seat if before and before.url == base else secrets.token_urlsafe(16)
    seat = Seat(base, code.strip().upper(), name, secret)
    _tell(seat, "board:report", {"name": name, "work": work_of(project, None, None)})
    write_whole(_file(project), json.dumps(asdict(seat), indent=2) + "\n")
    return seat


def leave(project: Path, seat: Seat) -> None:
    """Give the seat back; from now on nothing is sent.

    Raises:
        KitError: the room does not answer. The file is gone all the same.
    """
    _file(project).unlink(missing_ok=True)
    _tell(seat, "board:leave", {})


def raise_hand(seat: Seat, *, up: bool) -> None:
    """Raise one's hand, or take it down.

    Raises:
        KitError: the room does not answer.
    """
    _tell(seat, "board:hand", {"name": seat.name, "up": up})


def report(project: Path, lesson: Lesson, result: GradeResult | None) -> str:
    """Tell the room where one is; what went wrong as text, and nothing where no seat was taken."""
    seat = seat_of(project)
    if seat is None:
        return ""
    try:
        _tell(seat, "board:report", {"name": seat.name, "work": work_of(project, lesson, result)})
    except KitError as error:
        return error.what
    return ""


def work_of(project: Path, lesson: Lesson | None, result: GradeResult | None) -> dict[str, Any]:
    """What the room is told: the lesson, objectives met, the first finding's code and rule, hints.

    Never code, never a message's text, never what is in a file.
    """
    progress = load_progress(project)
    lessons = load_lessons()
    current = lesson or next((each for each in lessons if each.name == progress.current), None)
    failed = next((check for check in result.checks if check.finding), None) if result else None
    met = {each.id: each.met for each in result.objectives} if result else {}
    if current is not None and result is None:
        met = progress.of(current).objectives
    return {
        "lesson": current.number if current else 0,
        "title": current.title if current else "",
        "met": sum(met.values()),
        "of": len(current.objectives) if current else 0,
        "finding": failed.finding.code if failed and failed.finding else None,
        "rule": (failed.rule or None) if failed else None,
        "hints": sum(progress.of(current).hints.values()) if current else 0,
        "passed": [each.number for each in lessons if progress.of(each).state == "done"],
    }


def _tell(seat: Seat, path: str, arguments: dict[str, Any]) -> None:
    """Call a mutation of the room.

    Raises:
        KitError: it refuses, or does not answer.
    """
    words = {"code": seat.code, "seat": seat.seat, **arguments}
    body = json.dumps({"path": path, "args": words, "format": "json"}).encode()
    request = urllib.request.Request(
        f"{seat.url}/api/mutation", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
            answer = json.loads(response.read(_ANSWER_BYTES))
    except (OSError, ValueError, urllib.error.URLError) as error:
        fix = "ask who leads the workshop; what you do here goes on without the board"
        what = f"The room board does not answer: {error}."
        raise KitError(what, where=seat.url, fix=fix) from error
    if not isinstance(answer, dict) or answer.get("status") != "success":
        data = answer.get("errorData") if isinstance(answer, dict) else None
        said = data.get("message") if isinstance(data, dict) else "it refused what it was told"
        fix = "copy the address and the code from the board once more"
        raise KitError(f"The room board says: {said}", where=seat.url, fix=fix)


def _file(project: Path) -> Path:
    return project / ".headwater" / "classroom.json"
