"""What polls do."""

from headwater import Id
from headwater.testing import Backend, Caller

from backend.polls import Poll, close_poll, results, start_poll, vote


def ask(caller: Caller) -> Id[Poll]:
    """A poll with two choices."""
    return caller.mutation(start_poll, question="Cake?", choices=["Yes", "No"], minutes=30)


def test_a_poll_can_be_started(backend: Backend) -> None:
    """It has an id."""
    assert ask(backend.with_identity(subject="ana"))


def test_voting_works(backend: Backend) -> None:
    """No error is raised."""
    ana = backend.with_identity(subject="ana")
    poll_id = ask(ana)
    ana.mutation(vote, poll_id=poll_id, choice="Yes")
    assert ana.query(results, poll_id=poll_id) is not None


def test_closing_works(backend: Backend) -> None:
    """No error is raised."""
    ana = backend.with_identity(subject="ana")
    poll_id = ask(ana)
    ana.mutation(close_poll, poll_id=poll_id)
