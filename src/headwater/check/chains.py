"""Chains of query methods, `ctx.db.query(Task).with_index(...).filter(...)`, as a list of links.

A chain may be split over variables that are assigned once. One that depends on anything else is
not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo, Project
from headwater.check.scopes import Value
from headwater.check.tables import Table, Tables
from headwater.core.equivalents import ENDS, STEPS
from headwater.core.names import python_name


@dataclass(frozen=True)
class Link:
    """One method call of a chain."""

    method: str
    call: ast.Call

    @property
    def line(self) -> int:
        """The line of the method's name: a chain over several lines is one expression."""
        return self.call.func.end_lineno or self.call.lineno

    @property
    def col(self) -> int:
        """The column of the method's name, from 1."""
        end = self.call.func.end_col_offset or 0
        return max(end - len(self.method), 0) + 1


@dataclass(frozen=True)
class Chain:
    """A query of one table: its links after `query(...)`, and whether it is run in the end.

    Attributes:
        root: the call of `query(...)`.
        end: the expression that is the whole chain.
        loop: what goes over it by `async for`, if anything does.
    """

    table: Table
    by_class: bool
    links: tuple[Link, ...]
    is_run: bool
    root: ast.Call
    end: ast.expr
    loop: ast.AsyncFor | ast.comprehension | None = None

    def has(self, method: str) -> bool:
        """True when a method is called somewhere in it."""
        return any(link.method == method for link in self.links)

    @property
    def is_whole(self) -> bool:
        """True when nothing but an order is said of what is to be read."""
        indexes = [link.call for link in self.links if link.method == "with_index"]
        return not any(call.keywords for call in indexes) and not self.has("with_search_index")

    def field(self, name: str) -> str:
        """A keyword as the table's class spells it; queries by table name take wire names too."""
        if self.by_class or name in self.table.fields:
            return name
        system = {"_creationTime": "creation_time", "_id": "id"}
        return system.get(name) or python_name(name)

    @property
    def is_known(self) -> bool:
        """True when every method is one of the builder's."""
        return all(link.method in STEPS | ENDS for link in self.links)


class ChainReader:
    """Finds the chains of one function."""

    def __init__(self, project: Project, tables: Tables, function: FunctionInfo) -> None:
        self._project, self._tables, self._function = project, tables, function

    def chains(self) -> Iterator[Chain]:
        """Every chain, as long as it can be followed; shorter parts of it too."""
        for call in self._function.scope.calls:
            chain = self._chain(call)
            if chain is not None:
                yield chain
        for loop in self._function.scope.loops:
            chain = self._chain(loop.iter, loop)
            if chain is not None:
                yield chain

    def _chain(
        self, end: ast.expr, loop: ast.AsyncFor | ast.comprehension | None = None
    ) -> Chain | None:
        links: list[Link] = []
        expr: ast.expr | None = end
        while expr is not None:
            if isinstance(expr, ast.Name):
                expr = self._assigned_once(expr.id)
                continue
            if not (isinstance(expr, ast.Call) and isinstance(expr.func, ast.Attribute)):
                return None
            if expr.func.attr == "query" and self._is_db(expr.func.value):
                return self._rooted(expr, links[::-1], end, loop)
            links.append(Link(expr.func.attr, expr))
            expr = expr.func.value if len(links) < 50 else None
        return None

    def _assigned_once(self, name: str) -> ast.expr | None:
        bindings = self._function.scope.names.get(name, [])
        only = bindings[0] if len(bindings) == 1 else None
        if not isinstance(only, Value) or isinstance(only.expr, ast.Name):
            return None
        inner = {node.id for node in walk(only.expr) if isinstance(node, ast.Name)}
        return None if name in inner else only.expr

    def _is_db(self, expr: ast.expr) -> bool:
        if isinstance(expr, ast.Name):
            value = self._assigned_once(expr.id)
            return value is not None and self._is_db(value)
        return isinstance(expr, ast.Attribute) and expr.attr == "db"

    def _rooted(
        self,
        root: ast.Call,
        links: list[Link],
        end: ast.expr,
        loop: ast.AsyncFor | ast.comprehension | None,
    ) -> Chain | None:
        if len(root.args) != 1 or root.keywords:
            return None
        wanted = root.args[0]
        by_class = not isinstance(wanted, ast.Constant)
        if isinstance(wanted, ast.Constant):
            table = self._tables.by_name(str(wanted.value))
        else:
            function = self._function
            origin = self._project.origin(wanted, function.module, function.scope)
            table = self._tables.by_class.get(origin or "")
        if table is None or not (links or loop):
            return None
        is_run = loop is not None or links[-1].method in ENDS
        return Chain(table, by_class, tuple(links), is_run, root, end, loop)
