"""Which fields the functions of `.filter()` hold to one value: what an index could choose by."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.chains import Chain
from headwater.check.nodes import walk


def equal_fields(chain: Chain) -> list[str]:
    """Fields that every document of a chain's filters has one value of; flags come last.

    `not task.done` says as much as `task.done == False`, where `done` is a bool.
    """
    calls = [link.call for link in chain.links if link.method == "filter"]
    found = [each for call in calls for each in _of_filter(chain, call)]
    named = dict.fromkeys(name for name in found if name in chain.table.fields)
    return sorted(named, key=lambda name: name in chain.table.flags)


def _of_filter(chain: Chain, call: ast.Call) -> Iterator[str]:
    predicate = call.args[0] if call.args else None
    if isinstance(predicate, ast.Lambda) and len(predicate.args.args) == 1:
        parameter = predicate.args.args[0].arg
        for condition in _all_of(predicate.body):
            yield from _compared(condition, parameter)
            flag = _field(_negated(condition), parameter)
            if flag in chain.table.flags:
                yield flag


def _all_of(test: ast.expr) -> Iterator[ast.expr]:
    """The conditions that hold together: `a and b` is both, `a or b` is neither."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            yield from _all_of(part)
    else:
        yield test


def _compared(test: ast.expr, parameter: str) -> Iterator[str]:
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.Is):
        sides = (test.left, test.comparators[0])
        for side, other in (sides, sides[::-1]):
            name = _field(side, parameter)
            if len(test.ops) == 1 and name and not _mentions(other, parameter):
                yield name


def _negated(test: ast.expr) -> ast.expr:
    return test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else test


def _field(expr: ast.expr, parameter: str) -> str:
    owner = expr.value if isinstance(expr, ast.Attribute) else None
    is_own = isinstance(owner, ast.Name) and owner.id == parameter
    return expr.attr if is_own and isinstance(expr, ast.Attribute) else ""


def _mentions(expr: ast.expr, parameter: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == parameter for node in walk(expr))
