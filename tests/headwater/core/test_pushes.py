"""What a following client is told when its query fails for a while, or pages change hands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater import (
    AppError,
    Document,
    Index,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)
from headwater.clock import VirtualClock
from headwater.core.calls import Call, Outcome
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.failures import WHOLE
from headwater.core.identity import identity_of
from headwater.core.placement import InProcess
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, MutationRequest
from headwater.core.session import Close, Session
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.subscriptions import Subscriptions
from headwater.core.work import Authenticated, Execute, FromClient, Work
from headwater.settings import Limits
from tests.headwater.core.things import app_of

READABLE = 8


class Note(Document, table="notes"):
    """A numbered note."""

    number: float
    by_number = Index("number")


@query
async def count(ctx: QueryCtx) -> int:
    """How many notes there are."""
    return len(await ctx.db.query(Note).collect())


@query
async def page(ctx: QueryCtx, options: PaginationOptions) -> PaginationResult[Note]:
    """Notes by number; a thirteenth note is bad luck."""
    if await ctx.db.query(Note).with_index("by_number", number=13.0).first():
        raise AppError("bad luck")
    return await ctx.db.query(Note).with_index("by_number").paginate(options)


@query
async def own_page(ctx: QueryCtx, options: PaginationOptions) -> PaginationResult[Note]:
    """Notes by number, for somebody."""
    await ctx.auth.get_user_identity()
    return await ctx.db.query(Note).with_index("by_number").paginate(options)


@mutation
async def add(ctx: MutationCtx, numbers: list[float]) -> None:
    """Some notes."""
    for number in numbers:
        await ctx.db.insert(Note(number=number))


@mutation
async def remove(ctx: MutationCtx, number: float) -> None:
    """The notes of one number."""
    for note in await ctx.db.query(Note).with_index("by_number", number=number).take(2):
        await ctx.db.delete(note.id)


@mutation
async def refuse(ctx: MutationCtx) -> None:
    """Always fails."""
    raise AppError("no")


class Story:
    """An engine and one client of it."""

    def __init__(self) -> None:
        limits = Limits(documents_read=READABLE)
        storage = InProcess(app_of(Note, count, page, own_page, add, remove, refuse), limits)
        self.engine = Engine(Database(SqliteStorage(), VirtualClock(), limits), storage)
        self.transitions_sent = 0
        self.results: dict[int, dict[str, Any]] = {}
        self.answers: list[dict[str, Any]] = []
        self.transitions = 0
        self.session = Session(self, limits)
        self.process(FromClient(self.session, Connect("0123456789", 0)))

    def process(self, *works: Work) -> None:
        """One batch."""
        for output in self.engine.process(works):
            output.send()

    def deliver(self, texts: list[str], transitions: int, _close: Close | None) -> None:
        """What the client is told."""
        self.transitions_sent += transitions
        for message in map(json.loads, texts):
            if message["type"] == "MutationResponse":
                self.answers.append(message)
            else:
                self.transitions += 1
            for change in message.get("modifications", ()):
                self.results[change["queryId"]] = change

    def follow(self, path: str, **arguments: Any) -> None:
        """Follows one query, as number 0."""
        added = AddQuery(0, f"things:{path}", arguments, None)
        self.process(FromClient(self.session, ModifyQuerySet(0, 1, (added,))))

    def run(self, path: str, **arguments: Any) -> None:
        """A mutation of somebody else."""
        call = Call(f"things:{path}", "mutation", arguments)
        self.process(Execute(call, lambda outcome, _ts: self.succeeded(outcome.failure)))

    def succeeded(self, failure: Any) -> None:
        """The mutation's end."""
        assert failure is None, failure

    @property
    def newest(self) -> dict[str, Any]:
        """What the client knows of its query."""
        return self.results[0]

    @property
    def numbers(self) -> list[float]:
        """The notes on the page it sees."""
        return [note["number"] for note in self.newest["value"]["page"]]


@pytest.fixture
def story() -> Story:
    """A new one."""
    return Story()


def options(count: int) -> dict[str, Any]:
    """The first page."""
    return {"numItems": float(count), "cursor": None}


def test_a_query_over_its_limit_comes_back(story: Story) -> None:
    """It failed because of documents it was never given: when they go, it is run again."""
    story.run("add", numbers=[1.0] * (READABLE + 1))
    story.follow("count")
    assert "limit" in story.newest["errorMessage"]
    story.run("remove", number=1.0)
    assert story.newest["value"] == READABLE - 1


def test_a_page_keeps_its_end_through_a_failure(story: Story) -> None:
    """Else the page that begins there would show some documents twice or never."""
    story.run("add", numbers=[10.0, 20.0, 30.0])
    story.follow("page", options=options(2))
    journal = story.newest["journal"]
    story.run("add", numbers=[13.0])
    assert (story.newest["errorData"], story.newest["journal"]) == ("bad luck", journal)
    story.run("remove", number=13.0)
    story.run("add", numbers=[15.0])
    assert story.numbers == [10.0, 15.0, 20.0]


def test_a_page_keeps_its_end_through_a_new_identity(story: Story) -> None:
    """The same when its reader signs in."""
    story.run("add", numbers=[10.0, 20.0, 30.0])
    story.follow("ownPage", options=options(2))
    story.run("add", numbers=[15.0])
    story.process(Authenticated(story.session, 0, identity_of("ana")))
    story.run("add", numbers=[16.0])
    assert story.numbers == [10.0, 15.0, 16.0, 20.0]


def test_a_failed_replay_is_followed_by_a_transition(story: Story) -> None:
    """As every answer is: the PyPI client tells of a failure only then."""
    story.process(FromClient(story.session, MutationRequest(0, "things:add", {"numbers": []})))
    before = story.transitions
    story.process(FromClient(story.session, MutationRequest(0, "things:refuse", {})))
    assert [answer["success"] for answer in story.answers] == [True, False]
    assert story.transitions == before + 1


def test_a_replay_is_known_under_a_newer_token(story: Story) -> None:
    """It is the same person's, though the token says something new of them."""
    again = FromClient(story.session, MutationRequest(0, "things:add", {"numbers": [1.0]}))
    story.process(Authenticated(story.session, 0, identity_of("ana", name="Ana")), again)
    story.process(Authenticated(story.session, 1, identity_of("ana", name="Ana B.")), again)
    story.process(Authenticated(story.session, 2, identity_of("eve", name="Ana")), again)
    assert [answer["success"] for answer in story.answers] == [True, True, False]


def test_pages_that_end_elsewhere_are_not_shared() -> None:
    """Who has seen another end keeps it; who has seen none yet takes the shared one."""
    all_ = Subscriptions()
    ana, ben = (
        all_.attach((who, 0), "t:page", {}, b"{}", None, {"subject": who}) for who in ("a", "b")
    )
    all_.settle(ana, Outcome(value=b"1.0", journal=["one end"]), WHOLE)
    all_.share(ana)
    assert all_.shared_twin(ben) is ana
    all_.settle(ben, Outcome(value=b"1.0", journal=["another end"]), WHOLE)
    assert all_.shared_twin(ben) is None
    all_.share(ben)
    assert (ana.shared, ben.shared, len(all_)) == (True, False, 2)
