"""A lesson's folder, typed once.

    lessons/NN-name/
      lesson.md  lesson.toml      text; title, minutes, objectives, hints
      starter/  solution/         files laid over the stage before
      right/NAME/  wrong/NAME/    files laid over the solution; wrong ones with expected.toml
      cheat/NAME/                 likewise: what tries to pass without being right
      survivors.toml              mutants of the solution that no check fails, and why
      tests/checks.py             what the grader asks
      tests/right/NAME/           further right backends that a learner's own tests must accept
      tests/broken/NAME/          backends with a fault, for a learner's own tests to find

What is wrong in a folder is said when it is loaded, with the file and what to do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kit import KitError, Tree, lessons_tree

_FOLDER = re.compile(r"(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)")
RUNGS = 6
_FOR_INSTRUCTORS = "\n## For the instructor\n"
_KEYS = (
    *("title", "question", "minutes", "minutes_short"),
    *("objectives", "files", "targets", "hints"),
)
_MAY_BE_LEFT_OUT = ("draft", "optional", "reads")
_READS = ("backend",)
_TARGET = re.compile(r"[\w/]+\.py:_?[A-Za-z]\w*")
_TYPES = {"title": str, "question": str, "minutes": int, "minutes_short": int}


class LessonError(KitError):
    """A lesson that does not exist, or a lesson folder that is not right."""


@dataclass(frozen=True)
class Objective:
    """What a learner can do after the lesson, and what the grader reports on."""

    id: str
    text: str


@dataclass(frozen=True)
class Expected:
    """What the grader must say about a wrong solution: a code, and a phrase of its message."""

    code: str
    phrase: str


@dataclass(frozen=True)
class Survivor:
    """A mutant of the solution that no check fails.

    Attributes:
        same: it behaves as the solution does, so that there is nothing to fail.
    """

    same: bool
    reason: str


@dataclass(frozen=True)
class Lesson:
    """One lesson: its data and every file of its folder.

    Attributes:
        minutes_short: in the short workshop; 0 when it is not a part of that.
        files: patterns of the files that may change.
        targets: the learner's part, `FILE:NAME` each; in tutor mode an assistant leaves it alone.
        draft: still being written: nobody but its author is shown it.
        optional: taught where time is left; no later lesson needs it.
        reads: folders of a project whose Python files the grader reads.
    """

    number: int
    name: str
    title: str
    question: str
    minutes: int
    minutes_short: int
    objectives: tuple[Objective, ...]
    files: tuple[str, ...]
    targets: tuple[str, ...]
    hints: Mapping[str, tuple[str, ...]]
    tree: Tree
    draft: bool = False
    optional: bool = False
    reads: tuple[str, ...] = _READS

    @property
    def label(self) -> str:
        """The short name people say: `L1`."""
        return f"L{self.number}"

    @property
    def text(self) -> str:
        """The lesson's page, as Markdown."""
        return self.read("lesson.md")

    @property
    def learners_text(self) -> str:
        """The page without its last part, which is for who leads a workshop."""
        return self.text.partition(_FOR_INSTRUCTORS)[0].rstrip() + "\n"

    @property
    def right(self) -> tuple[str, ...]:
        """Names of the further right solutions."""
        return self._folders("right")

    @property
    def wrong(self) -> tuple[str, ...]:
        """Names of the wrong solutions, which the grader must refuse."""
        return self._folders("wrong")

    @property
    def cheats(self) -> tuple[str, ...]:
        """Names of the lesson's own cheats, none of which may pass."""
        return self._folders("cheat")

    def read(self, path: str) -> str:
        """The text of one file of the lesson's folder."""
        if path not in self.tree:
            raise _misfit(self.name, f"has no {path}", f"write lessons/{self.name}/{path}")
        return self.tree[path].decode()

    def overlay(self, part: str) -> dict[str, bytes]:
        """The project files of a part: `starter`, `solution`, `right/NAME`, `wrong/NAME` ..."""
        prefix = f"{part}/"
        found = {
            path.removeprefix(prefix): content
            for path, content in self.tree.items()
            if path.startswith(prefix) and path != f"{prefix}expected.toml"
        }
        if not found:
            raise _misfit(self.name, f"has no files in {part}/", "write them, or mend the name")
        return found

    def expected(self, name: str) -> Expected:
        """What the grader must say about the wrong solution `name`."""
        path = f"wrong/{name}/expected.toml"
        data = _toml(self.name, path, self.read(path))
        if sorted(data) != ["code", "phrase"] or not all(data.values()):
            raise _misfit(self.name, f"{path} must hold code and phrase", "give it both, as text")
        return Expected(code=str(data["code"]), phrase=str(data["phrase"]))

    def variants(self, kind: str) -> dict[str, dict[str, str]]:
        """Backends to run a learner's tests against, by name: the project files of each.

        Args:
            kind: `right`, the lesson's further right solutions among them, or `broken`.
        """
        found: dict[str, dict[str, str]] = {}
        for path, content in self.tree.items():
            name, _, file = path.removeprefix("tests/").removeprefix(f"{kind}/").partition("/")
            if path.startswith((f"{kind}/", f"tests/{kind}/")) and file.startswith("backend/"):
                found.setdefault(name, {})[file] = content.decode()
        return found

    @property
    def survivors(self) -> dict[str, Survivor]:
        """The known survivors among the solution's mutants, by name."""
        path = "survivors.toml"
        if path not in self.tree:
            return {}
        rows = _toml(self.name, path, self.read(path)).get("survivor", [])
        if not all(sorted(row) == ["mutant", "reason", "same"] and row["reason"] for row in rows):
            raise _misfit(self.name, f"{path} needs mutant, same and reason each", "give them")
        return {row["mutant"]: Survivor(row["same"] is True, row["reason"]) for row in rows}

    def _folders(self, part: str) -> tuple[str, ...]:
        parts = (path.split("/") for path in self.tree)
        return tuple(sorted({names[1] for names in parts if names[0] == part and len(names) > 2}))


