"""An engine on a file, some clients, and the model that says what each must see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater.clock import VirtualClock
from headwater.core.calls import Call, Outcome
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.identity import identity_of
from headwater.core.placement import InProcess
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, MutationRequest, RemoveQuery
from headwater.core.storage import Writes
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.values import decode, encode, from_json
from headwater.core.work import Drained, Execute, FromClient, Left, Reload, Work
from headwater.errors import StorageFailure
from headwater.settings import Limits
from tests.model.clients import Client, Told
from tests.model.order import same
from tests.model.plain import STALE, Answer, Plain, Position, Refused
from tests.model.plans import Plan
from tests.model.schemas import FREE, UNHURRIED, TablePlan, app_of
from tests.model.steps import Op, add_functions

Key = tuple[bytes, str | None, str | None]
"""A plan, the journal it was begun with, and who follows it where it looks at its caller."""


class Disk(SqliteStorage):
    """A file whose disk can be made to refuse writes."""

    full = False

    def write(self, writes: Writes) -> None:
        """Refuses, or writes."""
        if self.full:
            raise StorageFailure("the disk is full")
        super().write(writes)


@dataclass
class Followed:
    """A distinct query that somebody follows, as the model knows it."""

    plan: Plan
    end: Position | None = None
    cursor: str | None = None
    answer: Answer | None = None


@dataclass
class Sent:
    """A mutation a client sent: what was asked, and what was answered."""

    client: Client
    request_id: int
    ops: list[Op]
    response: dict[str, Any] | None = None


@dataclass
class World:
    """The engine and the model side by side."""

    path: Path
    tables: list[TablePlan]
    plain: Plain = field(init=False)
    clock: VirtualClock = field(default_factory=VirtualClock)
    limits: Limits = UNHURRIED
    clients: list[Client] = field(default_factory=list)
    followed: dict[tuple[str, int], Key] = field(default_factory=dict)
    queries: dict[Key, Followed] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    cursors: dict[str, tuple[str, str]] = field(default_factory=dict)
    next_id: int = 0
    starts: int = 0

    def __post_init__(self) -> None:
        self.plain = Plain({table.name: table for table in [*self.tables, FREE]})
        people: Sequence[Any] = (None, identity_of("ana"), identity_of("ben"))
        self.clients = [Client(f"client-{n}", who) for n, who in enumerate(people)]
        self.start()

    def start(self) -> None:
        """Opens the file, as a server that starts does; every client connects anew."""
        self.disk = Disk(self.path)
        database = Database(self.disk, self.clock, self.limits)
        self.engine = Engine(database, self.placement())
        self.followed.clear()
        self.queries.clear()
        for client in self.clients:
            client.connect()
            self.process(FromClient(client.session, Connect(client.id, client.ts)))

    def placement(self) -> InProcess:
        """The backend of the tables as they are now."""
        return InProcess(app_of(list(self.plain.tables.values()), add_functions), self.limits)

    def process(self, *works: Work) -> None:
        """One batch; each commit has a later time than the one before."""
        before = self.engine.last_ts, self.engine.counters.commits
        for output in self.engine.process(works):
            output.send()
        after = self.engine.last_ts, self.engine.counters.commits
        assert (after[0] > before[0]) == (after[1] > before[1])

    # what clients do; each gives the work to be put into a batch

    def follow(self, client: Client, plan: Plan, journal: str | None = None) -> Work:
        """A client begins to follow a query."""
        self.next_id += 1
        key = (encode(plan), journal, client.subject if plan["who"] else None)
        self.followed[client.id, self.next_id] = key
        known = self.queries.setdefault(key, Followed(plan))
        if journal is not None and known.end is None:
            (cursor,) = json_list(journal)
            end = self.plain.cursors[cursor]
            known.end = None if end == STALE else end
        add = AddQuery(self.next_id, "model:read", {"plan": plan}, journal)
        return self._modification(client, add)

    def leave(self, client: Client, query_id: int) -> Work:
        """A client follows a query no longer."""
        key = self.followed.pop((client.id, query_id))
        if key not in self.followed.values():
            del self.queries[key]
        return self._modification(client, RemoveQuery(query_id))

    def _modification(self, client: Client, change: AddQuery | RemoveQuery) -> Work:
        base = client.query_set
        client.query_set += 1
        return FromClient(client.session, ModifyQuerySet(base, base + 1, (change,)))

    def fill(self, crowds: dict[str, list[dict[str, Any]]]) -> None:
        """The first documents, of nobody's making."""
        for table, documents in crowds.items():
            ops = [{"op": "insert", "table": table, "fields": fields} for fields in documents]
            outcome = self.execute(Call("model:apply", "mutation", {"ops": ops}))
            self.plain.apply(ops, iter(decode(outcome.value or b"null")["made"]))

    def mutation(self, sent: Sent) -> Work:
        """A client sends a mutation, or sends it again."""
        request = MutationRequest(sent.request_id, "model:apply", {"ops": sent.ops})
        return FromClient(sent.client.session, request)

    # checks

    def mutated(self, sent: list[Sent], lost: bool) -> list[dict[str, Any]]:
        """Compares the answers of a batch's mutations; gives what they changed, old and new."""
        changed: list[dict[str, Any]] = []
        for one in sent:
            response = one.client.answers.pop(one.request_id)
            if one.response is not None and one.response["success"]:
                assert response == one.response, "a re-sent mutation has its first answer"
            elif lost:
                assert not response["success"]
            else:
                changed.extend(self._applied(one, response))
        return changed

    def _applied(self, sent: Sent, response: dict[str, Any]) -> list[dict[str, Any]]:
        sent.response = response
        before = self.plain.documents
        result = from_json(response["result"]) if response["success"] else {"made": []}
        try:
            seen = self.plain.apply(sent.ops, iter(result["made"]))
        except Refused:
            assert not response["success"], response
            return []
        assert response["success"], response
        assert same(result["seen"], seen), "a mutation sees its own writes"
        return changes(before, self.plain.documents)

    def check(self, changed: list[dict[str, Any]], runs: dict[tuple[str, int], int]) -> None:
        """Every client that is up to date sees what the model has, and nothing ran needlessly."""
        touched = {key: self._touched(query, changed) for key, query in self.queries.items()}
        for query in self.queries.values():
            query.answer = None
        for client in self.clients:
            for query_id, key in self.followed_by(client).items():
                if query_id in client.news or not client.behind:
                    self._check_told(self.queries[key], client, client.told[query_id])
                self._check_runs(client, query_id, touched[key], runs)
            self._check_news(client)

    def _check_news(self, client: Client) -> None:
        # What a slow client has missed may have changed and changed back; and a query that begins
        # or ends to look at its caller is followed anew.
        for query_id in client.unchanged if not client.slow else ():
            key = self.followed.get((client.id, query_id))
            who = key is None or self.queries[key].plan["who"]
            assert who or client.caught_up, "only changed results are pushed"
        client.unchanged.clear()
        client.news.clear()
        client.caught_up = False

    def _touched(self, query: Followed, changed: list[dict[str, Any]]) -> bool:
        if query.answer is None:
            return True
        return any(self.plain.touched(query.plan, query.answer, d) for d in changed)

    def _check_runs(
        self, client: Client, query_id: int, touched: bool, runs: dict[tuple[str, int], int]
    ) -> None:
        before = runs.get((client.id, query_id))
        plan = self.queries[self.followed[client.id, query_id]].plan
        if before is not None and not touched and not plan["who"]:
            assert client.session.runs(query_id) == before, "what was not touched is not run again"

    def _check_told(self, query: Followed, client: Client, told: Told) -> None:
        query.answer, refusal = self._answer(query, client.subject)
        if query.answer is None:
            assert told.error is not None, (query.plan, told.value)
            assert refusal in told.error
            return
        assert told.error is None, told.error
        value = told.value
        if query.plan["how"] == "page":
            query.end = query.answer.end
            value = self._page(query, value, query.answer)
        assert same(value, query.answer.value), (query.plan, value, query.answer.value)

    def _answer(self, query: Followed, who: str | None) -> tuple[Answer | None, str]:
        try:
            return self.plain.answer(query.plan, who, query.end), ""
        except Refused as refused:
            return None, str(refused)

    def _page(self, query: Followed, value: Any, expected: Answer) -> Any:
        page = dict(value["found"])
        assert expected.end is not None, "a page has an end"
        cursor = page["continueCursor"]
        assert self.plain.cursors.setdefault(cursor, expected.end) == expected.end
        self.cursors[cursor] = query.plan["table"], query.plan["index"] or "by_creation_time"
        query.cursor = cursor
        return {**value, "found": {"page": page["page"], "isDone": page["isDone"]}}

    def runs(self) -> dict[tuple[str, int], int]:
        """How often each followed query was run so far."""
        return {
            (client.id, query_id): client.session.runs(query_id)
            for client in self.clients
            for query_id in self.followed_by(client)
            if query_id in client.told
        }

    def followed_by(self, client: Client) -> dict[int, Key]:
        """What a client follows."""
        return {
            query_id: key for (owner, query_id), key in self.followed.items() if owner == client.id
        }

    def fresh(self, client: Client, plan: Plan) -> Any:
        """The plan's result, run now for nobody's subscription."""
        value = self.execute(Call("model:read", "query", {"plan": plan}, client.identity)).value
        return Refused if value is None else decode(value)

    def execute(self, call: Call) -> Outcome:
        """A call of nobody's session."""
        outcomes: list[Outcome] = []
        self.process(Execute(call, lambda outcome, _ts: outcomes.append(outcome)))
        return outcomes[0]

    # what befalls a server

    def reopen(self) -> None:
        """The process ends and another opens the file, on a machine whose clock is behind."""
        before = self.engine.last_ts
        self.disk.close()
        self.starts += 1
        self.clock = VirtualClock(self.starts, self.clock.now_ms() - 3_600_000)
        self.start()
        assert self.engine.last_ts >= before

    def reload(self, tables: list[TablePlan]) -> None:
        """The backend is saved with other indexes; pages through those begin anew."""
        new = {table.name: table.indexes for table in tables}
        for cursor, (table, index) in self.cursors.items():
            old = self.plain.tables[table].indexes
            if index != "by_creation_time" and old.get(index) != new[table].get(index):
                self.plain.cursors[cursor] = STALE
        self.plain.tables = {table.name: table for table in tables}
        errors: list[BaseException | None] = []
        self.process(Reload(self.placement, errors.append))
        assert errors == [None]
        for query in self.queries.values():
            query.answer = None
            if query.cursor is not None and self.plain.cursors[query.cursor] == STALE:
                query.end = None

    def break_commit(self) -> None:
        """The next commit fails."""

        def fail() -> None:
            raise StorageFailure("the disk is gone")

        self.clock.faults["commit"] = fail

    def mend(self) -> None:
        """Commits and writes succeed again."""
        self.clock.faults.clear()
        self.disk.full = False

    def drain(self, client: Client) -> None:
        """A slow client takes what waits."""
        client.catch_up()
        client.caught_up = True
        self.process(Drained(client.session))

    def hang_up(self, client: Client) -> None:
        """A connection is lost and made again."""
        self.process(Left(client.session))
        for query_id in self.followed_by(client):
            del self.followed[client.id, query_id]
        used = set(self.followed.values())
        self.queries = {key: query for key, query in self.queries.items() if key in used}
        client.connect()
        self.process(FromClient(client.session, Connect(client.id, client.ts)))


def json_list(text: str) -> list[str]:
    """A journal's cursors."""
    import json

    listed: list[str] = json.loads(text)
    return listed


def changes(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Old and new versions of what differs."""
    found: list[dict[str, Any]] = []
    for document_id in before.keys() | after.keys():
        old, new = before.get(document_id), after.get(document_id)
        if old is None or new is None or not same(old, new):
            found.extend(version for version in (old, new) if version is not None)
    return found
