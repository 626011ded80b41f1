"""HW405: names and literals in writes fit the table, ids are ids, lists do not grow for ever."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.project import FunctionInfo, unquoted
from headwater.check.scopes import Typed
from headwater.check.tables import Table
from headwater.rules import Finding

_BY_ID = {"get", "patch", "replace", "delete"}


def check_types(facts: Facts) -> list[Finding]:
    """Findings about what is written to tables, and about the types of ids."""
    return [finding for function, call in facts.calls() for finding in _call(facts, function, call)]


def _call(facts: Facts, function: FunctionInfo, call: ast.Call) -> Iterator[Finding]:
    contexts = facts.contexts(function)
    path = contexts.path(call.func) if contexts.kinds else None
    if path is not None and len(path) == 2 and path[0] == "db" and path[1] in _BY_ID:
        yield from _id(facts, function, call, path[1])
        if path[1] == "patch":
            yield from _patch(facts, function, call)
    elif path is None and call.keywords:
        table = facts.tables.by_class.get(facts.origin(call.func, function))
        if table is not None and not call.args:
            yield from _fields(facts, function, call, table, f"{table.class_name}()")


def _id(facts: Facts, function: FunctionInfo, call: ast.Call, method: str) -> Iterator[Finding]:
    """A text where an id is wanted, as an argument of the function says it."""
    given = call.args[0] if call.args else None
    single = len(call.args) == (2 if method == "replace" else 1)
    annotation = _annotation(function, given) if single else None
    origin = annotation and facts.project.origin(unquoted(annotation), function.module)
    if origin == "builtins.str" and isinstance(given, ast.Name):
        yield facts.finding(
            "HW405",
            f"{given.id} is a str where ctx.db.{method}() takes an id",
            function,
            given,
            why="an Id is checked when the call arrives; a text may name any table or none",
            fix=f"declare it as {given.id}: Id[Task], with the table's class",
        )


def _patch(facts: Facts, function: FunctionInfo, call: ast.Call) -> Iterator[Finding]:
    table = _table_of(facts, function, call.args[0]) if len(call.args) == 1 else None
    if table is not None:
        yield from _fields(facts, function, call, table, "patch()")
        yield from _growing(facts, function, call, table)


def _table_of(facts: Facts, function: FunctionInfo, given: ast.expr) -> Table | None:
    """The table of `task_id: Id[Task]`."""
    annotation = _annotation(function, given)
    annotation = unquoted(annotation) if annotation is not None else None
    if not isinstance(annotation, ast.Subscript):
        return None
    if facts.project.origin(annotation.value, function.module) != "headwater.Id":
        return None
    named = unquoted(annotation.slice)
    return facts.tables.by_class.get(facts.project.origin(named, function.module) or "")


def _annotation(function: FunctionInfo, given: ast.expr | None) -> ast.expr | None:
    if not isinstance(given, ast.Name):
        return None
    bindings = function.scope.names.get(given.id, [])
    only = bindings[0] if len(bindings) == 1 else None
    return only.annotation if isinstance(only, Typed) else None


def _fields(
    facts: Facts, function: FunctionInfo, call: ast.Call, table: Table, where: str
) -> Iterator[Finding]:
    for keyword in call.keywords:
        name = keyword.arg
        if name is None or not table.certain:
            continue
        if name not in table.fields | {"id", "creation_time"} and not _is_wire(name):
            close = difflib.get_close_matches(name, sorted(table.fields), n=1)
            listed = f"fields of {table.class_name}: {', '.join(sorted(table.fields))}"
            yield facts.finding(
                "HW405",
                f'{where}: {table.class_name} has no field "{name}"',
                function,
                keyword,
                why="a document holds the fields its table declares, and no others",
                fix=f'did you mean "{close[0]}"?' if close else listed,
            )
            continue
        yield from _choice(facts, function, table, keyword)


def _choice(
    facts: Facts, function: FunctionInfo, table: Table, keyword: ast.keyword
) -> Iterator[Finding]:
    """A word that the field's Literal does not have."""
    choices = sorted(map(str, table.literals.get(keyword.arg or "", ())))
    word = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
    if choices and isinstance(word, str) and word not in choices:
        close = difflib.get_close_matches(word, choices, n=1)
        listed = ", ".join(f'"{choice}"' for choice in choices)
        yield facts.finding(
            "HW405",
            f'{table.class_name}.{keyword.arg} is never "{word}"',
            function,
            keyword.value,
            why=f"it is one of {listed}",
            fix=f'did you mean "{close[0]}"?' if close else f"one of {listed}",
        )


def _is_wire(name: str) -> bool:
    """Names with a capital are wire names, which a constructor takes as well."""
    return name != name.lower() or name.startswith("_")


def _growing(
    facts: Facts, function: FunctionInfo, call: ast.Call, table: Table
) -> Iterator[Finding]:
    """`items=[*doc.items, new]`: a list in a document that only gets longer."""
    for keyword in call.keywords:
        value, name = keyword.value, keyword.arg
        parts: list[ast.expr] = []
        if isinstance(value, ast.List) and len(value.elts) > 1:
            parts = [item.value for item in value.elts if isinstance(item, ast.Starred)]
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            is_list = isinstance(value.right, ast.List) or isinstance(value.left, ast.List)
            parts = [value.left, value.right] if is_list else []
        if any(isinstance(part, ast.Attribute) and part.attr == name for part in parts):
            yield facts.finding(
                "HW405",
                f"{table.class_name}.{name} grows with every call",
                function,
                keyword,
                why="the whole list is read and written each time, and a document has a limit",
                fix=f"a table of its own, one document per entry, with an Id[{table.class_name}]\n"
                "and an index by it; or keep the newest only: [...][-20:]",
                severity="warning",
            )
