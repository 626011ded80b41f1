"""Query sets nobody should send."""

from __future__ import annotations

from headwater.core.protocol import AddQuery
from tests.semantics.hook import Connection
from tests.semantics.test_pagination import add, engine_of, items_backend


def test_ten_thousand_queries_in_one_set() -> None:
    """All are followed; equal ones are run once, and pushed once more after a change."""
    backend = items_backend()
    connection = Connection(engine_of(backend))
    adds = [AddQuery(n, "things:everything", {"newest": n % 2 == 0}, None) for n in range(10_000)]
    connection._modify(*adds)
    assert len(connection.client.told) == 10_000
    assert backend.engine_stats.query_runs == 2
    backend.mutation(add, ranks=[1.0])
    assert {len(told.value) for told in connection.client.told.values()} == {1}
    assert backend.engine_stats.query_runs == 4
