"""Every lesson has the same parts, and nothing that is not one of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from typer.main import get_command

from headwater.loader import load
from headwater.rules import RULES
from headwater_workshop.cli.lesson import app
from headwater_workshop.course import allowed
from headwater_workshop.lessons import Lesson
from headwater_workshop.own.regions import regions
from headwater_workshop.stages import complete, last_stage, stage, started, write

from .parts import LESSONS, RIGHT, TREE, WRONG, blocks, name_of

HEADINGS = [
    "Afterwards you can",
    "Before you start",
    "Predict",
    "Ask the assistant",
    "Task",
    "Checkpoint",
    "Key points",
    "Out of scope",
    "Closing question",
    "For the instructor",
]
INSTRUCTOR = ["Usual stall.", "Demo failure.", "When to go on."]
PLACES = re.compile(
    r"""\d\d-[a-z0-9-]+/(
        lesson\.md | lesson\.toml | survivors\.toml | tests/\w+\.py
        | tests/(right|broken)/[a-z0-9-]+/backend/\w+\.py
        | (starter|solution|(right|cheat)/[a-z0-9-]+|wrong/[A-Z]\d{3,4}-[a-z0-9-]+)/
          (backend|tests)/[\w/]+\.py
        | wrong/[A-Z]\d{3,4}-[a-z0-9-]+/api/\w+\.py
        | wrong/[A-Z]\d{3,4}-[a-z0-9-]+/expected\.toml
    )
    | complete/(backend|tests)/[\w/]+\.py""",
    re.VERBOSE,
)
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
each_variant = pytest.mark.parametrize(
    ("lesson", "part"),
    [
        *((lesson, part) for lesson in LESSONS for part in ("starter", "solution")),
        *((lesson, f"right/{name}") for lesson, name in RIGHT),
        *((lesson, f"wrong/{name}") for lesson, name in WRONG),
    ],
    ids=lambda value: name_of(value) or str(value),
)


def functions(source: bytes) -> dict[str, str]:
    """The functions of a module by name, without regard to layout and comments."""
    found = (ast.AsyncFunctionDef, ast.FunctionDef)
    tree = ast.parse(source.decode())
    return {node.name: ast.dump(node) for node in tree.body if isinstance(node, found)}


@each_lesson
def test_a_page_has_the_same_parts_in_the_same_order(lesson: Lesson) -> None:
    """A title, a question, the minutes; then from what one can do to the instructor's notes."""
    headings = re.findall(r"^## (.+)$", lesson.text, re.MULTILINE)
    kinds = [re.sub(r"^Task \d: .+$", "Task", heading) for heading in headings]
    tasks = kinds.count("Task")
    assert 2 <= tasks <= 4
    where = kinds.index("Task")
    assert kinds[:where] + kinds[where + tasks - 1 :] == HEADINGS
    assert lesson.text.startswith(f"# Lesson {lesson.number}: {lesson.title}\n")
    assert f"\n**Question.** {lesson.question}\n" in lesson.text


@each_lesson
def test_minutes_are_given_for_both_schedules(lesson: Lesson) -> None:
    """The page says what lesson.toml says, and the short one is shorter."""
    short = f"{lesson.minutes_short} in the short workshop"
    said = short if lesson.minutes_short else "not in the short workshop"
    assert f"\n{lesson.minutes} minutes; {said}.\n" in lesson.text
    assert 15 <= lesson.minutes <= 45
    assert lesson.minutes_short == 0 or 5 <= lesson.minutes_short <= min(15, lesson.minutes)


@each_lesson
def test_the_objectives_stand_on_the_page(lesson: Lesson) -> None:
    """Each is what one can do afterwards, in the page's words."""
    part = lesson.text.split("## Afterwards you can")[1].split("\n## ")[0]
    bullets = [" ".join(bullet.split()) for bullet in part.split("\n- ")[1:]]
    said = [bullet.rstrip(";.").replace("`", "").lower() for bullet in bullets]
    assert said == [objective.text.rstrip(".").lower() for objective in lesson.objectives]


@each_lesson
def test_every_task_names_its_files(lesson: Lesson) -> None:
    """And they are on the list of files that may change."""
    for task in re.split(r"^## Task \d", lesson.text, flags=re.MULTILINE)[1:]:
        line = re.search(r"^Files?: (.+)\.$", task, re.MULTILINE)
        assert line is not None
        named = re.findall(r"`([^`]+)`", line[1])
        assert named
        assert all(allowed(lesson, name) for name in named)


@each_lesson
def test_a_page_has_the_length_of_a_lesson(lesson: Lesson) -> None:
    """About 1,300 words: read in ten minutes, and no lecture."""
    assert 1000 <= len(lesson.text.split()) <= 1600


@each_lesson
def test_the_instructor_is_told_the_stall_the_demo_and_the_way_on(lesson: Lesson) -> None:
    """Three notes, in this order, and the command that jumps."""
    part = lesson.text.split("## For the instructor")[1]
    assert re.findall(r"^- \*\*(.+?)\*\*", part, re.MULTILINE) == INSTRUCTOR
    assert "headwater lesson goto" in part


