"""A lesson's folder: what is read from it, and what is said when it is not right."""

from __future__ import annotations

import pytest

from headwater_workshop.lessons import LessonError, find_lesson, load_lessons

TOML = """
number = 1
name = "first"
title = "First"
question = "Why?"
minutes = 20
minutes_short = 10
objectives = [{ id = "L1.1", text = "Say why." }]
files = ["backend/a.py"]
targets = ["backend/a.py:do"]
[hints]
"L1.1" = ["a", "b", "c", "d", "e", "f"]
"""


def folder(toml: str = TOML, **files: str) -> dict[str, bytes]:
    """A lessons folder with one lesson in it."""
    tree = {"01-first/lesson.toml": toml.encode(), "01-first/lesson.md": b"# First\n"}
    return tree | {f"01-first/{name}": text.encode() for name, text in files.items()}


def test_a_lesson_knows_its_data() -> None:
    """Everything in lesson.toml is a typed attribute."""
    (lesson,) = load_lessons(folder())
    assert (lesson.number, lesson.label, lesson.name) == (1, "L1", "01-first")
    assert (lesson.minutes, lesson.minutes_short) == (20, 10)
    assert [each.id for each in lesson.objectives] == ["L1.1"]
    assert lesson.hints == {"L1.1": ("a", "b", "c", "d", "e", "f")}
    assert lesson.text == "# First\n"
    assert lesson.targets == ("backend/a.py:do",)


def test_overlays_are_project_files() -> None:
    """A part's files are named as in the project; expected.toml is none of them."""
    expected = 'code = "V001"\nphrase = "was seen"\n'
    wrong = {"wrong/V001-x/backend/a.py": "x = 1\n", "wrong/V001-x/expected.toml": expected}
    (lesson,) = load_lessons(folder(**wrong))
    assert lesson.wrong == ("V001-x",)
    assert lesson.overlay("wrong/V001-x") == {"backend/a.py": b"x = 1\n"}
    assert lesson.expected("V001-x").code == "V001"
    assert lesson.expected("V001-x").phrase == "was seen"


@pytest.mark.parametrize("word", ["1", "01", "L1", "l1", "01-first", "first", "lesson 1"])
def test_a_lesson_is_found_by_any_of_its_names(word: str) -> None:
    """People say 1, L1 or the name, and mean the same."""
    assert find_lesson(word, load_lessons(folder())).number == 1


def test_an_unknown_lesson_names_the_known_ones() -> None:
    """The error says which lessons there are and what to type."""
    with pytest.raises(LessonError) as refused:
        find_lesson("7", load_lessons(folder()))
    assert "1 (01-first)" in str(refused.value)
    assert "headwater lesson list" in refused.value.fix


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "First"\n', "", "has no title"),
        ("minutes = 20", "minutes = 0", "minutes in lesson.toml"),
        ("minutes = 20", 'minutes = "20"', "minutes in lesson.toml"),
        ("number = 1", "number = 2", "another number or name"),
        ('"L1.1", text', '"L2.1", text', "objectives are"),
        ('"e", "f"', '"e"', "needs 6 hints"),
        ('"e", "f"', '"e", " "', "needs 6 hints"),
        ('"L1.1" = [', '"L1.2" = [', "hints and objectives differ"),
        (":do", "", "targets in lesson.toml"),
        ("[hints]", "extra = 1\n[hints]", "unknown extra"),
        ("[hints]", "[hints", "is not TOML"),
    ],
)
def test_a_misfit_is_named_with_its_folder(old: str, new: str, said: str) -> None:
    """What is wrong in lesson.toml is said when it is loaded, and where."""
    assert old in TOML
    with pytest.raises(LessonError, match=said) as refused:
        load_lessons(folder(TOML.replace(old, new)))
    assert refused.value.where == "lessons/01-first"


def test_a_missing_part_is_named() -> None:
    """Asking for a file or an overlay that is not there says which."""
    (lesson,) = load_lessons(folder())
    with pytest.raises(LessonError, match=r"has no tests/checks\.py"):
        lesson.read("tests/checks.py")
    with pytest.raises(LessonError, match=r"no files in starter/"):
        lesson.overlay("starter")


def test_a_wrong_solution_without_its_message_is_refused() -> None:
    """code and phrase are both needed: without them nothing could be compared."""
    for text in ('code = "V001"\n', 'code = "V001"\nphrase = ""\n'):
        wrong = {"wrong/x/backend/a.py": "", "wrong/x/expected.toml": text}
        (lesson,) = load_lessons(folder(**wrong))
        with pytest.raises(LessonError, match="must hold code and phrase"):
            lesson.expected("x")


def test_lessons_are_numbered_without_gaps() -> None:
    """A second lesson called 03 is an error of the course, not of a learner."""
    third = {
        "03-third/lesson.toml": TOML.replace("number = 1", "number = 3")
        .replace('"first"', '"third"')
        .replace("L1.1", "L3.1")
        .encode()
    }
    with pytest.raises(LessonError, match=r"numbered \[1, 3\]"):
        load_lessons(folder() | third)
