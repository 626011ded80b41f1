"""The engine: batches, one commit each, replays, conflicts, lost commits, reloads, sharing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from headwater import (
    AppError,
    Document,
    Index,
    MutationCtx,
    QueryCtx,
    mutation,
    query,
)
from headwater.clock import VirtualClock
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.identity import identity_of
from headwater.core.placement import InProcess
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, MutationRequest
from headwater.core.session import Close
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.work import Authenticated, FromClient, Reload, Work
from headwater.errors import Conflict, Overloaded, StorageFailure
from headwater.settings import Limits
from tests.headwater.core.things import app_of
from tests.model.clients import Client

C = TypeVar("C", bound=Client)


class Task(Document, table="tasks"):
    """A table."""

    title: str
    by_title = Index("title")


runs: list[str] = []
"""What the handlers of this module were run for; tests empty it first."""


@mutation
async def add(ctx: MutationCtx, title: str) -> str:
    """A task; its title decides whether that works."""
    runs.append(title)
    await ctx.db.insert(Task(title=title))
    if title == "conflict" and runs.count(title) <= 2:
        raise Conflict
    if title == "busy":
        raise Overloaded
    if title == "refused":
        raise AppError({"code": 7})
    return title


@query
async def titled(ctx: QueryCtx, title: str) -> int:
    """How many tasks have a title."""
    runs.append(f"query {title}")
    return len(await ctx.db.query(Task).with_index("by_title", title=title).collect())


@query
async def mine(ctx: QueryCtx) -> str:
    """Who asks, once there is a task."""
    if await ctx.db.query(Task).first() is None:
        return "nobody"
    identity = await ctx.auth.get_user_identity()
    return identity.subject if identity else "nobody"


@dataclass
class Recorder(Client):
    """A client that expects to be sent away: it only keeps what it was sent."""

    taken: list[tuple[list[str], Close | None]] = field(default_factory=list)

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Keeps it."""
        self.taken.append((texts, close))


class World:
    """An engine with its clients."""

    def __init__(self, **limits: Any) -> None:
        runs.clear()
        self.clock = VirtualClock()
        self.limits = Limits(**limits)
        placement = InProcess(app_of(Task, add, titled, mine), self.limits)
        self.engine = Engine(Database(SqliteStorage(), self.clock, self.limits), placement)
        self.query_sets: dict[str, int] = {}

    def client(self, name: str = "client-1", identity: dict[str, Any] | None = None) -> Client:
        """A connected client."""
        return self.connected(Client(name, identity))

    def recorder(self) -> Recorder:
        """A connected client that will be sent away."""
        return self.connected(Recorder("client-0", None))

    def connected(self, client: C) -> C:
        """A client, once it has said Connect."""
        client.connect()
        self.process(FromClient(client.session, Connect(client.id, 0)))
        return client

    def process(self, *works: Work) -> None:
        """One batch."""
        for output in self.engine.process(works):
            output.send()

    def follow(self, client: Client, path: str, **arguments: Any) -> None:
        """A client follows a query under the next id, 0 first."""
        base = self.query_sets.get(client.id, 0)
        self.query_sets[client.id] = base + 1
        query = AddQuery(base, path, arguments, None)
        self.process(FromClient(client.session, ModifyQuerySet(base, base + 1, (query,))))

    def lose_commits(self) -> None:
        """The disk refuses from now on."""

        def fail() -> None:
            raise StorageFailure("the disk is gone")

        self.clock.faults["commit"] = fail


def send(client: Client, request_id: int, title: str) -> FromClient:
    """A mutation of a client."""
    return FromClient(client.session, MutationRequest(request_id, "things:add", {"title": title}))


def test_a_batch_is_one_commit() -> None:
    """Three mutations of two clients, one commit, one run of the query they touch."""
    world = World()
    ana, ben = world.client("client-a"), world.client("client-b")
    world.follow(ana, "things:titled", title="a")
    before = world.engine.counters.commits
    world.process(send(ana, 0, "a"), send(ben, 0, "a"), send(ben, 1, "b"))
    assert world.engine.counters.commits == before + 1
    assert runs.count("query a") == 2
    assert ana.told[0].value == 2.0
    assert {a["success"] for a in (*ana.answers.values(), *ben.answers.values())} == {True}


def test_a_query_that_was_not_touched_is_not_run() -> None:
    """Of two followed queries only the one whose range was written to."""
    world = World()
    client = world.client()
    world.follow(client, "things:titled", title="a")
    world.follow(client, "things:titled", title="b")
    runs.clear()
    world.process(send(client, 0, "b"))
    assert runs == ["b", "query b"]


def test_one_query_of_many_clients_is_run_once() -> None:
    """And encoded once, for all that follow it."""
    world = World()
    clients = [world.client(f"client-{n}", identity_of(f"p{n}")) for n in range(5)]
    for client in clients:
        world.follow(client, "things:titled", title="a")
    assert runs == ["query a"]
    encoded = world.engine.counters.results_encoded
    world.process(send(clients[0], 0, "a"))
    assert runs == ["query a", "a", "query a"]
    assert world.engine.counters.results_encoded == encoded + 1
    assert [client.told[0].value for client in clients] == [1.0] * 5


