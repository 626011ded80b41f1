"""What is whose: files that headwater writes, and what of a lesson is the learner's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headwater.rules import rule

from ..kit import KitError
from ..lessons import Lesson, load_lessons
from ..progress import LessonProgress, load_progress
from ..stages import stage, started

Region = tuple[str, str]
"""A name at the top of a file of the backend: the file, and the name."""

_TOP = re.compile(r"(?:async\s+def|def|class)\s+(?P<def>\w+)|(?P<name>\w+)\s*[:=]")
_MARK = "TODO(human)"
_MARK_AT_MOST = 120
_CONTAINERS = ("", ".claude", "lessons")


def lesson_in_hand(root: Path) -> tuple[Lesson, LessonProgress] | None:
    """The lesson that has begun here and is not done, with its record; None without one."""
    progress = load_progress(root)
    record = progress.lessons.get(progress.current or "")
    if record is None or record.done:
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
        return _told(name, what, "change the function; `headwater dev` writes its types anew")
    if parts[0] == ".headwater":
        what = "is headwater's own: the database, keys and progress of this machine"
        return _told(name, what, "use its commands: headwater run, data, env, lesson, mode")
    steers = parts[0] == ".claude" and (parts[1:2] in (["hooks"], ["output-styles"]))
    steers = steers or (parts[0] == ".claude" and bool(parts[1:]) and "settings" in parts[1])
    if steers or parts == [".copier-answers.yml"]:
        what = "steers this session: its hooks, permissions and mode are the human's to change"
        return _told(name, what, "say what should change and why; the human edits it")
    if parts[0] == "lessons" and "tests" in parts[1:]:
        return _test(name)
    if gone and name.rstrip("/") in _CONTAINERS:
        return _told(name or ".", "holds files that steer this session", "name single files")
    return None


def lesson_test(name: str, lesson: Lesson) -> str | None:
    """Why a test is not edited during a lesson; None when it is no test that the lesson has."""
    return _test(name) if name.startswith("tests/") and name in started(lesson) else None


def regions(lesson: Lesson) -> set[Region]:
    """What a lesson's solution changes or adds in the backend: that is the learner's to write."""
    before, after = started(lesson), stage(lesson.number)
    found: set[Region] = set()
    for name in (name for name in after if name.startswith("backend/") and name.endswith(".py")):
        old, new = (_parts(tree.get(name, b"").decode()) for tree in (before, after))
        found |= {(name, part) for part in new if old.get(part) != new[part]}
    return found


def touched(name: str, old: str, new: str, owned: Iterable[Region]) -> list[str]:
    """The learner's names in a file that an edit would change, beyond one line TODO(human)."""
    before, after = _parts(old), _parts(new)
    mine = [part for file, part in owned if file == name]
    marks = sum(map(_is_mark, new.splitlines())) - sum(map(_is_mark, old.splitlines()))
    same = {part for part in mine if _bare(before.get(part)) == _bare(after.get(part))}
    if marks > 1:
        same = {part for part in mine if before.get(part) == after.get(part)}
    return sorted(set(mine) - same)


def edited_text(tool: str, given: dict[str, Any], old: str) -> str:
    """A file's text after `Write` or `Edit`; the old text if the edit does not fit."""
    if tool == "Write":
        return str(given.get("content", ""))
    find, put = str(given.get("old_string", "")), str(given.get("new_string", ""))
    return old.replace(find, put, -1 if given.get("replace_all") else 1) if find else put


def learners(names: Iterable[str], lesson: Lesson, path: str) -> str:
    """Why an edit of the learner's functions is refused in tutor mode."""
    named = ", ".join(names) or "this file"
    what = f"{named} in {path} is what the learner writes in lesson {lesson.number}, in tutor mode"
    fix = "name the failing check and ask one question, or give the next hint:\n"
    fix += "headwater lesson hint. One comment line with TODO(human) may mark a place."
    return rule("HW504").finding(what, stage="H", path=path, why="", fix=fix).render()


def _told(name: str, what: str, fix: str) -> str:
    return rule("HW504").finding(what, stage="H", path=name, why="", fix=fix).render()


def _test(name: str) -> str:
    what = "is a test of the lesson: it says what is asked, and stays as it is"
    return _told(name, what, "mend the code; a test of your own goes into a new file")


def _parts(text: str) -> dict[str, str]:
    """Each name at the top of a module with its lines, also where the file does not parse."""
    parts: dict[str, list[str]] = {}
    pending: list[str] = []
    name = ""
    for line in text.splitlines():
        head = _TOP.match(line)
        if head:
            name = head["def"] or head["name"]
            parts.setdefault(name, []).extend([*pending, line])
            pending = []
        elif line.startswith(("@", "#")):
            pending.append(line)
            name = ""
        elif line[:1].isspace() or line[:1] in (")", "]", "}"):
            (parts[name] if name else pending).append(line)
        elif line:
            name, pending = "", []
    return {name: "\n".join(lines).rstrip() for name, lines in parts.items()}


def _is_mark(line: str) -> bool:
    return len(line) <= _MARK_AT_MOST and line.lstrip().startswith("#") and _MARK in line


def _bare(part: str | None) -> str:
    lines = [line.rstrip() for line in (part or "").splitlines() if line.strip()]
    return "\n".join(line for line in lines if not _is_mark(line))


def safe_lesson(root: Path) -> tuple[Lesson, LessonProgress] | None:
    """The lesson in hand; none too when its record cannot be read, which other commands tell."""
    try:
        return lesson_in_hand(root)
    except KitError:
        return None


def asked_by_human(lesson: Lesson) -> str:
    """Why a command that shows or lays a solution is refused in tutor mode."""
    what = f"shows what is left of lesson {lesson.number}; in tutor mode the learner asks for it"
    fix = "the learner types /solution, or the command itself, in a terminal"
    return rule("HW504").finding(what, stage="H", why="", fix=fix).render()
