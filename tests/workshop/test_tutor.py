"""Tutor mode: what an assistant leaves to the learner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headwater_workshop.course import lesson_files
from headwater_workshop.ladder import next_hint
from headwater_workshop.lessons import load_lessons
from headwater_workshop.mode import set_mode
from headwater_workshop.progress import load_progress, record_grade, record_start, save_progress
from headwater_workshop.stages import stage, started, write
from headwater_workshop.tutor import command_reason, edited_text, protected_reason, turn_line

LESSON = load_lessons()[0]
TASKS, SCHEMA = "backend/tasks.py", "backend/schema.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in lesson 1 in tutor mode; its path has a space."""
    root = tmp_path / "my app"
    write(started(LESSON), root)
    record_start(root, LESSON, "2026-01-01T12:00:00Z")
    set_mode(root, "tutor")
    return root


def after(root: Path, name: str, old: str, new: str) -> str:
    """The text of a file after one replacement."""
    text = (root / name).read_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("name", [TASKS, SCHEMA])
def test_the_solution_is_not_the_assistants_to_write(project: Path, name: str) -> None:
    """File, names, lesson and the way on are said."""
    reason = protected_reason(project, project / name, stage(1)[name].decode())
    assert reason is not None
    assert reason.startswith(f"{name}: ")
    assert "lesson 1" in reason
    assert "headwater lesson hint" in reason
    assert protected_reason(project, name) is not None, "a text that is not known may be any"


def test_beside_the_learners_part_it_works_as_usual(project: Path) -> None:
    """Another function of the file, another file, and a mark for the learner."""
    other = after(project, TASKS, "take(100)", "take(50)")
    assert protected_reason(project, TASKS, other) is None
    mark = after(
        project, TASKS, "    if len(title)", "    # TODO(human): who checks?\n    if len(title)"
    )
    assert protected_reason(project, TASKS, mark) is None
    (project / TASKS).write_text(mark)
    second = after(
        project, TASKS, "@mutation\nasync def create", "# TODO(human)\n@mutation\nasync def create"
    )
    assert "already" in str(protected_reason(project, TASKS, second))
    assert protected_reason(project, "backend/other.py", "x = 1") is None
    assert protected_reason(project, "backend/other.py") is None
    assert protected_reason(project, "notes.md", "def create_task(): ...") is None
    assert protected_reason(project, project.parent / "elsewhere.py", "x = 1") is None


def test_the_solution_beside_its_file_is_the_solution_too(project: Path) -> None:
    """A function of the lesson's name in a file of another name is still the learner's part."""
    draft = "async def create_task(ctx): ...\n"
    assert "create_task" in str(protected_reason(project, "backend/draft.py", draft))
    write({"backend/draft.py": draft.encode()}, project)
    assert protected_reason(project, "backend/draft.py", draft + "x = 1\n") is None
    assert protected_reason(project, "backend/broken.py", "def (") is None


def test_paths_are_understood_however_they_are_written(project: Path) -> None:
    """Absolute, relative, with backslashes, around a corner."""
    absolute = str(project / TASKS)
    for path in (absolute, TASKS, absolute.replace("/", "\\"), "backend/../backend/tasks.py"):
        assert protected_reason(project, path, "") is not None, path


def test_what_headwater_keeps_is_its_own(project: Path) -> None:
    """Neither the level of hints nor the mode is changed by writing into a file."""
    assert protected_reason(project, ".headwater/progress.json", "{}") is not None
    assert protected_reason(project, ".headwater\\mode", "pair") is not None


def test_in_pair_mode_and_outside_lessons_nothing_is_protected(project: Path) -> None:
    """And a lesson that is done is the learner's to show around."""
    solved = stage(1)[TASKS].decode()
    record_grade(project, LESSON, {each.id: True for each in LESSON.objectives}, "now")
    assert protected_reason(project, TASKS, solved) is None
    progress = load_progress(project)
    progress.lessons.clear()
    save_progress(project, progress)
    assert protected_reason(project, TASKS, solved) is not None
    progress.current = None
    save_progress(project, progress)
    assert protected_reason(project, TASKS, solved) is None
    record_start(project, LESSON, "now")
    set_mode(project, "pair")
    assert protected_reason(project, TASKS, solved) is None
    assert command_reason(project, f"cat > {TASKS}") is None


