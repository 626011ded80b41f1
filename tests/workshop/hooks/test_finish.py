"""Stop: a turn ends well, or once with what is not done."""

from __future__ import annotations

from pathlib import Path

from headwater_workshop.hooks.finish import BLOCKS_AT_MOST
from headwater_workshop.hooks.records import load
from headwater_workshop.lessons import find_lesson
from headwater_workshop.progress import load_progress, record_start
from headwater_workshop.stages import stage, started, write
from tests.workshop.hooks.payloads import AT, BAD, SESSION, asked, make, recorded, stop


def spoil(project: Path) -> None:
    """Write a file that breaks a rule."""
    (project / "backend" / "clocks.py").write_text(BAD)


def test_errors_are_a_reason_to_go_on(tmp_path: Path) -> None:
    """Once: a turn that was sent on already may end, whatever it left."""
    project = make(tmp_path)
    spoil(project)
    told = asked("stop", stop(project))
    assert told["decision"] == "block"
    assert "HW201 backend/clocks.py:10:12" in told["reason"]
    assert asked("stop", stop(project, active=True)) == {}


def test_a_backend_that_does_not_load_is_not_done(tmp_path: Path) -> None:
    """Reading the files need not find it: a load does."""
    project = make(tmp_path)
    (project / "backend" / "clocks.py").write_text("import no_such_module_of_python\n")
    reason = asked("stop", stop(project))["reason"]
    assert "HW000 backend/clocks.py:1" in reason
    assert "No module named 'no_such_module_of_python'" in reason


def test_a_session_is_sent_on_eight_times_at_most(tmp_path: Path) -> None:
    """Then the human is told instead; a good end begins the count again."""
    project = make(tmp_path)
    spoil(project)
    told = [asked("stop", stop(project)) for _ in range(BLOCKS_AT_MOST + 2)]
    assert [each.get("decision") for each in told] == ["block"] * BLOCKS_AT_MOST + [None, None]
    assert told[-1]["systemMessage"].startswith("Not done, after 8 reminders.")
    (project / "backend" / "clocks.py").unlink()
    assert asked("stop", stop(project)) == {}
    assert load(project)[SESSION].blocks == 0


def test_where_nothing_was_changed_nothing_is_checked(tmp_path: Path) -> None:
    """What was wrong before the session is not this turn's to mend; the next edit is."""
    project = make(tmp_path)
    spoil(project)
    asked("session-start", recorded(project, "SessionStart", source="startup"))
    assert asked("stop", stop(project)) == {}
    (project / "backend" / "more.py").write_text("")
    assert asked("stop", stop(project))["decision"] == "block"


def test_the_lesson_in_hand_is_graded(tmp_path: Path) -> None:
    """In pair mode: not yet with what failed; and when it has passed it is done."""
    project = make(tmp_path, lesson="2")
    told = asked("stop", stop(project))
    assert told["decision"] == "block"
    assert told["reason"].startswith("headwater check finds")
    write(stage(2), project)
    assert asked("stop", stop(project)) == {}
    assert load_progress(project).of(find_lesson("2")).done


def test_a_lesson_that_was_only_begun_is_no_reason_to_go_on(tmp_path: Path) -> None:
    """Nothing of it was asked for yet; from the first line on it is graded, step by step."""
    project = make(tmp_path)
    asked("session-start", recorded(project, "SessionStart", source="startup"))
    write(started(find_lesson("1")), project)
    record_start(project, find_lesson("1"), AT)
    assert asked("stop", stop(project)) == {}
    tasks = project / "backend" / "tasks.py"
    tasks.write_text(tasks.read_text() + "\n\nLATER = 1\n")
    assert asked("stop", stop(project)) == {}, "another part of the file is not the lesson's"
    text = tasks.read_text().replace('ValueError("title is too long")', 'ValueError("too long")')
    tasks.write_text(text)
    told = asked("stop", stop(project))
    assert told["decision"] == "block"
    assert "say what is open, and end the turn" in told["reason"]


def test_in_tutor_mode_the_learner_is_left_to_it(tmp_path: Path) -> None:
    """An unfinished lesson is the learner's; what the assistant spoiled elsewhere is not."""
    project = make(tmp_path, mode="tutor", lesson="2")
    assert asked("stop", stop(project)) == {}
    spoil(project)
    assert asked("stop", stop(project))["decision"] == "block"