@each_lesson
def test_hints_are_about_forty_words(lesson: Lesson) -> None:
    """Each rung is read in a moment; the first three show no code block, the last has one blank."""
    for rungs in lesson.hints.values():
        lengths = [len(rung.split()) for rung in rungs]
        assert all(20 <= length <= 70 for length in lengths), lengths
        assert 30 <= sum(lengths) / len(lengths) <= 50
        assert not any("```" in rung for rung in rungs[:4])
        assert rungs[-1].count("____") == 1


@each_lesson
def test_the_rules_it_cites_exist(lesson: Lesson) -> None:
    """Whoever looks a rule up finds it."""
    hints = "".join(rung for rungs in lesson.hints.values() for rung in rungs)
    assert set(re.findall(r"\bHW\d{3}\b", lesson.text + hints)) <= set(RULES)


@each_lesson
def test_the_lesson_commands_it_cites_exist(lesson: Lesson) -> None:
    """Every `headwater lesson ...` on the page is a command."""
    commands = getattr(get_command(app), "commands")  # noqa: B009  a group has them, a command not
    cited = set(re.findall(r"headwater lesson (\w+)", lesson.text))
    assert cited
    assert cited <= set(commands)


@each_lesson
def test_the_learners_part_is_all_that_the_solution_changes(lesson: Lesson) -> None:
    """What a lesson names as the learner's is what its solution writes, no more and no less."""
    before, after = started(lesson), stage(lesson.number)
    named, changed = {target.partition(":")[0] for target in lesson.targets}, []
    for name in sorted(lesson.overlay("solution")):
        if name.startswith("backend/") or name in named:
            old, new = (regions(tree.get(name, b"").decode()) for tree in (before, after))
            changed += [f"{name}:{each}" for each in old | new if old.get(each) != new.get(each)]
    assert sorted(changed) == sorted(lesson.targets)


@each_lesson
def test_code_on_the_page_parses(lesson: Lesson) -> None:
    """Python in the page and in the hints compiles; only known languages are used."""
    hints = [rung for rungs in lesson.hints.values() for rung in rungs]
    for block in blocks("\n".join([lesson.text, *hints])):
        assert block.language in ("python", "console", "diff", "tsx")
        if block.language == "python":
            compile(block.code, block.title or "hint", "exec")


@each_lesson
def test_a_test_on_the_page_is_the_one_in_the_solution(lesson: Lesson) -> None:
    """What a learner copies is what the stage holds."""
    shown = [block for block in blocks(lesson.text) if block.title.startswith("tests/")]
    solution = lesson.overlay("solution")
    for block in shown:
        assert solution[block.title].decode() == block.code


def test_no_stray_file_lies_in_lessons() -> None:
    """Each file is one of the parts of a lesson."""
    assert [path for path in TREE if not PLACES.fullmatch(path)] == []


@each_lesson
def test_a_lesson_has_wrong_solutions_and_a_second_right_one(lesson: Lesson) -> None:
    """Both directions are guarded: what must be refused, and what must not."""
    assert len(lesson.wrong) >= 4
    assert lesson.right
    for name in lesson.wrong:
        assert name.startswith(f"{lesson.expected(name).code}-")


@each_variant
def test_a_variant_changes_allowed_files_only(lesson: Lesson, part: str) -> None:
    """What the lesson does not allow to a learner, no solution of ours does."""
    assert all(allowed(lesson, name) for name in lesson.overlay(part))


@each_variant
def test_a_variant_holds_only_files_that_change(lesson: Lesson, part: str) -> None:
    """Every file differs from what it is laid over, and parses."""
    below = stage(lesson.number - 1) if part == "starter" else started(lesson)
    below = stage(lesson.number) if "/" in part else below
    for name, content in lesson.overlay(part).items():
        assert content != below.get(name)
        ast.parse(content.decode(), name)
        assert PurePosixPath(name).suffix == ".py"


@each_variant
def test_copies_do_not_drift(lesson: Lesson, part: str) -> None:
    """Functions that the lesson is not about are the solution's, letter by letter."""
    before, solved = stage(lesson.number - 1), stage(lesson.number)
    for name, content in lesson.overlay(part).items():
        if name not in before or name not in solved:
            continue
        old, new = functions(before[name]), functions(solved[name])
        subject = {each for each in old.keys() | new.keys() if old.get(each) != new.get(each)}
        mine = {k: v for k, v in functions(content).items() if k in new}  # others copy nothing
        assert {k: v for k, v in mine.items() if k not in subject} == {
            k: v for k, v in new.items() if k not in subject
        }


def shapes(tree: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """The parameters of a project's functions and the fields of its tables, by name."""
    write(tree, folder)
    manifest = load(folder).manifest
    found = {path: spec.arguments.to_json() for path, spec in manifest.functions.items()}
    found |= {name: table.document.to_json() for name, table in manifest.tables.items()}
    return {name: shape["value"] for name, shape in found.items()}


def test_the_complete_overlay_keeps_what_the_lessons_made(tmp_path: Path) -> None:
    """Every function and table of the last stage is still there with its parameters and fields,
    and new ones are optional: what a lesson's page calls answers, what it stored stays valid.
    """
    after = shapes(complete(), tmp_path / "complete")
    for name, before in shapes(last_stage(), tmp_path / "last").items():
        assert {field: after[name][field] for field in before} == before, name
        new = {field: after[name][field] for field in after[name].keys() - before.keys()}
        assert all(about["optional"] for about in new.values()), name