def test_a_query_that_looks_at_its_caller_is_each_caller_s_own() -> None:
    """Also when it begins to look only later."""
    world = World()
    people = [world.client(f"client-{n}", identity_of(n)) for n in ("ana", "ben")]
    for client in people:
        world.follow(client, "things:mine")
    assert [client.told[0].value for client in people] == ["nobody", "nobody"]
    world.process(send(people[0], 0, "a"))
    assert [client.told[0].value for client in people] == ["ana", "ben"]


def test_a_new_identity_is_seen_by_queries_that_look_at_it() -> None:
    """All in one transition with the new identity version."""
    world = World()
    client = world.client()
    world.process(send(client, 0, "a"))
    world.follow(client, "things:mine")
    world.process(Authenticated(client.session, 0, identity_of("ana")))
    assert client.told[0].value == "ana"
    assert client.version.identity == 1


def test_a_mutation_sent_twice_is_applied_once() -> None:
    """The second time it has the first one's answer; also in one batch."""
    world = World()
    client = world.client()
    world.process(send(client, 0, "a"), send(client, 0, "a"))
    first = client.answers.pop(0)
    world.process(send(client, 0, "a"))
    assert client.answers[0] == first
    assert runs == ["a"]


@pytest.mark.parametrize("change", ["title", "identity"])
def test_a_request_id_is_not_another_s_result(change: str) -> None:
    """Other arguments or another caller under a known id: an error, not the stored result."""
    world = World()
    client = world.client()
    world.process(send(client, 0, "a"))
    if change == "identity":
        world.process(Authenticated(client.session, 0, identity_of("eve")))
    world.process(send(client, 0, "b" if change == "title" else "a"))
    assert not client.answers[0]["success"]
    assert "already used in this session for another call" in client.answers[0]["result"]
    assert runs == ["a"]


def test_a_failed_mutation_may_be_sent_again() -> None:
    """Nothing was kept of it, so it is run again."""
    world = World()
    client = world.client()
    world.process(send(client, 0, "refused"))
    assert client.answers.pop(0)["errorData"] == {"code": 7}
    world.process(send(client, 0, "refused"))
    assert runs == ["refused", "refused"]


def test_a_conflict_is_run_again() -> None:
    """Its writes are kept once."""
    world = World()
    client = world.client()
    world.follow(client, "things:titled", title="conflict")
    world.process(send(client, 0, "conflict"))
    assert client.answers[0]["success"]
    assert client.told[0].value == 1.0
    assert runs.count("conflict") == 3


@pytest.mark.parametrize("retries", [1, 4])
def test_mutation_retries_is_a_limit(retries: int) -> None:
    """After so many further runs the client is sent away, to come again with the same id."""
    world = World(mutation_retries=retries)
    client = world.recorder()
    world.process(send(client, 0, "busy"))
    assert runs == ["busy"] * (1 + retries)
    assert client.taken == [([], Close(1013, "CommitterFullError"))]
    assert client.session.closed


def test_a_lost_commit_is_told_to_all_of_its_batch() -> None:
    """Nothing of it was kept, nobody sees it, and the next batch succeeds."""
    world = World()
    client = world.client()
    world.follow(client, "things:titled", title="a")
    at = world.engine.last_ts
    world.lose_commits()
    world.process(send(client, 0, "a"), send(client, 1, "a"))
    assert [a["success"] for a in client.answers.values()] == [False, False]
    assert "the disk is gone" in client.answers[0]["result"]
    assert (world.engine.last_ts, client.told[0].value) == (at, 0.0)
    world.clock.faults.clear()
    world.process(send(client, 0, "a"))
    assert client.told[0].value == 1.0


def reload(world: World, load: Callable[[], InProcess]) -> BaseException | None:
    """Another backend, or why not."""
    errors: list[BaseException | None] = []
    world.process(Reload(load, errors.append))
    return errors[0]


def test_a_reload_runs_every_followed_query_again() -> None:
    """The connections stay; what changed is pushed."""

    @query(name="titled")
    async def titled_anew(ctx: QueryCtx, title: str) -> str:
        return f"new {title}"

    titled_anew.__name__ = "titled"
    world = World()
    client = world.client()
    world.follow(client, "things:titled", title="a")
    assert reload(world, lambda: InProcess(app_of(Task, add, titled_anew), world.limits)) is None
    assert client.told[0].value == "new a"


def test_a_backend_that_does_not_load_changes_nothing() -> None:
    """The old one goes on, and whoever asked is told why."""

    def fail() -> InProcess:
        raise SyntaxError("no")

    world = World()
    client = world.client()
    world.follow(client, "things:titled", title="a")
    assert isinstance(reload(world, fail), SyntaxError)
    world.process(send(client, 0, "a"))
    assert client.told[0].value == 1.0


def test_a_message_the_protocol_does_not_allow_ends_the_connection() -> None:
    """With a FatalError that says why; others go on."""
    world = World()
    client, other = world.recorder(), world.client()
    world.process(FromClient(client.session, ModifyQuerySet(7, 8, ())), send(other, 0, "a"))
    assert "BaseVersionMismatch" in client.taken[0][0][0]
    assert client.taken[1][1] is not None
    assert other.answers[0]["success"]


def test_a_refused_token_ends_the_connection() -> None:
    """With an AuthError; the client asks its provider for another."""
    world = World()
    client = world.recorder()
    world.process(Authenticated(client.session, 0, None, error="expired"))
    assert '"type":"AuthError"' in client.taken[0][0][0]
    assert client.session.closed