def test_the_text_after_an_edit_is_known(project: Path) -> None:
    """Of a Write, of an Edit with one place or all, and of a new file."""
    path = str(project / TASKS)
    assert edited_text(project, {"file_path": path, "content": "x"}) == "x"
    edit = {"file_path": path, "old_string": "@mutation", "new_string": "@query"}
    before = (project / TASKS).read_text()
    assert edited_text(project, edit) == before.replace("@mutation", "@query", 1)
    assert edited_text(project, {**edit, "replace_all": True}) == before.replace(
        "@mutation", "@query"
    )
    new = {"file_path": str(project / "backend" / "n.py"), "old_string": "", "new_string": "y"}
    assert edited_text(project, new) == "y"
    assert edited_text(project, {"file_path": path}) is None


@pytest.mark.parametrize(
    "command",
    [
        f"cat > {TASKS} <<'EOF'\nEOF",
        "cd backend; sed -i s/a/b/ tasks.py",
        "uv run headwater lesson reveal 1",
        "headwater solution 1",
        "echo y | uv run headwater lesson diff 1 --solution",
        ".venv/bin/headwater lesson goto 2",
        "uv run headwater mode pair",
        "echo pair > .headwater/mode",
        "rm -rf .headwater",
        "uv run headwater lesson start 2",
        "uv run headwater check --fix",
        "uv run headwater new /tmp/other --defaults",
        "cat ../kit/lessons/01-schema-and-validators/solution/backend/tasks.py",
        "unzip -p .venv/lib/python3.12/site-packages/headwater_workshop/_kit/lessons.bundle",
    ],
)
def test_commands_that_are_the_learners_to_type(project: Path, command: str) -> None:
    """What writes their part, shows the solution, changes the mode or opens the kit."""
    assert command_reason(project, command) is not None


@pytest.mark.parametrize(
    "command",
    [
        "uv run headwater grade",
        "uv run headwater check backend/tasks.py",
        "uv run headwater lesson hint 1",
        "uv run headwater lesson show",
        "uv run headwater lesson start 1",
        "uv run headwater lesson start",
        "uv run headwater mode",
        f"cat {TASKS}",
        "rm .headwater/data.sqlite3",
        "git commit -am 'sed -i mode'",
    ],
)
def test_other_commands_stay_free(project: Path, command: str) -> None:
    """Looking, grading and asking for a hint are what an assistant is for."""
    assert command_reason(project, command) is None


def test_a_turns_line_says_where_one_is(project: Path) -> None:
    """Mode, lesson, level of hints and tries; in a project without lessons the mode alone."""
    assert turn_line(project) == "mode tutor; lesson 01; no hint yet; 0 failed attempts"
    next_hint(project, LESSON, "L1.1")
    write({TASKS: b"def create_task(): ..."}, project)
    record_grade(project, LESSON, {}, "now")
    assert turn_line(project) == "mode tutor; lesson 01; hint level 0 of 5; 1 failed attempt"
    (project / ".headwater" / "progress.json").unlink()
    assert turn_line(project) == "mode tutor"


def test_no_solution_lies_in_a_project_in_plain_text(project: Path) -> None:
    """Neither the solved functions, nor the grader's checks, nor a hint that was not given."""
    write(lesson_files(LESSON), project)
    next_hint(project, LESSON, "L1.1")
    text = "\n".join(p.read_text() for p in project.rglob("*") if p.is_file())
    hidden = [LESSON.hints["L1.1"][5], LESSON.read("tests/checks.py")]
    hidden += [LESSON.overlay("solution")[name].decode() for name in (TASKS, SCHEMA)]
    assert not any(part in text for part in hidden)


def test_an_edit_hook_does_not_load_the_runtime() -> None:
    """Asking before every edit is quick only without it."""
    program = "import sys, headwater_workshop.tutor; sys.exit('headwater' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
