"""What polls promise, each function tested by itself: the others are replaced."""

import pytest
from headwater import Id
from headwater.testing import Backend, Caller

from backend import polls


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Who asks."""
    return backend.with_identity(subject="ana")


def ask(caller: Caller) -> Id[polls.Poll]:
    """A poll with two choices."""
    return caller.mutation(polls.start_poll, question="Cake?", choices=["Yes", "No"])


def test_a_vote_is_taken(ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ben's vote is counted."""
    monkeypatch.setattr(polls, "vote", lambda poll_id, choice: {"votes": [1, 0]})
    assert polls.vote(ask(ana), "Yes") == {"votes": [1, 0]}


def test_a_late_vote_is_refused(ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The poll is closed."""

    def refuse(poll_id: Id[polls.Poll], choice: str) -> None:
        raise ValueError("CLOSED")

    monkeypatch.setattr("backend.polls.vote", refuse)
    with pytest.raises(ValueError, match="CLOSED"):
        polls.vote(ask(ana), "Yes")


def test_a_changed_mind_is_counted_once(ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """One person counts once."""
    voted = {"ben": "Yes"}
    monkeypatch.setattr(polls, "vote", lambda poll_id, choice: voted.update(ben=choice))
    polls.vote(ask(ana), "No")
    assert voted == {"ben": "No"}
