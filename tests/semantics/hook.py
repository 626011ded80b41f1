"""What `usePaginatedQuery` does with the pages of a query, in the fewest lines.

Written after `use_paginated_query.ts` of npm convex 1.48.0: pages by key, a page that is too long
or asks for it is split in two, an invalid cursor starts all over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headwater.core.engine import Engine
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, RemoveQuery
from headwater.core.work import FromClient, Left, Work
from tests.model.clients import Client, Told

Loaded = tuple[list[Any], str]
"""The items of all pages, and the hook's status."""


@dataclass
class Connection:
    """A client of an engine that follows queries, connects again, and keeps their journals."""

    engine: Engine
    client: Client = field(default_factory=lambda: Client("hook", None))
    followed: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    next_id: int = 0

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.client.connect()
        self._process(FromClient(self.client.session, Connect(self.client.id, self.client.ts)))

    def _process(self, work: Work) -> None:
        for output in self.engine.process([work]):
            output.send()

    def _modify(self, *changes: AddQuery | RemoveQuery) -> None:
        base = self.client.query_set
        self.client.query_set += 1
        self._process(FromClient(self.client.session, ModifyQuerySet(base, base + 1, changes)))

    def follow(self, path: str, arguments: dict[str, Any]) -> int:
        """Begins to follow a query; gives its id."""
        self.next_id += 1
        self.followed[self.next_id] = path, arguments
        self._modify(AddQuery(self.next_id, path, arguments, None))
        return self.next_id

    def leave(self, query_id: int) -> None:
        """Follows it no longer."""
        del self.followed[query_id]
        self._modify(RemoveQuery(query_id))

    def told(self, query_id: int) -> Told:
        """What the client last heard of a query."""
        return self.client.told[query_id]

    def reconnect(self) -> None:
        """Loses the connection and follows everything again, with the last journals."""
        journals = {query_id: self.told(query_id).journal for query_id in self.followed}
        self._process(Left(self.client.session))
        self._begin()
        adds = [AddQuery(i, *about, journals[i]) for i, about in self.followed.items()]
        self._modify(*adds)


class Hook:
    """One use of `usePaginatedQuery`.

    Args:
        connection: of the client.
        path: the query's.
        arguments: the query's own, without `paginationOpts`.
        initial: `initialNumItems`.
    """

    def __init__(
        self, connection: Connection, path: str, arguments: dict[str, Any], initial: int
    ) -> None:
        self._connection, self._path, self._arguments = connection, path, arguments
        self._initial = initial
        self.starts = self.splits = 0
        self._start()

    def _start(self) -> None:
        self.starts += 1
        self._pages = [self._query(self._initial, None)]
        self._begins: list[str | None] = [None]

    def _query(self, count: int, cursor: str | None, end: str | None = None) -> int:
        options = {"numItems": float(count), "cursor": cursor, "id": float(self.starts)}
        if end is not None:
            options["endCursor"] = end
        return self._connection.follow(self._path, {**self._arguments, "paginationOpts": options})

    def results(self) -> Loaded:
        """What the component shows, once every split and restart has come to its end."""
        while True:
            change, loaded = self._rendered()
            if change is None:
                return loaded
            change()

    def _rendered(self) -> tuple[Callable[[], None] | None, Loaded]:
        items: list[Any] = []
        for at, query_id in enumerate(self._pages):
            told = self._connection.told(query_id)
            if told.error is not None:
                assert "InvalidCursor" in told.error, told.error
                return self._restart, ([], "LoadingFirstPage")
            page = told.value
            if self._is_to_be_split(page):
                return lambda at=at, page=page: self._split(at, page), (items, "LoadingMore")
            if page["pageStatus"] == "SplitRequired":
                return None, (items, "LoadingMore")
            items.extend(page["page"])
        return None, (items, "Exhausted" if page["isDone"] else "CanLoadMore")

    def _is_to_be_split(self, page: dict[str, Any]) -> bool:
        long = len(page["page"]) > 2 * self._initial
        return bool(page["splitCursor"]) and (long or page["pageStatus"] is not None)

    def _restart(self) -> None:
        for query_id in self._pages:
            self._connection.leave(query_id)
        self._start()

    def _split(self, at: int, page: dict[str, Any]) -> None:
        self.splits += 1
        old, begin = self._pages[at], self._begins[at]
        halves = [
            self._query(self._initial, begin, page["splitCursor"]),
            self._query(self._initial, page["splitCursor"], page["continueCursor"]),
        ]
        self._pages[at : at + 1] = halves
        self._begins[at : at + 1] = [begin, page["splitCursor"]]
        self._connection.leave(old)

    def load_more(self, count: int) -> None:
        """Asks for another page, if there is one."""
        _, status = self.results()
        if status == "CanLoadMore":
            cursor = self._connection.told(self._pages[-1]).value["continueCursor"]
            self._pages.append(self._query(count, cursor))
            self._begins.append(cursor)