def load_lessons(tree: Tree | None = None, *, drafts: bool = False) -> tuple[Lesson, ...]:
    """Every lesson in order, from the kit or from the given files of a `lessons/` folder.

    Args:
        drafts: those too that are still being written.
    """
    tree = lessons_tree() if tree is None else tree
    names = sorted({path.split("/")[0] for path in tree})
    lessons = tuple(_load(name, _below(tree, name)) for name in names if _FOLDER.fullmatch(name))
    numbers = [lesson.number for lesson in lessons]
    if numbers != list(range(1, len(numbers) + 1)):
        raise _misfit("", f"the lessons are numbered {numbers}", "number them 1, 2, 3 ...")
    return tuple(lesson for lesson in lessons if drafts or not lesson.draft)


def complete_overlay(tree: Tree | None = None) -> dict[str, bytes]:
    """The files of `lessons/complete/`: what no lesson teaches, laid over the last stage."""
    return _below(lessons_tree() if tree is None else tree, "complete")


def find_lesson(word: str, lessons: tuple[Lesson, ...] | None = None) -> Lesson:
    """The lesson meant by `1`, `01`, `L1`, `02-indexes-or-scans` or `indexes-or-scans`."""
    lessons = load_lessons() if lessons is None else lessons
    wanted = word.strip().lower().removeprefix("lesson").strip()
    for lesson in lessons:
        number, _, short = lesson.name.partition("-")
        if wanted in (str(lesson.number), number, lesson.label.lower(), lesson.name, short):
            return lesson
    known = ", ".join(f"{lesson.number} ({lesson.name})" for lesson in lessons)
    raise LessonError(
        f"There is no lesson {word!r}.",
        where=f"the lessons are: {known or 'none'}",
        fix="name one of them: headwater lesson list",
    )


def _below(tree: Tree, folder: str) -> dict[str, bytes]:
    prefix = f"{folder}/"
    return {p.removeprefix(prefix): content for p, content in tree.items() if p.startswith(prefix)}


def _load(name: str, tree: Tree) -> Lesson:
    if "lesson.toml" not in tree:
        raise _misfit(name, "has no lesson.toml", "copy that of another lesson and fill it in")
    data = _toml(name, "lesson.toml", tree["lesson.toml"].decode())
    number = int(name[:2])
    _check_keys(name, data, number)
    lesson = Lesson(
        number=number,
        name=name,
        title=data["title"],
        question=data["question"],
        minutes=data["minutes"],
        minutes_short=data["minutes_short"],
        objectives=tuple(Objective(id=o["id"], text=o["text"]) for o in data["objectives"]),
        files=tuple(data["files"]),
        targets=tuple(data["targets"]),
        hints={key: tuple(text.strip() for text in rungs) for key, rungs in data["hints"].items()},
        tree=tree,
        draft=data.get("draft") is True,
        optional=data.get("optional") is True,
        reads=tuple(data.get("reads", _READS)),
    )
    _check_hints(lesson)
    return lesson


def _check_keys(name: str, data: dict[str, Any], number: int) -> None:
    missing = [key for key in _KEYS if key not in data]
    if missing:
        raise _misfit(name, f"lesson.toml has no {', '.join(missing)}", "add it")
    unknown = sorted(set(data) - {*_KEYS, *_MAY_BE_LEFT_OUT, "number", "name"})
    if unknown:
        raise _misfit(name, f"lesson.toml has an unknown {', '.join(unknown)}", "remove it")
    if data.get("number") != number or data.get("name") != name[3:]:
        raise _misfit(name, "lesson.toml has another number or name", "make it the folder's")
    for key, kind in _TYPES.items():
        if not isinstance(data[key], kind) or (not data[key] and key != "minutes_short"):
            raise _misfit(name, f"{key} in lesson.toml is not {kind.__name__}", "give it a value")
    bad = [target for target in data["targets"] if not _TARGET.fullmatch(str(target))]
    if bad or not data["targets"]:
        raise _misfit(name, f"targets in lesson.toml are {bad}", "write them as FILE.py:NAME")


def _check_hints(lesson: Lesson) -> None:
    ids = [objective.id for objective in lesson.objectives]
    wanted = [f"{lesson.label}.{n}" for n in range(1, len(ids) + 1)]
    if not ids or ids != wanted:
        raise _misfit(lesson.name, f"the objectives are {ids}", f"call them {lesson.label}.1 ...")
    if sorted(lesson.hints) != sorted(ids):
        raise _misfit(lesson.name, "hints and objectives differ", "give each objective a ladder")
    for key, rungs in lesson.hints.items():
        if len(rungs) != RUNGS or not all(rungs):
            raise _misfit(lesson.name, f"the ladder of {key} needs {RUNGS} hints", "write L0 to L5")


def _toml(name: str, path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _misfit(name, f"{path} is not TOML: {error}", "mend that line") from error


def _misfit(name: str, what: str, fix: str) -> LessonError:
    where = f"lessons/{name}" if name else "lessons/"
    return LessonError(f"Lesson folder {name or 'lessons'}: {what}.", where=where, fix=fix)
