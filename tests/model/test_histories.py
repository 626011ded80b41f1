"""Random histories of an engine with clients: what each is told is what the model holds."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headwater.core.work import Work
from tests.model.clients import Client
from tests.model.order import same
from tests.model.plain import Refused
from tests.model.plans import plans
from tests.model.schemas import TablePlan, crowds, index_plans, tables
from tests.model.steps import get_plan, steps
from tests.model.world import Sent, World

_KINDS = ("text", "number", "whole", "flag", "long", "blob", "list", "point", "any")


class Histories(RuleBasedStateMachine):
    """Clients follow queries and send mutations; the server loses commits, restarts, reloads."""

    @initialize(one=tables("one", _KINDS), two=tables("two", _KINDS), data=st.data())
    def begin(self, one: TablePlan, two: TablePlan, data: st.DataObject) -> None:
        """A random schema, a file with some documents, three connected clients."""
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "data.sqlite3", [one, two])
        self.world.fill({table.name: data.draw(crowds(table)) for table in (one, two)})

    def teardown(self) -> None:
        """Lets the file go."""
        if hasattr(self, "world"):
            self.world.disk.close()
            self.folder.cleanup()

    def _client(self, data: st.DataObject) -> Client:
        return self.world.clients[data.draw(st.integers(0, 2))]

    def _follow(self, data: st.DataObject) -> Work:
        world, client = self.world, self._client(data)
        if world.queries and data.draw(st.integers(0, 2)) == 2:
            query = data.draw(st.sampled_from([q.plan for q in world.queries.values()]))
            return world.follow(client, query)
        more = [q for q in world.queries.values() if q.cursor is not None]
        if more and data.draw(st.integers(0, 2)) == 2:
            page = more[data.draw(st.integers(0, len(more) - 1))]
            return world.follow(client, {**page.plan, "cursor": page.cursor})
        table = data.draw(st.sampled_from(list(world.plain.tables.values())))
        known = world.plain.of(table.name)
        if known and data.draw(st.integers(0, 4)) == 0:
            document = data.draw(st.sampled_from(known))
            typed = data.draw(st.booleans())
            return world.follow(client, get_plan(table.name, document["_id"], typed))
        return world.follow(client, data.draw(plans(table, known, who=True)))

    def _mutation(self, data: st.DataObject) -> Sent:
        sent = Sent(self._client(data), len(self.world.sent), data.draw(steps(self.world.plain)))
        self.world.sent.append(sent)
        return sent

    def _run(self, works: list[Work], sent: list[Sent], lost: bool = False) -> None:
        """One batch, then every check."""
        runs = self.world.runs()
        self.world.process(*works, *map(self.world.mutation, sent))
        self.world.check(self.world.mutated(sent, lost), runs)

    @rule(data=st.data())
    def follow(self, data: st.DataObject) -> None:
        """A client begins to follow a query."""
        self._run([self._follow(data)], [])

    @rule(data=st.data())
    def follow_another(self, data: st.DataObject) -> None:
        """Two clients begin to follow queries in one batch."""
        self._run([self._follow(data), self._follow(data)], [])

    @rule(data=st.data())
    def mutate(self, data: st.DataObject) -> None:
        """A client sends a mutation."""
        self._run([], [self._mutation(data)])

    @rule(data=st.data(), count=st.integers(2, 4), follow=st.booleans())
    def mutate_together(self, data: st.DataObject, count: int, follow: bool) -> None:
        """Several mutations wait at once, and perhaps a query."""
        works = [self._follow(data)] if follow else []
        self._run(works, [self._mutation(data) for _ in range(count)])

    @rule(data=st.data())
    def mutate_again(self, data: st.DataObject) -> None:
        """One mutation after the other."""
        self._run([], [self._mutation(data)])
        self._run([], [self._mutation(data)])

    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """A client does not know whether its mutation arrived."""
        if self.world.sent:
            last = len(self.world.sent) - 1
            self._run([], [self.world.sent[data.draw(st.integers(0, last))]])

    @rule(data=st.data(), count=st.integers(1, 3), at_write=st.booleans())
    def lose_a_commit(self, data: st.DataObject, count: int, at_write: bool) -> None:
        """The disk refuses a batch: nothing of it is kept, and everybody is told so."""
        sent = [self._mutation(data) for _ in range(count)]
        self.world.break_commit()
        self.world.disk.full = at_write
        self._run([], sent, lost=True)
        self.world.mend()

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A client follows a query no longer."""
        if self.world.followed:
            client_id, query_id = data.draw(st.sampled_from(sorted(self.world.followed)))
            client = next(c for c in self.world.clients if c.id == client_id)
            self._run([self.world.leave(client, query_id)], [])

    @rule(data=st.data())
    def dawdle(self, data: st.DataObject) -> None:
        """A client stops taking what it is sent, or takes everything and is fast again."""
        client = self._client(data)
        client.slow = not client.slow
        if not client.slow:
            self.world.drain(client)
            self.world.check([], {})

    @rule(data=st.data(), journals=st.booleans())
    def hang_up(self, data: st.DataObject, journals: bool) -> None:
        """A client loses its connection and follows its queries again."""
        world, client = self.world, self._client(data)
        old = [
            (world.queries[key].plan, client.told[query_id].journal)
            for query_id, key in world.followed_by(client).items()
            if query_id in client.told
        ]
        world.hang_up(client)
        works = [world.follow(client, plan, j if journals else None) for plan, j in old]
        self._run(works, [])

    @rule(data=st.data(), what=st.sampled_from(["wait", "restart", "reload"]))
    def disturb(self, data: st.DataObject, what: str) -> None:
        """Time passes, the server starts anew on its file, or the backend is saved."""
        world = self.world
        if what == "wait":
            world.clock.advance(data.draw(st.sampled_from([1, 1000, 86_400_000])))
        elif what == "restart":
            world.reopen()
        else:
            changed = map(partial(self._other_indexes, data), world.plain.tables.values())
            world.reload(list(changed))
            world.check([], {})

    def _other_indexes(self, data: st.DataObject, table: TablePlan) -> TablePlan:
        if not table.declared:
            return table
        return table.with_indexes(data.draw(index_plans(table.fields)))

    @invariant()
    def fresh_runs_agree(self) -> None:
        """Every pushed result equals a run made now."""
        world = self.world
        for client in world.clients:
            for query_id, key in world.followed_by(client).items():
                plan = world.queries[key].plan
                if not client.behind and plan["how"] != "page":
                    fresh, told = world.fresh(client, plan), client.told[query_id]
                    assert told.error if fresh is Refused else same(fresh, told.value)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=max(60, settings().max_examples // 2),  # one history is worth many examples
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
