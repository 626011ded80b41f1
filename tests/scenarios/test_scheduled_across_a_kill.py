"""kill -9 among scheduled calls: mutations exactly once, actions at most once."""

from tests.scenarios.conftest import StartServer
from tests.scenarios.server_process import ServerProcess, wait_for

CALLS = 1000


def done(server: ServerProcess) -> int:
    """How many scheduled mutations have had their effect."""
    count: int = server.call("query", "scheduling:count")
    return count


def wait_until_done(server: ServerProcess, calls: int) -> None:
    """Waits until so many have had their effect."""
    wait_for(lambda: done(server) >= calls, f"{calls} calls have run")


def test_a_thousand_scheduled_mutations_each_count_once(start_server: StartServer) -> None:
    """Killed twice in the middle; in the end each effect is there once, each job a success."""
    server = start_server()
    server.call("mutation", "scheduling:scheduleMany", calls=CALLS)
    for part in (CALLS // 10, CALLS // 2):
        wait_until_done(server, part)
        server.restart()
    wait_until_done(server, CALLS)
    assert server.call("query", "scheduling:numbers") == list(range(CALLS))
    assert server.call("query", "scheduling:states") == {"success": CALLS}


def test_an_action_in_the_middle_fails_and_is_not_run_again(start_server: StartServer) -> None:
    """What it did before the kill is there once; its record says why it did not end."""
    server = start_server()
    server.call("mutation", "scheduling:scheduleAction")
    wait_for(lambda: done(server) == 1, "the action has begun")
    server.restart()
    states = server.call("query", "scheduling:states")
    assert states == {"failed": 1}
    error = server.call("query", "scheduling:lastError")
    assert error.startswith("Transient error while executing action")
    assert done(server) == 1


def test_a_server_that_slept_wakes_for_what_is_due(start_server: StartServer) -> None:
    """Nobody sends anything: the call runs by itself, soon after its time."""
    server = start_server()
    server.call("mutation", "scheduling:scheduleLater", ms=300)
    assert done(server) == 0
    wait_for(lambda: done(server) == 1, "the call has run")


CRONS = """
from backend.scheduling import tick

from headwater import Crons

crons = Crons()
crons.interval("tick", tick, hours=1)
"""


def test_a_saved_cron_runs_and_is_not_doubled_by_a_restart(start_server: StartServer) -> None:
    """Its next run is kept on the disk."""
    server = start_server()
    (server.project / "backend/crons.py").write_text(CRONS)
    wait_for(lambda: server.call("query", "scheduling:cronRuns") >= 1, "the cron has run")
    server.restart()
    assert server.call("query", "scheduling:cronRuns") == 1
    (cron,) = server.call("query", "scheduling:crons")
    assert 0 < cron["nextRun"] - cron["lastRun"] <= 3_600_000
