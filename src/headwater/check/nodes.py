"""Walking a syntax tree, faster than `ast.walk`: most of what a check takes is to look at nodes."""

from __future__ import annotations

import ast

_NO_NODES = {"ctx", "op", "ops", "id", "attr", "arg", "name", "kind", "level", "type_comment"}
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Constant: (),
    ast.alias: (),
    ast.Import: (),
    ast.ImportFrom: (),
    ast.Global: (),
    ast.Nonlocal: (),
    ast.arg: ("annotation",),
    ast.keyword: ("value",),
}


def node_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that hold nodes a rule may look at; operators are none."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _NO_NODES)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """The node and all below it, the nearest first; without imported names and operators."""
    found = [node]
    for parent in found:
        for name in node_fields(parent.__class__):
            value = getattr(parent, name, None)
            if value.__class__ is list:
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found
