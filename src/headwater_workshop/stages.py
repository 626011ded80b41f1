"""Stages: the project after lesson k, built from files laid over files.

    stage 0     the template's `workshop` backend and tests
    stage k     stage k-1 + starter k + solution k
    complete    the last stage + `lessons/complete/`

`python -m headwater_workshop.stages build` writes the template's complete backend from these;
`check` says what is stale, and changes nothing.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .kit import KitError, Tree, kit_root, read_folder, write_tree
from .lessons import Lesson, complete_overlay, load_lessons

FOLDERS = ("backend", "tests")
"""The folders of a project that stages are made of."""

PAGE_TEST = "tests/test_page.py"
"""The one file there that is no stage's: it came with the page, and is for every stage."""


def stage(number: int, lessons: tuple[Lesson, ...] | None = None) -> dict[str, bytes]:
    """The project's backend and tests after lesson `number`; 0 is the beginning."""
    lessons = load_lessons() if lessons is None else lessons
    tree = template_tree("workshop")
    for lesson in lessons:
        if lesson.number > number:
            break
        tree |= lesson.overlay("starter") | lesson.overlay("solution")
    return tree


def started(lesson: Lesson, lessons: tuple[Lesson, ...] | None = None) -> dict[str, bytes]:
    """What a learner has at the beginning of a lesson: the stage before, and the starter."""
    return stage(lesson.number - 1, lessons) | lesson.overlay("starter")


def variant(
    lesson: Lesson, part: str, lessons: tuple[Lesson, ...] | None = None
) -> dict[str, bytes]:
    """The finished lesson with `right/NAME`, `wrong/NAME` or `cheat/NAME` laid over it."""
    return stage(lesson.number, lessons) | lesson.overlay(part)


def complete() -> dict[str, bytes]:
    """The whole project: every lesson solved, and what no lesson teaches."""
    return last_stage() | complete_overlay()


def last_stage() -> dict[str, bytes]:
    """The project with every lesson solved."""
    lessons = load_lessons()
    return stage(lessons[-1].number, lessons)


def with_page_test(tree: Tree, project: Path) -> dict[str, bytes]:
    """A stage's files, and the test of the page if the project has one."""
    test = project / PAGE_TEST
    return dict(tree) | ({PAGE_TEST: test.read_bytes()} if test.is_file() else {})


def write(tree: Tree, folder: Path) -> None:
    """Lay a stage's files into a folder, over what is there."""
    write_tree(tree, folder)


def template_tree(start: str) -> dict[str, bytes]:
    """The template's backend and tests for one answer to the question where to start."""
    tree: dict[str, bytes] = {}
    for name in FOLDERS:
        folder = template_folder(start, name)
        tree |= {f"{name}/{path}": content for path, content in read_folder(folder).items()}
    return tree


def template_folder(start: str, name: str, root: Path | None = None) -> Path:
    """The conditional folder of the template that becomes `backend` or `tests`."""
    root = kit_root() if root is None else root
    return root / "template" / f"{{% if start == '{start}' %}}{name}{{% endif %}}"


@contextmanager
def template_source(root: Path) -> Iterator[Path]:
    """A folder that Copier can render with every answer.

    A checkout is one. The kit of a wheel holds no complete backend in plain text: there it is a
    temporary copy, with that backend laid in.
    """
    if template_folder("complete", "backend", root).is_dir():
        yield root
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kit"
        shutil.copytree(root, copy)
        for name, content in complete().items():
            top, _, rest = name.partition("/")
            write_tree({rest: content}, template_folder("complete", top, copy))
        yield copy


def stale() -> list[str]:
    """Files of the template's complete backend that differ from what the lessons make."""
    wanted, found = complete(), template_tree("complete")
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )


def build() -> list[str]:
    """Write the template's complete backend and tests; what changed is returned."""
    changed, wanted = stale(), complete()
    for name in changed:
        top, _, rest = name.partition("/")
        target = template_folder("complete", top) / rest
        if name in wanted:
            write_tree({rest: wanted[name]}, template_folder("complete", top))
        else:
            target.unlink()
    return changed


def main(arguments: list[str]) -> int:
    """`build` writes the complete backend; `check` exits 1 when it is stale."""
    if arguments == ["build"]:
        changed = build()
        print(f"{len(changed)} files written" if changed else "the complete backend is up to date")
        return 0
    if arguments in (["check"], ["build", "--check"]):
        changed = stale()
        for name in changed:
            print(f"stale: {name}")
        if changed:
            print("Fix: python -m headwater_workshop.stages build")
        return 1 if changed else 0
    print("usage: python -m headwater_workshop.stages build|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KitError as error:
        sys.exit(str(error))
