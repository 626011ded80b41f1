"""Tutor mode: what an assistant leaves to the learner, decided here for hooks, tools and scorer.

    protected_reason(root, path, after)   may this file be written so?
    edited_text(root, tool_input)         the text that an Edit or a Write would leave
    command_reason(root, command)         may this command run?
    turn_line(root)                       one line of facts, for every turn

A reason is a sentence to show; None means that nothing stands against it. It is a help for who
wants to learn, not security: a program can be told to get around it, and who does so knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .lessons import Lesson, load_lessons
from .mode import mode_of
from .own.regions import MARK, changed_regions, regions, targets_of, too_many_todos
from .progress import Progress, load_progress
from .shell import writes

_OWN = (".headwater/progress.json", ".headwater/mode")
_KEPT = "{name} is written by headwater alone: it holds the mode and the hints that were given."
_HUMANS = (
    (re.compile(r"\bheadwater(?:\.exe)?\s+(?:lesson\s+reveal|solution)\b"), "shows the solution"),
    (re.compile(r"\bheadwater(?:\.exe)?\s+lesson\s+diff\b.*--solution"), "shows the solution"),
    (re.compile(r"\bheadwater(?:\.exe)?\s+lesson\s+goto\b"), "lays a finished backend"),
    (re.compile(r"\bheadwater(?:\.exe)?\s+mode\s+\w"), "changes how the assistant helps"),
    (re.compile(r"\bheadwater(?:\.exe)?\s+new\b|\bcopier\s+copy\b"), "lays a finished backend"),
    (re.compile(r"lessons\.bundle|headwater_workshop"), "opens the kit's own files"),
    (re.compile(r"lessons[/\\]\d\d-[\w-]+[/\\]"), "opens the kit's own files"),
)
_START = re.compile(r"\bheadwater(?:\.exe)?\s+lesson\s+(?:start|reset)\s+[\"']?[Ll]?0*(\d+)")
_REPAIRS = re.compile(r"\bheadwater(?:\.exe)?\s+check\b.*\s--fix\b")
_LAYS = (
    "A later lesson begins with the solution of lesson {number}, which is not done. In tutor mode "
    "that is the learner's to type."
)


def current_lesson(root: Path) -> tuple[Lesson, Progress] | None:
    """The lesson a learner is in, in tutor mode; None in pair mode, outside lessons, when over."""
    if mode_of(root) != "tutor":
        return None
    progress = load_progress(root)
    for lesson in load_lessons() if progress.current else ():
        if lesson.name == progress.current and not progress.of(lesson).over:
            return lesson, progress
    return None


def protected_reason(root: Path, path: str | Path, after: str | None = None) -> str | None:
    """Why an assistant does not write this file so; None when it may.

    Args:
        root: the project's folder.
        path: the file, absolute or from the project's folder; with either kind of slash.
        after: the text it would hold; None when that is not known, then any part may change.
    """
    name = _name(root, path)
    if name is None or mode_of(root) != "tutor":
        return None
    if name in _OWN:
        return _KEPT.format(name=name)
    found = current_lesson(root)
    if found is None:
        return None
    names, before = targets_of(found[0]).get(name, []), _read(root / name)
    if after is None:
        return _leave(name, names, found[0]) if names else None
    changed = changed_regions(before, after, names) if names else []
    if not names and name.endswith(".py"):  # the solution beside its file is the solution too
        changed = _defined_anew(before, after, [x.partition(":")[2] for x in found[0].targets])
    if changed:
        return _leave(name, changed, found[0])
    if too_many_todos(before, after):
        return f"{name} has a {MARK} already; in tutor mode there is one at a time."
    return None


def edited_text(root: Path, tool_input: Mapping[str, Any]) -> str | None:
    """The text a file would hold after a `Write` or `Edit` call; None when that cannot be said."""
    if "content" in tool_input:
        return str(tool_input["content"])
    name = _name(root, str(tool_input.get("file_path", "")))
    old, new = tool_input.get("old_string"), tool_input.get("new_string")
    if name is None or old is None or new is None:
        return None
    text = _read(root / name)
    if old == "":
        return str(new) if not text else None
    return text.replace(old, new) if tool_input.get("replace_all") else text.replace(old, new, 1)


def command_reason(root: Path, command: str) -> str | None:
    """Why an assistant does not run this command in tutor mode; None when it may.

    Best effort, by its words: a redirect to a file with the learner's part, a program that changes
    one, or a command of headwater that is the learner's to type.
    """
    if mode_of(root) != "tutor":
        return None
    for words, does in _HUMANS:
        if words.search(command):
            return f"In tutor mode that is the learner's to type, because it {does}."
    if any(writes(command, name) for name in _OWN):
        return _KEPT.format(name=".headwater/")
    found = current_lesson(root)
    return _in_lesson(found[0], command) if found else None


def _in_lesson(lesson: Lesson, command: str) -> str | None:
    """Why a command is left alone as long as this lesson is not done."""
    begun = _START.search(command)
    if begun and int(begun[1]) > lesson.number:
        return _LAYS.format(number=lesson.number)
    for name, names in targets_of(lesson).items():
        if _REPAIRS.search(command) or writes(command, name):
            return _leave(name, names, lesson)
    return None


def turn_line(root: Path) -> str:
    """One line of facts: `mode tutor; lesson 01; hint level 2 of 5; 3 failed attempts`."""
    return "; ".join([f"mode {mode_of(root)}", *lesson_facts(root)])


def lesson_facts(root: Path) -> list[str]:
    """The same without the mode: the lesson one is in, its hints, its tries; empty without one."""
    progress = load_progress(root)
    lessons = load_lessons() if progress.current else ()
    current = (each for each in lessons if each.name == progress.current)
    return [fact for lesson in current for fact in _lesson_facts(lesson, progress)]


def _lesson_facts(lesson: Lesson, progress: Progress) -> list[str]:
    record = progress.of(lesson)
    last = max(len(rungs) for rungs in lesson.hints.values()) - 1
    level = max(record.hints.values(), default=0) - 1
    hint = f"hint level {level} of {last}" if level >= 0 else "no hint yet"
    attempts = f"{record.attempts} failed attempt{'' if record.attempts == 1 else 's'}"
    facts = [f"lesson {lesson.number:02}", hint, attempts]
    if record.done:
        facts.append("done before, begun again" if record.again else "done")
    elif record.solution_seen:
        facts.append("solution seen")
    return facts


def _defined_anew(before: str, after: str, names: list[str]) -> list[str]:
    """The names that another file defines after an edit, other than before it."""
    try:
        was, becomes = regions(before), regions(after)
    except (SyntaxError, ValueError):
        return []
    return [name for name in names if name in becomes and was.get(name) != becomes[name]]


def _leave(name: str, names: list[str], lesson: Lesson) -> str:
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    are = "are" if len(names) > 1 else "is"
    return (
        f"{name}: {listed} {are} the learner's part of lesson {lesson.number} in tutor mode. "
        f"One comment `# {MARK}: ...` can be put there, and `headwater lesson hint` has the next "
        "step for them."
    )


def _name(root: Path, path: str | Path) -> str | None:
    """The file's path from the project's folder, with `/`; None for a file elsewhere."""
    text = str(path).replace("\\", "/")
    base = root.resolve()
    for start in dict.fromkeys((str(root).replace("\\", "/"), base.as_posix())):
        if text.lower().startswith(f"{start.lower()}/"):
            text = text[len(start) + 1 :]
    try:
        return (base / text).resolve().relative_to(base).as_posix()
    except ValueError:
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
