"""`ctx.db.query(...)`: a range of one index, built step by step and run once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, Generic, Literal, Self, TypeVar

from headwater.core.absent import absent_from_query
from headwater.core.codecs import lower
from headwater.core.documents import Stored
from headwater.core.driver import Run
from headwater.core.names import wire_name
from headwater.core.pagination import PaginationOptions, PaginationResult
from headwater.core.requests import Bound, Page, PageEnd, Range, Scan, ScanMore, Search
from headwater.core.schema import build
from headwater.core.values import UNSET
from headwater.errors import QueryInvalid
from headwater.rules import Finding

T = TypeVar("T")

_LOWER: Final = {"gt": False, "gte": True}
_UPPER: Final = {"lt": False, "lte": True}
_CHUNKS: Final = (8, 32, 128, 512)
_BY_INDEX: Final = (
    "choose by index: .with_index(name, field=value); or .filter(lambda d: d.field == x)"
)
_BY_ORDER: Final = 'choose the index for its order, then .order("asc") or .order("desc")'
_ONE_INDEX: Final = "{} was called twice, or after {}; a query reads through one index"
_BEST_FIRST: Final = "a search gives the best first; it cannot be given another order()"


class Query(Generic[T]):
    """A query of one table. Runs once, by `collect`, `first`, `unique`, `take`, `paginate` or
    `async for`.
    """

    def __init__(
        self,
        run: Run,
        table: str,
        load: Callable[[Stored], T],
        absent: frozenset[str] = frozenset(),
        *,
        system: bool = False,
    ) -> None:
        self._run = run
        self._load = load
        self._absent = absent  # optional fields: in Python their None is "absent"
        self._range = Range(table, system=system)
        self._filters: list[Callable[[T], bool]] = []
        self._ordered = self._indexed = self._used = False

    def _absent_member(self, name: str) -> Finding | None:
        """What the rules say of a method that is not there."""
        return absent_from_query(name)

    def with_index(self, name: str, /, **fields: Any) -> Self:
        """Reads through an index instead of the whole table.

        Args:
            name: the index.
            fields: equal values for its first fields in order, then at most one range on the next
                (`timestamp__gte=t`, with gt, gte, lt, lte).

        Raises:
            QueryInvalid: when run, for an index or field that is not there, or out of order.
        """
        if self._indexed:
            raise QueryInvalid(_ONE_INDEX.format("with_index()", "with_search_index()"))
        self._indexed = True
        self._range.index = name
        for keyword, value in fields.items():
            self._add_bound(*_split(keyword), value)
        return self

    def with_search_index(self, name: str, text: str, /, **filters: Any) -> Self:
        """Finds the documents with some of a text's words, best first; the last word may be begun.

        Args:
            name: the search index.
            text: what to search for; nothing is found for a text without words.
            filters: equal values of filter fields of the index.

        Raises:
            QueryInvalid: here for a query that is ordered or has an index already; when run, for a
                search index or filter field that is not there.
            LimitExceeded: when run, for more than 1024 results that are not paginated.
        """
        if self._indexed:
            raise QueryInvalid(_ONE_INDEX.format("with_search_index()", "with_index()"))
        if self._ordered:
            raise QueryInvalid(_BEST_FIRST)
        if not isinstance(text, str):
            raise QueryInvalid(f"with_search_index() takes a text, not {type(text).__name__}")
        self._indexed = True
        self._range = Search(self._range.table, name, system=self._range.system, text=text)
        for keyword, value in filters.items():
            if "__" in keyword:
                raise QueryInvalid(
                    f"`{keyword}`: a search filters by equal values; test others in .filter()"
                )
            self._add_bound(keyword, "", value)
        return self

    def _add_bound(self, name: str, lookup: str, value: Any) -> None:
        field = {"id": "_id", "creation_time": "_creationTime"}.get(name) or wire_name(name)
        if value is None and field in self._absent:
            value = UNSET
        value = value if value is UNSET else lower(value)
        if not lookup:
            self._range.equal.append((field, value))
        elif lookup in _LOWER:
            self._once(self._range.lower, name)
            self._range.lower = Bound(field, value, _LOWER[lookup])
        else:
            self._once(self._range.upper, name)
            self._range.upper = Bound(field, value, _UPPER[lookup])

    def _once(self, bound: Bound | None, name: str) -> None:
        if bound is not None:
            raise QueryInvalid(
                f"`{name}`: an index range has one lower and one upper bound at most"
            )

    def filter(self, predicate: Callable[[T], bool]) -> Self:
        """Keeps documents the predicate is true for; the others still count as read."""
        if not callable(predicate):
            text = f"filter() takes a function of one document, not {type(predicate).__name__}"
            raise QueryInvalid(text).by_rule("HW403", _BY_INDEX)
        self._filters.append(predicate)
        return self

    def order(self, direction: Literal["asc", "desc"]) -> Self:
        """The index's order ("asc", the default) or its reverse."""
        if isinstance(self._range, Search):
            raise QueryInvalid(_BEST_FIRST)
        if self._ordered:
            raise QueryInvalid("order() was called twice")
        if direction not in ("asc", "desc"):
            text = f'order() takes "asc" or "desc", not {direction!r}'
            raise QueryInvalid(text).by_rule("HW403", _BY_ORDER)
        self._ordered = True
        self._range.descending = direction == "desc"
        return self

    def collect(self) -> Coroutine[Any, Any, list[T]]:
        """All documents. Bound it by an index range, or use `take` or `paginate`."""
        if self._filters:
            return self._run.tracked(self._take_filtered(None))
        return self._scan(None)

    def take(self, count: int) -> Coroutine[Any, Any, list[T]]:
        """The first `count` documents."""
        if count < 0:
            raise QueryInvalid(f"take({count}): the count is 0 or more")
        if self._filters:
            return self._run.tracked(self._take_filtered(count))
        return self._scan(count)

    def first(self) -> Coroutine[Any, Any, T | None]:
        """The first document, or None."""
        return self._run.tracked(self._first())

    def unique(self) -> Coroutine[Any, Any, T | None]:
        """The only document, or None.

        Raises:
            QueryInvalid: there are two or more.
        """
        return self._run.tracked(self._unique())

    async def _first(self) -> T | None:
        found = await self.take(1)
        return found[0] if found else None

    async def _unique(self) -> T | None:
        found = await self.take(2)
        if len(found) > 1:
            table = self._range.table
            raise QueryInvalid(f"unique() query returned more than one result from table {table}")
        return found[0] if found else None

    def _scan(self, limit: int | None) -> Coroutine[Any, Any, list[T]]:
        self._use()
        load = self._load

        def loaded(batch: Any) -> list[T]:
            batch.scan.used = len(batch.documents)
            return [load(stored) for stored in batch.documents]

        return self._run.ask(Scan(self._range, limit), loaded)

    async def _take_filtered(self, count: int | None) -> list[T]:
        if count == 0:
            return await self._scan(0)  # nothing, but a range that makes no sense is told
        found = []
        async for document in self._matching(None if count is None else count):
            found.append(document)
            if len(found) == count:
                break
        return found

    def __aiter__(self) -> AsyncIterator[T]:
        return self._matching(1)

    async def _matching(self, hurry: int | None) -> AsyncIterator[T]:
        """Documents in order, read in growing chunks; the scan notes how far the handler came."""
        self._use()
        first = None if hurry is None else _CHUNKS[0]
        batch: Any = await self._run.ask(Scan(self._range, first, stream=hurry is not None))
        sizes = iter(_CHUNKS[1:])
        while True:
            for stored in batch.documents:
                batch.scan.used += 1
                document = self._load(stored)
                if all(predicate(document) for predicate in self._filters):
                    yield document
            if batch.done:
                return
            batch = await self._run.ask(ScanMore(batch.scan, next(sizes, _CHUNKS[-1])))

    def paginate(self, options: PaginationOptions) -> Coroutine[Any, Any, PaginationResult[T]]:
        """One page from the options' cursor on; hand the client's options through.

        With filters it reads on until the page is full, `maximum_rows_read` is reached, or nothing
        is left.
        """
        self._use()
        page = Page(
            self._range,
            options.num_items,
            options.cursor,
            options.end_cursor,
            options.maximum_rows_read,
            options.maximum_bytes_read,
            bool(self._filters),
        )
        if self._filters:
            return self._run.tracked(self._filtered_page(page))
        return self._run.ask(page, self._whole_page)

    def _whole_page(self, page: Any) -> PaginationResult[T]:
        return _page_result(page, list(map(self._load, page.documents)))

    async def _filtered_page(self, page: Page) -> PaginationResult[T]:
        kept: list[T] = []
        batch: Any = await self._run.ask(page)
        self._keep(kept, batch)  # as many as are wanted at most, or all of a page that has an end
        sizes = iter(_CHUNKS)
        while not batch.done and len(kept) < page.num_items:
            missing = page.num_items - len(kept)
            more = ScanMore(batch.scan, max(missing, next(sizes, _CHUNKS[-1])))
            batch = await self._run.ask(more)
            self._keep(kept, batch, page.num_items)
        return _page_result(await self._run.ask(PageEnd(batch.scan, len(kept))), kept)

    def _keep(self, kept: list[T], batch: Any, most: int | None = None) -> None:
        for stored in batch.documents:
            if len(kept) == most:
                return
            batch.scan.used += 1
            document = self._load(stored)
            if all(predicate(document) for predicate in self._filters):
                kept.append(document)

    def _use(self) -> None:
        if self._used:
            raise QueryInvalid("a query runs once; build it anew with ctx.db.query(...)")
        self._used = True


def _page_result(page: Any, kept: list[T]) -> PaginationResult[T]:
    values = {
        "page": kept,
        "is_done": page.done,
        "continue_cursor": page.cursor,
        "split_cursor": page.split_cursor,
        "page_status": page.status,
    }
    made: PaginationResult[T] = build(PaginationResult, values)
    return made


def _split(keyword: str) -> tuple[str, str]:
    name, separator, lookup = keyword.rpartition("__")
    if not separator:
        return keyword, ""
    if lookup not in _LOWER and lookup not in _UPPER:
        text = f"`{keyword}`: unknown lookup `{lookup}`; there are gt, gte, lt and lte"
        raise QueryInvalid(text).by_rule("HW401", "field__gte=value, with gt, gte, lt or lte")
    return name, lookup
