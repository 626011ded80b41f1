"""The ladder of hints: the tool keeps the level, and asking does not raise it in tutor mode."""

from __future__ import annotations

from pathlib import Path

from headwater_workshop.ladder import next_hint
from headwater_workshop.lessons import load_lessons
from headwater_workshop.mode import set_mode
from headwater_workshop.progress import load_progress, record_grade

LESSON = load_lessons()[0]
RUNGS = LESSON.hints["L1.1"]
NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T12:05:00Z"


def levels(project: Path, at: str = NOON, times: int = 1) -> list[int]:
    """The levels of the hints that come when asking so often."""
    return [next_hint(project, LESSON, "L1.1", at).level for _ in range(times)]


def test_hints_go_up_one_rung_at_a_time_and_stay_at_the_last(tmp_path: Path) -> None:
    """In pair mode each call is the next: L0 first, each one recorded; after L5 it is L5 again."""
    given = [next_hint(tmp_path, LESSON, "L1.1") for _ in range(len(RUNGS) + 1)]
    told = [(hint.level, hint.text) for hint in given]
    assert told == [*enumerate(RUNGS), (len(RUNGS) - 1, RUNGS[-1])]
    assert [hint.again for hint in given] == [False] * len(RUNGS) + [True]
    assert given[-1].next == ""
    assert load_progress(tmp_path).of(LESSON).hints == {"L1.1": len(RUNGS)}


def test_asking_ten_times_gives_the_same_hint_in_tutor_mode(tmp_path: Path) -> None:
    """And it says what brings the next one."""
    set_mode(tmp_path, "tutor")
    assert levels(tmp_path, times=10) == [0] * 10
    last = next_hint(tmp_path, LESSON, "L1.1", "2026-01-01T12:04:10Z")
    assert last.next.endswith("or in a minute")
    hint = next_hint(tmp_path, LESSON, "L1.1", NOON)
    assert hint.again is True
    assert hint.next == "after a failed `headwater grade` of changed code, or in 5 minutes"
    assert load_progress(tmp_path).of(LESSON).hints == {"L1.1": 1}


def test_a_new_try_brings_the_next_hint(tmp_path: Path) -> None:
    """One rung for a failed run of changed code; the same code again brings none."""
    set_mode(tmp_path, "tutor")
    assert levels(tmp_path) == [0]
    path = tmp_path / "backend" / "tasks.py"
    path.parent.mkdir()
    for tried, expected in (("1", 1), ("1", 1), ("2", 2)):
        path.write_text(f"def create_task(): return {tried}\n")
        record_grade(tmp_path, LESSON, {}, NOON)
        assert levels(tmp_path, times=3) == [expected] * 3


def test_time_brings_the_next_hint(tmp_path: Path) -> None:
    """Whoever thought for a while without a run is not kept waiting."""
    set_mode(tmp_path, "tutor")
    assert levels(tmp_path) + levels(tmp_path, LATER, 2) == [0, 1, 1]


def test_each_objective_has_its_own_ladder(tmp_path: Path) -> None:
    """A hint for one does not use up another's."""
    set_mode(tmp_path, "tutor")
    assert levels(tmp_path) == [0]
    assert next_hint(tmp_path, LESSON, "L1.2", NOON).level == 0
