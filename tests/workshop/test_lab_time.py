"""Time in a lab: what is scheduled runs when the check moves the clock, and survives a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.lab.bench import CheckFailed
from tests.workshop.labs import made_lab


def test_scheduled_calls_run_when_the_clock_is_moved(tmp_path: Path) -> None:
    """Not before their time; each sees its own time."""
    lab = made_lab(tmp_path)
    began = lab.now_ms
    lab.anonymous.mutation("tasks:remind", {"delayMs": 60_000})
    (job,) = lab.jobs()
    assert (job.path, job.arguments, job.state) == ("tasks:note", {"title": "reminder"}, "pending")
    assert job.due_ms == began + 60_000
    lab.advance(seconds=59)
    assert lab.documents("tasks") == []
    lab.advance(minutes=1)
    assert [task["at"] for task in lab.documents("tasks")] == [job.due_ms]
    assert [job.state for job in lab.jobs()] == ["success"]
    assert [commit.path for commit in lab.commits()] == ["tasks:note"]
    lab.close()


def test_what_a_failed_call_scheduled_never_runs(tmp_path: Path) -> None:
    """Scheduling rolls back with its mutation."""
    lab = made_lab(tmp_path)
    assert not lab.anonymous.attempt("tasks:remind", {"delayMs": 5, "fail": True}).ok
    assert lab.jobs() == []
    lab.close()


def test_settling_runs_everything_and_is_bounded(tmp_path: Path) -> None:
    """Far jobs run at their time; a chain without an end is a finding, not a hang."""
    lab = made_lab(tmp_path)
    lab.anonymous.mutation("tasks:remind", {"delayMs": 86_400_000})
    lab.settle()
    assert [job.state for job in lab.jobs()] == ["success"]
    lab.call_internal("tasks:forEver", {})
    with pytest.raises(CheckFailed, match="do not come to an end"):
        lab.settle(20)
    lab.close()


def test_a_restart_keeps_what_was_committed_and_scheduled(tmp_path: Path) -> None:
    """Clients that follow a query connect again, and jobs still run."""
    lab = made_lab(tmp_path, crons=True)
    followed = lab.follow(lab.anonymous, "tasks:titles", {"done": False})
    lab.anonymous.mutation("tasks:remind", {"delayMs": 1000})
    lab.restart()
    lab.advance(seconds=1)
    assert followed.value == ["reminder"]
    assert lab.anonymous.query("tasks:titles", {"done": False}) == ["reminder"]
    lab.close()


def test_two_reloads_leave_one_cron(tmp_path: Path) -> None:
    """It runs once a day, whatever happened before."""
    lab = made_lab(tmp_path, crons=True)
    assert list(lab.manifest.crons) == ["note the day"]
    lab.reload()
    lab.restart()
    lab.advance(days=2)
    assert len(lab.documents("tasks")) == 2
    lab.close()


def test_an_emptied_lab_has_nothing_of_before(tmp_path: Path) -> None:
    """Neither documents nor jobs nor commits, and its crons still run."""
    lab = made_lab(tmp_path, crons=True)
    lab.anonymous.mutation("tasks:add", {"title": "one"})
    lab.anonymous.mutation("tasks:remind", {"delayMs": 1000})
    lab.empty()
    assert (lab.documents("tasks"), lab.jobs(), lab.commits()) == ([], [], [])
    lab.advance(days=1)
    assert [task["title"] for task in lab.documents("tasks")] == ["a new day"]
    lab.close()


def test_over_a_sleep_a_late_cron_runs_once(tmp_path: Path) -> None:
    """And scheduled calls that were due, as on a machine that was asleep."""
    lab = made_lab(tmp_path, crons=True)
    lab.anonymous.mutation("tasks:remind", {"delayMs": 86_400_000})
    lab.sleep(days=10)
    assert sorted(task["title"] for task in lab.documents("tasks")) == ["a new day", "reminder"]
    lab.advance(days=2)
    assert len(lab.documents("tasks")) == 4
    lab.close()
