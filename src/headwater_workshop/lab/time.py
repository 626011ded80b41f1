"""The part of a lab that time passes in: the clock, what is scheduled, restarts."""

from __future__ import annotations

from headwater.host import Committed, Job
from headwater_workshop.lab.bench import Bench

_SETTLED = 1_000  # scheduled calls after which a check stops to wait for the last


class Timed(Bench):
    """A bench whose clock is moved by the check, and by nothing else."""

    @property
    def now_ms(self) -> float:
        """The host's time, ms since 1970: what `ctx.now` of the next call is."""
        return self._host.now_ms

    def advance(
        self,
        *,
        ms: float = 0,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Move the clock forward; scheduled calls and crons that are due on the way run, each at
        its own time. `advance()` runs what is due now.
        """
        with self._held():
            self._host.advance(
                ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))),
            )

    def sleep(self, *, days: float) -> None:
        """Let the machine sleep for so long; awake again it runs what is due, and a cron that is
        late once. For long times: a learner's own cron may run every minute.
        """
        with self._held():
            self._host.sleep(days * 86_400_000)

    def settle(self, most: int = _SETTLED) -> None:
        """Run every scheduled call and those they schedule, moving the clock to each; more than
        `most` of them fail the check.
        """
        with self._held():
            self._host.settle(most)

    def jobs(self) -> list[Job]:
        """The scheduled calls, those that have ended too, in the order they were scheduled."""
        return self._host.jobs()

    def commits(self) -> list[Committed]:
        """What functions have committed since the database was empty, in order: those that were
        called, and those that ran by themselves.
        """
        return self._host.commits

    def restart(self) -> None:
        """End the learner's process as by kill -9, and start it again: the database is kept."""
        with self._held():
            self._host.restart()

    def reload(self) -> None:
        """Load the backend anew, twice, as `headwater dev` does when a file is saved."""
        with self._held():
            self._host.reload()
            self._host.reload()
