"""The lessons' pages on the docs site."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.lesson_docs import index_page, lesson_page, main, write_pages
from headwater_workshop.lessons import load_lessons
from headwater_workshop.stages import started

LESSONS = load_lessons()


def test_the_index_lists_every_lesson_with_its_minutes() -> None:
    """A row for each, and the sums of both schedules."""
    page = index_page(LESSONS)
    for lesson in LESSONS:
        assert f"[{lesson.title}]({lesson.name}.md)" in page
        assert f"| {lesson.minutes} | {lesson.minutes_short or ''} |" in page
    assert f"| {sum(lesson.minutes for lesson in LESSONS)} |" in page


def test_rules_become_links_outside_code() -> None:
    """An id in a sentence links to the rule's page; in code, and unknown, it stays."""
    tree = {
        f"01-first/{name}": text.encode()
        for name, text in {
            "lesson.md": "# T\n\nSee HW401, `HW401` and HW999.\n\n```text\nHW401\n```\n",
            "lesson.toml": (
                'number=1\nname="first"\ntitle="T"\nquestion="Q"\nminutes=1\nminutes_short=1\n'
                'objectives=[{id="L1.1", text="x"}]\nfiles=["a"]\ntargets=["a.py:x"]\n'
                '[hints]\n"L1.1"=["a","b","c","d","e","f"]\n'
            ),
        }.items()
    }
    (lesson,) = load_lessons(tree)
    page = lesson_page(lesson, 1)
    assert "See [HW401](../rules/HW401.md), `HW401` and HW999." in page
    assert "```text\nHW401\n```" in page


def test_pages_are_written_and_old_ones_removed(tmp_path: Path) -> None:
    """The folder holds the lessons there are, and no other page."""
    (tmp_path / "99-gone.md").write_text("")
    assert main([str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.md", *(f"{lesson.name}.md" for lesson in LESSONS)}


def test_no_page_shows_a_solution_or_a_hint(tmp_path: Path) -> None:
    """A learner who reads the site is not told the answer."""
    text = "".join(page.read_text() for page in write_pages(tmp_path, LESSONS))
    for lesson in LESSONS:
        assert not any(rungs[-1] in text for rungs in lesson.hints.values())
        before = b"\n".join(started(lesson).values()).decode().splitlines()
        solution = [text for name, text in lesson.overlay("solution").items() if "test" not in name]
        new = set(b"\n".join(solution).decode().splitlines()) - set(before)
        told = [line for line in new if len(line) > 40 and line in text]
        assert [line for line in told if "import" not in line] == []


def test_the_folder_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one the usage is printed, with exit code 2."""
    assert main([]) == 2
    assert "lesson_docs DIR" in capsys.readouterr().err
