"""What is nobody's to edit: files that headwater writes, lessons' tests, what steers the session.

Each refusal is a finding of rule HW504. What the learner writes in tutor mode is decided by
`headwater_workshop.tutor`.
"""

from __future__ import annotations

from pathlib import Path

from headwater.rules import rule

from ..kit import KitError
from ..lessons import Lesson, load_lessons
from ..progress import LessonProgress, load_progress
from ..stages import started

_CONTAINERS = ("", ".claude", "lessons")


def lesson_in_hand(root: Path) -> tuple[Lesson, LessonProgress] | None:
    """The lesson that has begun here and is not over, with its record.

    None without one, and when the record cannot be read: the lessons' own commands say that.
    """
    try:
        progress = load_progress(root)
    except KitError:
        return None
    record = progress.lessons.get(progress.current or "")
    if record is None or record.over:
        return None
    found = (each for each in load_lessons() if each.name == progress.current)
    return next(((each, record) for each in found), None)


def refusal(name: str, *, gone: bool = False) -> str | None:
    """Why a file of the project is nobody's to edit; None when it is not such a file.

    Args:
        name: its path from the project's root, with `/`.
        gone: it is moved or deleted, so that folders count by what they hold.
    """
    parts = name.casefold().split("/")
    if "_generated" in parts:
        what = "is written by `headwater codegen` from the functions of backend/"
        return told(name, what, "change the function; `headwater dev` writes its types anew")
    if parts[0] == ".headwater":
        what = "is headwater's own: the database, keys and progress of this machine"
        return told(name, what, "use its commands: headwater run, data, env, lesson")
    if _steers(parts):
        what = "steers this session: its hooks, permissions and mode are the human's to change"
        return told(name, what, "say what should change and why; the human edits it")
    if parts[0] == "lessons" and "tests" in parts[1:]:
        return _test(name)
    if gone and name.rstrip("/") in _CONTAINERS:
        return told(name or ".", "holds files that steer this session", "name single files")
    return None


def lesson_test(root: Path, name: str) -> str | None:
    """Why a test is not edited now; None unless it came with the lesson in hand."""
    in_hand = lesson_in_hand(root) if name.startswith("tests/") else None
    return _test(name) if in_hand is not None and name in started(in_hand[0]) else None


def told(name: str, what: str, fix: str, more: str = "headwater explain HW504") -> str:
    """A refusal in the words of its rule: what the file is, and what can be done in its place."""
    text = rule("HW504").finding(what, stage="H", path=name, why="", fix=fix).render()
    return text.replace("headwater explain HW504", more)


def _steers(parts: list[str]) -> bool:
    if parts[0] != ".claude" or len(parts) < 2:
        return parts == [".copier-answers.yml"]
    return parts[1] in ("hooks", "output-styles") or parts[1].startswith("settings")


def _test(name: str) -> str:
    what = "is a test of the lesson: it says what is asked, and stays as it is"
    return told(name, what, "mend the code; a test of your own goes into a new file")
