"""Subscriptions: queries kept alive with their read sets, one for each distinct query."""

from __future__ import annotations

from typing import Any

from headwater.core.calls import Outcome
from headwater.core.failures import WHOLE, Failure
from headwater.core.reads import ReadSet, point
from headwater.core.subscriptions import Subscription, Subscriptions, identity_key

ANA, BEN = {"subject": "ana"}, {"subject": "ben"}


def attach(
    all_: Subscriptions, who: str, identity: dict[str, Any] | None = None, path: str = "t:list"
) -> Subscription:
    """Somebody follows a query."""
    return all_.attach((who, 0), path, {}, b"{}", None, identity)


def outcome(value: bytes = b"1.0", *keys: bytes, **members: Any) -> Outcome:
    """A run that looked at some keys."""
    return Outcome(value=value, reads=ReadSet(map(point, keys)), **members)


def test_the_same_query_is_followed_once() -> None:
    """By the same person, or by anybody when it does not look at its caller."""
    all_ = Subscriptions()
    ana = attach(all_, "a", ANA)
    assert attach(all_, "a2", ANA) is ana
    assert attach(all_, "b", BEN) is not ana
    assert attach(all_, "a", ANA, "t:other") is not ana
    all_.share(ana)
    assert attach(all_, "c", {"subject": "carl"}) is ana


def test_the_last_subscriber_ends_it() -> None:
    """Nobody is invalidated afterwards."""
    all_ = Subscriptions()
    one = attach(all_, "a")
    attach(all_, "b")
    all_.settle(one, outcome(b"1.0", b"k"), WHOLE)
    all_.detach(one, ("a", 0))
    assert all_.invalidated([b"k"]) == {one}
    all_.detach(one, ("b", 0))
    assert (all_.invalidated([b"k"]), len(all_)) == (set(), 0)


def test_a_run_that_changed_nothing_is_no_news() -> None:
    """Value, failure and log lines decide; the first run always is."""
    all_ = Subscriptions()
    one = attach(all_, "a")
    assert all_.settle(one, outcome(b"1.0"), WHOLE)
    assert not all_.settle(one, outcome(b"1.0"), WHOLE)
    assert all_.settle(one, outcome(b"2.0"), WHOLE)
    assert all_.settle(one, outcome(b"2.0", log_lines=["x"]), WHOLE)
    failed = Outcome(failure=Failure("no"))
    assert all_.settle(one, failed, WHOLE)
    assert not all_.settle(one, failed, WHOLE)
    assert one.runs == 6


def test_the_read_set_is_that_of_the_last_run() -> None:
    """What a run no longer looks at does not invalidate it."""
    all_ = Subscriptions()
    one = attach(all_, "a")
    all_.settle(one, outcome(b"1.0", b"old", b"both"), WHOLE)
    all_.settle(one, outcome(b"1.0", b"new", b"both"), WHOLE)
    found = [all_.invalidated([key]) for key in (b"old", b"both", b"new")]
    assert found == [set(), {one}, {one}]


def test_a_shared_twin_is_found() -> None:
    """So that the second of two callers need not run it."""
    all_ = Subscriptions()
    ana, ben = attach(all_, "a", ANA), attach(all_, "b", BEN)
    all_.share(ana)
    assert all_.shared_twin(ben) is ana
    assert all_.shared_twin(ana) is None
    all_.unshare(ana)
    assert all_.shared_twin(ben) is None


def test_an_admin_shares_with_admins_only() -> None:
    """Also what nobody's identity was looked at for: it may be internal."""
    all_ = Subscriptions()
    admin = all_.attach(("root", 0), "t:q", {}, b"{}", None, None, internal=True)
    all_.share(admin)
    somebody = all_.attach(("a", 0), "t:q", {}, b"{}", None, None)
    other_admin = all_.attach(("root2", 0), "t:q", {}, b"{}", None, ANA, internal=True)
    assert somebody is not admin
    assert other_admin is admin
    assert all_.shared_twin(somebody) is None
    assert (admin.call().internal, somebody.call().internal) == (True, False)


def test_identities_are_told_apart_by_all_they_show() -> None:
    """A function may look at any claim; the order of claims says nothing."""
    assert identity_key(None) == ""
    assert identity_key({"a": 1, "b": 2}) == identity_key({"b": 2, "a": 1})
    assert identity_key({"a": 1}) != identity_key({"a": "1"})


def test_a_failure_is_encoded_once_for_all() -> None:
    """With its title; a result with its value."""
    all_ = Subscriptions()
    one = attach(all_, "a")
    all_.settle(one, Outcome(failure=Failure("no", b'{"n":1.0}'), request_id="7f"), WHOLE)
    assert one.result is not None
    text = one.result.modification(4)
    assert text.startswith('{"type":"QueryFailed","queryId":4,"errorMessage":"[Request ID: 7f]')
    assert '"errorData":{"n":1.0}' in text
