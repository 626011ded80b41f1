"""HW401: read through an index that exists, by its fields in their order; filter what is left."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from headwater.check.chains import Chain, Link
from headwater.check.equalities import equal_fields
from headwater.check.facts import Facts
from headwater.check.project import FunctionInfo
from headwater.check.registered import Registered
from headwater.check.searches import search_problems
from headwater.check.tables import Table, TableIndex
from headwater.rules import Finding, rule

_LOWER, _UPPER = ("gt", "gte"), ("lt", "lte")
_LOOKUPS = (*_LOWER, *_UPPER)
_ORDER = "equal values come in that order, then one range"
_SYSTEM = {"id", "creation_time", "_id", "_creationTime"}


@dataclass(frozen=True)
class _Bound:
    """One keyword of with_index: the field, and the lookup or an empty string."""

    field: str
    lookup: str
    node: ast.keyword


def check_indexes(facts: Facts) -> list[Finding]:
    """Findings about indexes as they are declared and as they are used."""
    found = [f for table in facts.tables.by_class.values() for f in _declared(table)]
    for qualname, function in facts.project.functions.items():
        judge = _Judge(function, facts.registered.get(qualname))
        for chain in facts.chains(function):
            found += judge.chain(chain)
    return found


def _declared(table: Table) -> Iterator[Finding]:
    """Fields of indexes that the table has not."""
    for named in table.index_fields if table.certain else ():
        head = named.name.partition(".")[0]
        if head not in table.fields | _SYSTEM:
            yield rule("HW401").finding(
                f'{table.class_name} has no field "{named.name}" to index',
                stage="S",
                path=table.path,
                line=named.node.lineno,
                col=named.node.col_offset + 1,
                why="an index holds values of the table's own fields",
                fix=_nearest(head, table.fields)
                or f"fields of {table.class_name}: {', '.join(sorted(table.fields))}",
            )


class _Judge:
    """Judges the chains of one function; a call that belongs to several chains only once."""

    def __init__(self, function: FunctionInfo, entry: Registered | None) -> None:
        self._function, self._entry = function, entry
        self._seen: set[int] = set()

    def chain(self, chain: Chain) -> Iterator[Finding]:
        """Findings of one chain."""
        methods = [link.method for link in chain.links]
        if chain.is_run and chain.is_known and not any("index" in name for name in methods):
            for link in chain.links:
                if link.method == "filter" and self._first_time(link):
                    yield self._filter_alone(chain, link)
                    break
        for link in chain.links:
            if link.method == "with_index" and self._first_time(link):
                yield from self._with_index(chain, link)
            elif link.method == "with_search_index" and self._first_time(link):
                yield from self._with_search_index(chain, link)

    def _with_search_index(self, chain: Chain, link: Link) -> Iterator[Finding]:
        for found in search_problems(chain, link) if chain.table.certain else ():
            yield self._finding(found.what, found.line, found.col, why=found.why, fix=found.fix)

    def _first_time(self, link: Link) -> bool:
        is_new = id(link.call) not in self._seen
        self._seen.add(id(link.call))
        return is_new

    def _filter_alone(self, chain: Chain, link: Link) -> Finding:
        name = chain.table.class_name
        return self._finding(
            f"{name} is read whole: .filter() without .with_index()",
            link.line,
            link.col,
            fix=_index_for(chain, equal_fields(chain)),
        )

    def _with_index(self, chain: Chain, link: Link) -> Iterator[Finding]:
        call = link.call
        name = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if not isinstance(name, str) or not chain.table.certain:
            return
        index = chain.table.index(name)
        if index is None:
            yield self._unknown_index(chain, link, name)
        elif index.is_search:
            what = f'"{name}" is a search index, read by with_search_index()'
            fix = f'.with_search_index("{name}", text)'
            yield self._finding(what, link.line, link.col, why="with_index reads ranges", fix=fix)
        elif index.fields is not None and name != "by_id":
            bounds = [_bound(chain, keyword) for keyword in call.keywords if keyword.arg]
            dynamic = len(bounds) < len(call.keywords)
            yield from self._bounds(chain, index, bounds, dynamic)

    def _unknown_index(self, chain: Chain, link: Link, name: str) -> Finding:
        table, place = chain.table, link.call.args[0]
        known = [*table.indexes, "by_creation_time"]
        fix = _nearest(name, known)
        if not fix:
            given = [_bound(chain, keyword).field for keyword in link.call.keywords if keyword.arg]
            fields = [field for field in given if field in table.fields]
            fix = _declaration(table, name, fields) if fields and fields == given else ""
        return self._finding(
            f'{table.class_name} has no index "{name}"',
            place.lineno,
            place.col_offset + 1,
            why="a query reads through the indexes its table declares",
            fix=fix or f"indexes of {table.class_name}: {', '.join(known)}",
        )

    def _bounds(
        self, chain: Chain, index: TableIndex, bounds: list[_Bound], dynamic: bool
    ) -> Iterator[Finding]:
        order = index.order
        wrong = [self._misnamed(chain, index, bound) for bound in bounds]
        named = [finding for finding in wrong if finding]
        yield from named
        if named or dynamic:
            return
        misplaced = _misplaced(order, bounds)
        if misplaced:
            bound, what, fix = misplaced
            yield self._finding(
                f"{what}: {index.name} is ordered by {', '.join(order)}",
                bound.node.lineno,
                bound.node.col_offset + 1,
                why=_ORDER,
                fix=fix,
            )

    def _misnamed(self, chain: Chain, index: TableIndex, bound: _Bound) -> Finding | None:
        """A field or lookup that is not there."""
        place = (bound.node.lineno, bound.node.col_offset + 1)
        if bound.lookup and bound.lookup not in _LOOKUPS:
            what = f'"{bound.lookup}" in {bound.node.arg} is no range'
            ways = ", ".join(f"{bound.field}__{lookup}" for lookup in _LOOKUPS)
            return self._finding(what, *place, why=_ORDER, fix=f"ranges are {ways}")
        if bound.field in index.order:
            return None
        table = chain.table
        fix = _nearest(bound.field, index.order)
        if bound.field in table.fields:
            longer = [*(index.fields or ()), bound.field]
            fix = (
                f"test it after the index: .filter(lambda d: d.{bound.field} ...),\n"
                f"or {_declaration(table, _index_name(longer), longer)}"
            )
        return self._finding(
            f'index "{index.name}" has no field "{bound.field}"',
            *place,
            why=f"its fields are {', '.join(index.order)}",
            fix=fix or f"fields of {index.name}: {', '.join(index.order)}",
        )

    def _finding(
        self, what: str, line: int, col: int, *, fix: str, why: str | None = None
    ) -> Finding:
        entry, function = self._entry, self._function
        return rule("HW401").finding(
            what,
            stage="S",
            path=function.module.source.path,
            line=line,
            col=col,
            why=why,
            fix=fix,
            function=entry.path if entry else function.node.name,
            kind=entry.kind if entry else "helper",
        )


def _bound(chain: Chain, keyword: ast.keyword) -> _Bound:
    name, separator, lookup = str(keyword.arg).rpartition("__")
    if not separator or not name:
        name, lookup = str(keyword.arg), ""
    return _Bound(chain.field(name), lookup, keyword)


def _misplaced(order: tuple[str, ...], bounds: list[_Bound]) -> tuple[_Bound, str, str] | None:
    """The first bound that the index's order does not allow, what is wrong, and a way out."""
    equal = [bound for bound in bounds if not bound.lookup]
    ranges = [bound for bound in bounds if bound.lookup]
    doubled = _doubled(equal, ranges)
    if doubled:
        return doubled
    for place, bound in enumerate(sorted(equal, key=lambda b: order.index(b.field))):
        if bound.field != order[place]:
            before = order[place]
            if any(r.field == before for r in ranges):
                what = f"{bound.field} comes after the range on {before}"
                return (
                    bound,
                    what,
                    _after_range(bound.field),
                )
            return bound, *_skips(before, bound.field, place)
    for bound in ranges:
        if bound.field != order[len(equal)]:
            return bound, *_skips(order[len(equal)], bound.field, len(equal))
    return None


