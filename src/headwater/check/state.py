"""HW206: what a module remembers, changed by a query, a mutation or a helper of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.offences import Offence
from headwater.check.project import FunctionInfo, Module
from headwater.check.scopes import Imported, Value

_MADE_BY = {
    "builtins": "dict list set bytearray",
    "collections": "defaultdict deque Counter OrderedDict",
    "weakref": "WeakValueDictionary WeakKeyDictionary",
    "cachetools": "TTLCache LRUCache",
}
_MAKERS = {f"{module}.{name}" for module, names in _MADE_BY.items() for name in names.split()}
_CHANGES = {
    *("append", "appendleft", "add", "update", "setdefault", "pop", "popitem", "popleft", "clear"),
    *("extend", "extendleft", "insert", "remove", "discard"),
}
_CACHES = {"functools.lru_cache", "functools.cache", "cachetools.cached", "async_lru.alru_cache"}
_WHY = dict.fromkeys(
    ("query", "mutation"), "what a module remembers is in no transaction, and no query watches it"
)
_FIX = {
    "query": "keep it in a table and read it through ctx.db; equal queries are run once anyway",
    "mutation": "keep it in a table, and write it with ctx.db.insert() or ctx.db.patch()",
}


class StateReader:
    """Finds what functions do to the variables of modules."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._mutable: dict[str, frozenset[str]] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def offences(self, function: FunctionInfo) -> Iterator[Offence]:
        """Each change of a module's variable, and a cache around what reads the database."""
        yield from self._cached(function)
        names = self._reachable(function.module)
        if not names and "global" not in function.module.source.text:
            return
        for node in walk(function.node):
            name = _assigned_global(node, function) or self._changed(node, names, function)
            if name and isinstance(node, ast.stmt | ast.expr):
                yield _offence(node, f"changes {name}, a variable of the module")

    def _changed(self, node: ast.AST, names: frozenset[str], function: FunctionInfo) -> str:
        """The module's variable that a node changes in place, or an empty string."""
        owner: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value if node.func.attr in _CHANGES else None
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            owner = node.value
        while isinstance(owner, ast.Subscript):
            owner = owner.value
        if isinstance(owner, ast.Name) and owner.id in names:
            return "" if owner.id in function.scope.names else owner.id
        return ""

    def _reachable(self, module: Module) -> frozenset[str]:
        """The names in a module that are containers of its own or of another module."""
        if module.name not in self._reached:
            self._reached[module.name] = self._find_reachable(module)
        return self._reached[module.name]

    def _find_reachable(self, module: Module) -> frozenset[str]:
        found = set(self._own(module))
        for name, bindings in module.scope.names.items():
            dotted = bindings[0].dotted if isinstance(bindings[0], Imported) else ""
            home, _, wanted = dotted.rpartition(".")
            if home in self._facts.project.modules:
                other = self._own(self._facts.project.modules[home])
                found |= {name} if wanted in other and len(bindings) == 1 else set()
        return frozenset(found)

    def _own(self, module: Module) -> frozenset[str]:
        if module.name not in self._mutable:
            self._mutable[module.name] = frozenset(
                name
                for name, bindings in module.scope.names.items()
                if any(
                    isinstance(b, Value) and self._is_container(b.expr, module) for b in bindings
                )
            )
        return self._mutable[module.name]

    def _is_container(self, expr: ast.expr, module: Module) -> bool:
        if isinstance(expr, ast.Call):
            return self._facts.project.origin(expr.func, module) in _MAKERS
        return isinstance(expr, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp)

    def _cached(self, function: FunctionInfo) -> Iterator[Offence]:
        """A cache around a helper that takes ctx keeps what one call read for all others."""
        for decorator in function.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            origin = self._facts.project.origin(called, function.module)
            if origin in _CACHES and self._facts.contexts(function).kinds:
                name = function.node.name
                yield _offence(decorator, f"{name} keeps what it read for later calls")


def _assigned_global(node: ast.AST, function: FunctionInfo) -> str:
    """The variable a `global` statement opens for assignment."""
    if not isinstance(node, ast.Global):
        return ""
    return next((n for n in node.names if n in function.module.scope.names), node.names[0])


def _offence(node: ast.stmt | ast.expr, what: str) -> Offence:
    return Offence("HW206", node, what, _WHY, _FIX)
