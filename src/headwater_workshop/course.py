"""What a lesson looks like from inside a project: its state, its files, its differences."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .kit import Tree, read_folder
from .lessons import Lesson, complete_overlay, load_lessons
from .own.code import Broken, broken_imports, lesson_names, with_own_code
from .own.regions import own_part, part_of
from .progress import Progress, load_progress, record_solution_seen
from .stages import FOLDERS, last_stage, stage, started, with_page_test


def state_of(lesson: Lesson, progress: Progress) -> dict[str, Any]:
    """A lesson's line in the list: its data, and `done`, `seen`, `current`, `begun` or `open`."""
    record = progress.of(lesson)
    state = record.state
    if progress.current == lesson.name and (record.again or state in ("begun", "open")):
        state = "current"
    return {
        "number": lesson.number,
        "name": lesson.name,
        "title": lesson.title,
        "minutes": lesson.minutes,
        "minutes_short": lesson.minutes_short,
        "state": state,
        "runs": record.runs,
        "attempts": record.attempts,
        "hints": sum(record.hints.values()),
        "solution_seen": record.solution_seen is not None,
        "objectives": {
            each.id: record.objectives.get(each.id, False) for each in lesson.objectives
        },
    }


def allowed(lesson: Lesson, path: str) -> bool:
    """Whether a file is on the lesson's list of files that may change."""
    return any(fnmatch(path, pattern) for pattern in lesson.files)


def lesson_files(lesson: Lesson, have: Tree | None = None) -> dict[str, bytes]:
    """The files a lesson begins with: those it names, as of the stage before, and its starter.

    They come together, because each imports names from the others.

    Args:
        have: a project's files; what these and the lesson's import from files that are in neither,
            because a lesson in between was left out, comes with them.
    """
    tree, starter = started(lesson), lesson.overlay("starter")
    files = {name: text for name, text in tree.items() if name in lesson.files or name in starter}
    while have is not None:
        broken = broken_imports({**have, **files})
        lacking = {each.source for each in broken} - have.keys() - files.keys()
        if not lacking & tree.keys():
            break
        files |= {name: tree[name] for name in lacking & tree.keys()}
    return files


def not_begun(project: Path, lesson: Lesson) -> bool:
    """Whether a lesson was never started here, and its part is still what it was before it."""
    if load_progress(project).of(lesson).started is not None:
        return False
    return own_part(project, lesson) == part_of(stage(lesson.number - 1), lesson)


@dataclass(frozen=True)
class Beginning:
    """What laying a lesson's files into a project will do.

    Attributes:
        tree: the files, with what of the learner's own code stays in them.
        stays: the names of that code, by file.
        remove: tests of this lesson or a later one, which test what is not there any more.
        broken: imports that then find nothing.
    """

    tree: dict[str, bytes]
    stays: dict[str, list[str]]
    remove: list[str]
    broken: list[Broken]


def beginning(project: Path, lesson: Lesson) -> Beginning:
    """A lesson's files as they fit into a project, and what of it would not fit to them."""
    lessons, files = load_lessons(), project_files(project)
    tree, stays = with_own_code(files, lesson_files(lesson, files), lesson_names(lessons))
    broken = broken_imports({**files, **tree})
    coming = [each for each in lessons if each.number >= lesson.number]
    later = {name for each in coming for name in each.overlay("solution")}
    later -= started(lesson).keys()
    remove = sorted({each.path for each in broken} & later)
    return Beginning(tree, stays, remove, [each for each in broken if each.path not in remove])


def project_files(project: Path) -> dict[str, bytes]:
    """The files of a project that lessons are about, by their path."""
    return {
        f"{top}/{name}": content
        for top in FOLDERS
        if (project / top).is_dir()
        for name, content in read_folder(project / top).items()
    }


def ahead_of_lessons(project: Path) -> list[str]:
    """Files of the complete backend that no lesson brings, where a project has them."""
    last = last_stage()
    added = [name for name in complete_overlay() if name not in last]
    return sorted(name for name in added if (project / name).is_file())


def comparison(project: Path, lesson: Lesson, *, solution: bool) -> str:
    """A unified diff of the lesson's files: from its beginning to the project, or on to the end."""
    mine = _project_files(project, lesson)
    tree = with_page_test(stage(lesson.number) if solution else started(lesson), project)
    theirs = _only(tree, lesson)
    if solution:
        return _diff(mine, theirs, "yours", "solution")
    return _diff(theirs, mine, "starter", "yours")


def revealed(project: Path, lesson: Lesson, at: str) -> str:
    """The rest of the way to the solution, as a diff; the lesson is then seen, not solved."""
    record_solution_seen(project, lesson, at)
    return comparison(project, lesson, solution=True)


def _only(tree: Tree, lesson: Lesson) -> dict[str, bytes]:
    return {name: content for name, content in tree.items() if allowed(lesson, name)}


def _project_files(project: Path, lesson: Lesson) -> dict[str, bytes]:
    return _only(project_files(project), lesson)


def _diff(old: Tree, new: Tree, old_name: str, new_name: str) -> str:
    parts: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        before, after = (
            tree.get(name, b"").decode(errors="replace").splitlines(keepends=True)
            for tree in (old, new)
        )
        parts += difflib.unified_diff(before, after, f"{old_name}/{name}", f"{new_name}/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in parts)
