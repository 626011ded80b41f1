"""HW402 and HW406: reads have an end, and loops that write take a batch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.chains import Chain, Link
from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo
from headwater.check.scopes import Value
from headwater.rules import Finding

_BATCH = (
    "take a batch, and let an @internal_mutation schedule itself for the rest:\n"
    "for one in await ....take(100): ...\n"
    "await ctx.scheduler.run_after(0, <itself>, ...)  # if there were 100"
)
_COUNT = (
    "keep a counter document, and change it in the transaction that inserts or deletes:\n"
    "await ctx.db.patch(counter.id, value=counter.value + 1)"
)
_WRITES = {"delete", "patch", "replace"}


def check_bounds(facts: Facts) -> list[Finding]:
    """A finding for each read without an end, each count by reading, each loop over such reads."""
    return [
        finding
        for function in facts.project.functions.values()
        if (chains := [c for c in facts.chains(function) if c.is_run and c.is_known])
        for finding in _Judge(facts, function, chains).findings()
    ]


class _Judge:
    def __init__(self, facts: Facts, function: FunctionInfo, chains: list[Chain]) -> None:
        self._facts, self._function, self._chains = facts, function, chains

    def findings(self) -> Iterator[Finding]:
        endless = [c for c in self._chains if _is_endless(c) and _is_outermost(c, self._chains)]
        counted = {id(call) for call in self._counted_calls()} if endless else set()
        written = {id(expr) for expr in self._written_loops()} if endless else set()
        for chain in endless:
            if chain.is_whole and chain.has("filter"):
                continue  # HW401 tells it
            if id(chain.end) in written:
                yield self._loop(chain)
            elif id(chain.end) in counted:
                yield self._count(chain)
            elif chain.is_whole:
                yield self._whole(chain)

    def _whole(self, chain: Chain) -> Finding:
        table = chain.table
        bounded = [i for i in table.indexes.values() if i.fields and not i.is_search]
        index = bounded[0] if bounded else None
        hint = (
            f'.with_index("{index.name}", {index.fields[0]}=...).take(100)'
            if index and index.fields
            else ".take(100), .paginate(options), .first() or .unique()"
        )
        node = self._node(chain)
        what = f"{table.class_name} is read whole, however large it grows"
        return self._facts.finding("HW402", what, self._function, node, fix=f"bound it: {hint}")

    def _count(self, chain: Chain) -> Finding:
        what = f"counts {chain.table.class_name} by reading all that is counted"
        return self._facts.finding(
            "HW402",
            what,
            self._function,
            self._node(chain),
            fix=_COUNT,
            severity=None if chain.is_whole else "warning",
        )

    def _loop(self, chain: Chain) -> Finding:
        what = f"writes every {chain.table.class_name} of an unbounded read in one transaction"
        fix = _BATCH.replace("<itself>", self._function.node.name)
        return self._facts.finding("HW406", what, self._function, self._node(chain), fix=fix)

    def _node(self, chain: Chain) -> ast.expr:
        if chain.loop is not None:
            return chain.loop.iter
        link = chain.links[-1] if chain.links else Link("query", chain.root)
        name = ast.Name(link.method, ast.Load())
        name.lineno, name.col_offset = link.line, link.col - 1
        return name

    def _counted_calls(self) -> Iterator[ast.expr]:
        """What stands in `len(await ...collect())`, also by a variable used for nothing else."""
        for call in self._function.scope.calls:
            if len(call.args) == 1 and self._facts.origin(call.func, self._function) == (
                "builtins.len"
            ):
                counted = self._value(call.args[0])
                if isinstance(counted, ast.Await):
                    yield counted.value

    def _value(self, expr: ast.expr) -> ast.expr:
        if not isinstance(expr, ast.Name):
            return expr
        bindings = self._function.scope.names.get(expr.id, [])
        if len(bindings) != 1 or not isinstance(bindings[0], Value):
            return expr
        uses = [n for n in walk(self._function.node) if getattr(n, "id", "") == expr.id]
        return bindings[0].expr if len(uses) == 2 else expr  # bound, and counted

    def _written_loops(self) -> Iterator[ast.expr]:
        """The reads of loops that write each document they are given."""
        for loop in walk(self._function.node):
            if isinstance(loop, ast.AsyncFor):
                read: ast.expr = loop.iter
            elif isinstance(loop, ast.For):
                read = self._assigned(loop.iter)
                read = read.value if isinstance(read, ast.Await) else read
            else:
                continue
            if _may_go_on(loop) and any(map(self._writes, walk(loop))):
                yield read

    def _assigned(self, expr: ast.expr) -> ast.expr:
        contexts = self._facts.contexts(self._function)
        value = contexts.assigned_once(expr.id) if isinstance(expr, ast.Name) else None
        return value or expr

    def _writes(self, node: ast.AST) -> bool:
        path = None
        if isinstance(node, ast.Call):
            path = self._facts.contexts(self._function).path(node.func)
        return path is not None and path[:1] == ("db",) and path[-1] in _WRITES


def _is_endless(chain: Chain) -> bool:
    """True for `.collect()`, and for a loop over a query that goes on to its end."""
    if chain.has("with_search_index"):
        return False  # limited by itself
    if chain.loop is not None:
        ends = ("take", "first", "unique", "paginate")
        return _may_go_on(chain.loop) and not any(map(chain.has, ends))
    return bool(chain.links) and chain.links[-1].method == "collect"


def _is_outermost(chain: Chain, chains: list[Chain]) -> bool:
    """False for a part of another chain, such as the query that a loop goes over."""
    return not any(
        other is not chain and other.root is chain.root and len(other.links) > len(chain.links)
        for other in chains
    )


def _may_go_on(loop: ast.AST) -> bool:
    """True for a loop that nothing inside ends early."""
    return not any(isinstance(node, ast.Break | ast.Return) for node in walk(loop))
