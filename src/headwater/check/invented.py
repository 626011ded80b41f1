"""HW403: only the methods that queries and `ctx.db` have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from headwater.check.contexts import Path
from headwater.check.facts import Facts
from headwater.check.project import FunctionInfo
from headwater.core.equivalents import ENDS, READS, STEPS, WRITES, instead_of
from headwater.rules import Finding

_KNOWN = READS | WRITES
_MAPPERS = frozenset(
    {"objects", "query", "select", "find", "find_one", "find_many", "filter", "where", "all"}
    | {"get", "get_or_none", "create", "insert_many", "update", "delete", "count", "bulk_create"}
)


def check_invented(facts: Facts) -> list[Finding]:
    """A finding for each method that is none, and for each call in the form of another database."""
    return [finding for function, call in facts.calls() for finding in _call(facts, function, call)]


def _call(facts: Facts, function: FunctionInfo, call: ast.Call) -> Iterator[Finding]:
    if not isinstance(call.func, ast.Attribute):
        return
    contexts = facts.contexts(function)
    path = contexts.path(call.func) if contexts.kinds else None
    if path is None:
        yield from _mapper(facts, function, call)
    elif path[0] == "db" and contexts.root_kinds(call.func) <= {"query", "mutation"}:
        yield from _method(facts, function, call, path)


def _method(facts: Facts, function: FunctionInfo, call: ast.Call, path: Path) -> Iterator[Finding]:
    unknown = _unknown(path)
    if unknown:
        name, of_query = unknown
        owner = "a query" if of_query else "ctx.db"
        what = f"{owner} has no method {name}()"
        yield facts.finding(
            "HW403", what, function, _place(call), fix=instead_of(name, query=of_query)
        )
        return
    entry = facts.registered.get(function.qualname)
    if len(path) == 2 and path[1] in WRITES and entry is not None and entry.kind == "query":
        what = f"a query writes: ctx.db.{path[1]}()"
        fix = f"make {function.node.name} a @mutation, with ctx: MutationCtx"
        why = "the ctx.db of a query only reads"
        yield facts.finding("HW403", what, function, _place(call), why=why, fix=fix)
    elif "query" in path and path[-1] in STEPS:
        yield from _shape(facts, function, call, path[-1])


def _unknown(path: Path) -> tuple[str, bool] | None:
    """The first name of a path that is no method, told at the innermost call that has it."""
    start = 2 if path[1:2] == ("system",) else 1
    if len(path) <= start or path[start].startswith("__"):
        return None
    if path[start] not in _KNOWN:
        return None if "()" in path[start:] else (path[start], False)
    if path[start] != "query" or path[start + 1 : start + 2] != ("()",):
        return None
    methods = [name for name in path[start + 1 :] if name != "()"]
    wrong = next((name for name in methods if name not in STEPS | ENDS), None)
    if wrong is None or wrong.startswith("__") or path[-1] != wrong:
        return None
    before_end = methods[: methods.index(wrong)]
    return None if any(name in ENDS for name in before_end) else (wrong, True)


def _shape(facts: Facts, function: FunctionInfo, call: ast.Call, method: str) -> Iterator[Finding]:
    """Known methods, called as elsewhere."""
    second = call.args[1] if len(call.args) > 1 else None
    first = call.args[0] if call.args else None
    if method == "with_index" and isinstance(second, ast.Lambda):
        what, fix = (
            "with_index() takes no function",
            "give values by name: .with_index(name, field=value, other__gte=value)",
        )
        yield facts.finding("HW403", what, function, second, fix=fix)
    elif method == "filter" and (isinstance(first, ast.Compare) or (call.keywords and not first)):
        what = "filter() takes a function of one document"
        fix = "choose by index: .with_index(name, field=value); or .filter(lambda d: d.field == x)"
        yield facts.finding("HW403", what, function, first or _place(call), fix=fix)
    elif method == "order" and _is_no_direction(first):
        what = f"order() takes a direction, not {ast.unparse(first)}"
        fix = 'choose the index for its order, then .order("asc") or .order("desc")'
        yield facts.finding("HW403", what, function, first, fix=fix)


def _is_no_direction(given: ast.expr | None) -> TypeGuard[ast.Constant]:
    return isinstance(given, ast.Constant) and given.value not in ("asc", "desc")


def _mapper(facts: Facts, function: FunctionInfo, call: ast.Call) -> Iterator[Finding]:
    """`Task.objects.filter(...)`: a table's class has no methods that read or write."""
    origin = facts.origin(call.func, function)
    for qualname, table in facts.tables.by_class.items():
        if not origin.startswith(f"{qualname}."):
            continue
        name, _, rest = origin[len(qualname) + 1 :].partition(".")
        own = f"{qualname}.{name}" in facts.project.functions
        if name in _MAPPERS and "()" not in rest and not own and table.certain:
            what = f"{table.class_name}.{name} does not exist"
            fix = f"go through ctx.db: {instead_of('select', query=False).split(': ', 1)[1]}"
            fix = fix.replace("Task", table.class_name)
            yield facts.finding("HW403", what, function, call, fix=fix)


def _place(call: ast.Call) -> ast.expr:
    """The name of the method: a chain over several lines is one expression."""
    func = call.func
    assert isinstance(func, ast.Attribute)
    line, end = func.end_lineno or func.lineno, func.end_col_offset or 0
    name = ast.Name(func.attr, ast.Load())
    name.lineno, name.col_offset = line, max(end - len(func.attr), 0)
    return name
