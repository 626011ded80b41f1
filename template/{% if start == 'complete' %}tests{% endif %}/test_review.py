"""What polls promise. Each of these tests was red on the pull request, or on a fault put in."""

import json

import pytest
from headwater import Id
from headwater.errors import AppError
from headwater.testing import Backend, Caller, FunctionFailed

from backend.polls import Poll, close_poll, results, share_key, start_poll, vote
from tests.trial_polls import TRIAL_POLLS

SECRET = "not-for-any-log"


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Who asks."""
    return backend.with_identity(subject="ana")


@pytest.fixture
def ben(backend: Backend) -> Caller:
    """Who votes."""
    return backend.with_identity(subject="ben")


def ask(caller: Caller, minutes: int = 60) -> Id[Poll]:
    """A poll with two choices."""
    return caller.mutation(start_poll, question="Cake?", choices=["Yes", "No"], minutes=minutes)


def test_a_poll_closes_when_its_time_is_over(backend: Backend, ana: Caller) -> None:
    """Nobody has to look at it."""
    poll_id = ask(ana, minutes=30)
    backend.advance(minutes=29)
    assert ana.query(results, poll_id=poll_id).is_open
    backend.advance(minutes=2)
    assert not ana.query(results, poll_id=poll_id).is_open


def test_a_refused_vote_leaves_nothing(ana: Caller, ben: Caller) -> None:
    """Whoever votes too late, or for what is no choice, is told so."""
    poll_id = ask(ana)
    with pytest.raises(AppError):
        ben.mutation(vote, poll_id=poll_id, choice="Perhaps")
    ana.mutation(close_poll, poll_id=poll_id)
    with pytest.raises(AppError):
        ben.mutation(vote, poll_id=poll_id, choice="Yes")
    assert ana.query(results, poll_id=poll_id).votes == [0, 0]


def test_a_changed_mind_moves_the_vote(ana: Caller, ben: Caller) -> None:
    """One person counts once, where they chose last."""
    poll_id = ask(ana)
    for choice in ("Yes", "Yes", "No"):
        ben.mutation(vote, poll_id=poll_id, choice=choice)
    assert ana.query(results, poll_id=poll_id).votes == [0, 1]


def test_a_result_costs_the_same_beside_other_polls(backend: Backend, ana: Caller) -> None:
    """What others voted on is not read."""
    costs = []
    for _ in range(12):
        poll_id = ask(ana)
        ana.mutation(vote, poll_id=poll_id, choice="Yes")
        ana.query(results, poll_id=poll_id)
        costs.append(backend.stats.documents_read)
    assert costs[-1] <= costs[0]


def test_only_who_asked_closes_a_poll(ana: Caller, ben: Caller) -> None:
    """Ben is signed in; that is not enough."""
    poll_id = ask(ana)
    with pytest.raises(AppError):
        ben.mutation(close_poll, poll_id=poll_id)
    assert ana.query(results, poll_id=poll_id).is_open


def test_no_browser_closes_a_poll_as_the_clock_does(ana: Caller, ben: Caller) -> None:
    """By its wire path it is not there for clients."""
    poll_id = ask(ana)
    with pytest.raises(FunctionFailed):
        ben.mutation("polls:closeExpired", {"pollId": poll_id})
    assert ana.query(results, poll_id=poll_id).is_open


def test_a_key_opens_one_result_and_the_secret_stays_out_of_the_log(
    backend: Backend, ana: Caller
) -> None:
    """Whoever has the key sees that poll and no other; the log says what was shared, not how."""
    backend.set_env(POLL_LINK_KEY=SECRET)
    shared, other = ask(ana), ask(ana)
    key = ana.query(share_key, poll_id=shared)
    lines = list(backend.log_lines)
    assert backend.query(results, poll_id=shared, key=key).is_open
    lines += backend.log_lines
    assert not any(SECRET in line or key in line for line in lines)
    with pytest.raises(AppError):
        backend.query(results, poll_id=other, key=key)


def test_a_vote_is_one_json_object_in_the_log(backend: Backend, ana: Caller) -> None:
    """What happened, and to which poll."""
    poll_id = ask(ana)
    ana.mutation(vote, poll_id=poll_id, choice="Yes")
    (line,) = backend.log_lines
    said = json.loads(line[line.index("{") : line.rindex("}") + 1])
    assert said["poll_id"] == poll_id
    assert said["event"]


@pytest.mark.parametrize("document", TRIAL_POLLS)
def test_a_poll_of_the_trial_is_still_one(
    backend: Backend, ana: Caller, document: dict[str, object]
) -> None:
    """Documents from before the change are read as they are."""
    poll_id = backend.run(lambda ctx: ctx.db.insert("polls", document))
    assert ana.query(results, poll_id=Id(poll_id)).question == document["question"]
