"""A learner's own tables and functions in a lesson's files: laying these leaves them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater.loader import load
from headwater_workshop.cli.lesson import app
from headwater_workshop.kit import write_tree
from headwater_workshop.lessons import find_lesson, load_lessons
from headwater_workshop.own.code import broken_imports, lesson_names, with_own_code
from headwater_workshop.stages import stage, started

LESSONS = load_lessons()
FIRST, SECOND = LESSONS[:2]
KNOWN = lesson_names(LESSONS)
SCHEMA, TASKS = "backend/schema.py", "backend/tasks.py"
BOARD = '''

Kind = Literal["plain", "lined"]


# Where notes hang.
class NotesBoard(Document, table="notes_boards"):
    """A board of one project."""

    project_id: Id[Project]
    kind: Kind = "plain"
    by_project = Index("project_id")
'''
BOARDS = b'''"""Boards."""

from headwater import Id, MutationCtx, mutation

from backend.schema import NotesBoard, Project


@mutation
async def create_board(ctx: MutationCtx, project_id: Id[Project]) -> Id[NotesBoard]:
    """Hang up a board."""
    await ctx.auth.require_identity()
    return await ctx.db.insert(NotesBoard(project_id=project_id))
'''


def with_a_board(number: int) -> dict[str, bytes]:
    """A project after lesson `number` to which somebody added a table and its functions."""
    files = stage(number, LESSONS)
    schema = files[SCHEMA].decode() + BOARD
    schema = schema.replace("import Annotated\n", "import Annotated, Literal\n")
    schema = schema.replace("import Document, Index", "import Document, Id, Index")
    return files | {SCHEMA: schema.encode(), "backend/boards.py": BOARDS}


def laid(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    """The files of a project after a lesson's were laid into it."""
    tree, _ = with_own_code(files, started(find_lesson(str(number), LESSONS), LESSONS), KNOWN)
    return {**files, **tree}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the command is called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def facts(*arguments: str) -> dict[str, object]:
    """What a program reads from `headwater lesson ...`; it must succeed."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("number", [1, 2])
def test_a_table_of_ones_own_stays_with_all_it_uses(number: int) -> None:
    """Its comment, its constant, its imports: the backend loads as it did before the lesson."""
    text = laid(with_a_board(number - 1), number)[SCHEMA].decode()
    assert BOARD.partition("# Where")[2] in text
    assert 'Kind = Literal["plain", "lined"]' in text
    assert "from typing import Annotated, Literal\n" in text
    assert "import Document, Id, Index\n" in text
    assert broken_imports(laid(with_a_board(number - 1), number)) == []


def test_a_lesson_starts_in_a_project_with_a_table_of_its_own(project: Path) -> None:
    """Start, and reset after it: the whole backend loads, and the command says what stays."""
    write_tree(with_a_board(0), project)
    for command in ("start", "reset"):
        (project / TASKS).write_text("")
        done = facts(command, "1")
        assert done["broken"] == []
        assert (project / TASKS).read_bytes() == started(FIRST)[TASKS]
        assert "boards:createBoard" in load(project).functions
    assert "class NotesBoard" in (project / SCHEMA).read_text()


def test_start_says_what_stays_in_which_file(project: Path) -> None:
    """The names, so that nobody has to search for them."""
    write_tree(with_a_board(0), project)
    shown = CliRunner().invoke(app, ["start", "1"]).stdout
    assert f"yours, and still in {SCHEMA}: Kind, NotesBoard" in shown
    assert "to see a file of it: cat .headwater/kept/" in shown


def test_a_function_of_ones_own_stays_and_a_loose_helper_goes() -> None:
    """Clients call the first. The second is of an attempt, and nothing names it any more."""
    own = b"\n\n@query\nasync def count(ctx: QueryCtx) -> int:\n    return one()\n"
    own += b"\n\ndef one() -> int:\n    return 1\n\n\ndef loose() -> int:\n    return 2\n"
    files = stage(0, LESSONS)
    files[TASKS] += own
    text = laid(files, 1)[TASKS].decode()
    assert "async def count" in text
    assert "def one()" in text
    assert "def loose()" not in text


def test_what_needs_a_later_lesson_goes_and_is_told() -> None:
    """It would keep the lesson's own file from loading; who imports it is named."""
    files = stage(2, LESSONS)
    files[TASKS] += (
        b"\n\n@query\nasync def all_open(ctx: QueryCtx, p: Priority) -> int:\n    return 1\n"
    )
    files["backend/more.py"] = b"from backend.tasks import all_open\n"
    after = laid(files, 1)
    assert after[TASKS] == started(FIRST)[TASKS]
    broken = [str(each) for each in broken_imports(after) if each.path.startswith("backend/")]
    assert broken == ["backend/more.py:1 imports all_open, which backend/tasks.py does not have"]


def test_a_test_of_a_later_lesson_is_put_aside(project: Path) -> None:
    """Reset to lesson 1 after lesson 2: no test imports what is gone, and the test is kept."""
    write_tree(stage(2), project)
    done = facts("reset", "1")
    assert done["removed"] == ["tests/test_list_open.py"]
    assert done["broken"] == []
    kept = done["kept"]
    assert isinstance(kept, dict)
    assert (project / kept["folder"] / "tests/test_list_open.py").is_file()


def test_an_own_test_of_what_is_gone_is_named_and_left(project: Path) -> None:
    """It is nobody else's to remove; the line that fails is in the answer."""
    write_tree(stage(2), project)
    (project / "tests/test_mine.py").write_text("from backend.tasks import list_open\n")
    shown = CliRunner().invoke(app, ["reset", "1"]).stdout
    assert "tests/test_mine.py:1 imports list_open, which backend/tasks.py does not have" in shown
    assert (project / "tests/test_mine.py").is_file()


def test_every_stage_has_whole_imports() -> None:
    """The look at imports finds nothing in projects that are known to be good."""
    trees = [*(stage(n, LESSONS) for n in range(3)), *(started(each) for each in LESSONS)]
    assert [broken_imports(tree) for tree in trees] == [[]] * len(trees)


def test_files_that_nobody_changed_are_laid_as_they_are() -> None:
    """No name of any stage counts as the learner's own: not of the beginning, of the one before, of
    the lesson's own or of the last.
    """
    last = LESSONS[-1].number
    for each in LESSONS:
        wanted = started(each, LESSONS)
        for number in sorted({0, each.number - 1, each.number, last}):
            tree, stays = with_own_code(stage(number, LESSONS), wanted, KNOWN)
            assert (tree, stays) == (wanted, {})