def _doubled(equal: list[_Bound], ranges: list[_Bound]) -> tuple[_Bound, str, str] | None:
    equal_fields = {bound.field for bound in equal}
    for side, name in ((_LOWER, "lower"), (_UPPER, "upper")):
        same = [bound for bound in ranges if bound.lookup in side]
        if len(same) > 1:
            one, two = same[0].field, same[1].field
            what = (
                f"{one} has two {name} bounds"
                if one == two
                else f"{one} and {two} both have a range"
            )
            return same[1], what, "keep one range; test the other in .filter()"
    for bound in ranges:
        if bound.field in equal_fields:
            what = f"{bound.field} is given both as equal and as a range"
            return bound, what, f"keep one of {bound.field}= and {bound.node.arg}="
        if bound.field != ranges[0].field:
            what = f"{ranges[0].field} and {bound.field} both have a range"
            return bound, what, "keep one range; test the other in .filter()"
    return None


def _after_range(field: str) -> str:
    return f"test {field} in .filter(), or declare an index that begins with {field}"


def _skips(missing: str, field: str, place: int) -> tuple[str, str]:
    way_out = f"give {missing}= too, or declare an index that begins with {field}"
    if place == 0:
        return f"the index cannot start at {field}", way_out
    return f"{field} is given without {missing} before it", way_out


def _index_for(chain: Chain, wanted: list[str]) -> str:
    """How to read by these fields: through an index that is there, or one to declare."""
    plain = [index for index in chain.table.indexes.values() if not index.is_search]
    best = max(plain, key=lambda index: len(_led(index, wanted)), default=None)
    led = _led(best, wanted) if best else []
    if best and led:
        given = ", ".join(f"{field}=..." for field in led)
        return f'.with_index("{best.name}", {given}), then .filter() what is left'
    return _declaration(chain.table, _index_name(wanted), wanted) if wanted else rule("HW401").fix


def _led(index: TableIndex, wanted: list[str]) -> list[str]:
    """The fields an index begins with that are among the wanted ones."""
    return list(takewhile(lambda field: field in wanted, index.fields or ()))


def _index_name(fields: list[str]) -> str:
    return "by_" + "_and_".join(fields)


def _declaration(table: Table, name: str, fields: list[str]) -> str:
    listed = ", ".join(f'"{field}"' for field in fields)
    return f"declare in class {table.class_name} ({table.path}):\n{name} = Index({listed})"


def _nearest(word: str, known: set[str] | list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f'did you mean "{close[0]}"?' if close else ""
