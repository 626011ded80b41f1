"""Which fields of a table say whose a document is, and which arguments are stored in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.project import FunctionInfo
from headwater.check.scopes import Typed

_NAMES = {"owner", "owner_id", "user_id", "author_id", "created_by"}  # an author may be a pen name

Field = tuple[str, str]
"""A table's class, by its dotted name, and a field."""


def identity_fields(facts: Facts) -> set[Field]:
    """Fields that somewhere in the backend get something of `ctx.auth`, or are read by it."""
    found: set[Field] = set()
    for function, call in facts.calls():
        for place, keyword in _given(facts, function, call):
            if _is_identity(facts, function, keyword.value):
                found.add(place)
    return found


def stored_owner(facts: Facts, function: FunctionInfo, known: set[Field]) -> ast.arg | None:
    """The first argument of a function that it stores as whose a new document is."""
    args = function.node.args
    own = {arg.arg: arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    for call in function.scope.calls:
        for place, keyword in _given(facts, function, call, reads=False):
            name = keyword.value.id if isinstance(keyword.value, ast.Name) else ""
            unchanged = all(isinstance(b, Typed) for b in function.scope.names.get(name, []))
            if name in own and unchanged and (place in known or place[1] in _NAMES):
                return own[name]
    return None


def _given(
    facts: Facts, function: FunctionInfo, call: ast.Call, *, reads: bool = True
) -> Iterator[tuple[Field, ast.keyword]]:
    """The fields that a call gives values: `Task(...)`, and `.with_index(...)` of a query."""
    name = facts.origin(call.func, function) if call.keywords else ""
    if name in facts.tables.by_class:
        yield from (((name, each.arg), each) for each in call.keywords if each.arg)
    elif reads and getattr(call.func, "attr", "") == "with_index":
        for table, keywords in _read(facts, function, call):
            yield from (((table, each.arg), each) for each in keywords if each.arg)


def _read(
    facts: Facts, function: FunctionInfo, call: ast.Call
) -> Iterator[tuple[str, list[ast.keyword]]]:
    names = {id(table): name for name, table in facts.tables.by_class.items()}
    for chain in facts.chains(function):
        if any(link.call is call for link in chain.links):
            yield names[id(chain.table)], call.keywords
            return


def _is_identity(facts: Facts, function: FunctionInfo, expr: ast.expr, depth: int = 0) -> bool:
    """`identity.subject`, where identity came from `await ctx.auth.…()`; variables are followed."""
    if depth > 5:
        return False
    contexts = facts.contexts(function)
    if isinstance(expr, ast.Name):
        value = contexts.assigned_once(expr.id)
        return value is not None and _is_identity(facts, function, value, depth + 1)
    if isinstance(expr, ast.Attribute | ast.Await):
        return _is_identity(facts, function, expr.value, depth + 1)
    path = contexts.path(expr) if contexts.kinds else None
    return path is not None and path[:1] == ("auth",)
