"""What a mutant changes: each operator takes a node of the code and gives what may take its place.

Operators of the field (comparisons, booleans, numbers, deleted statements) and of this domain: a
bound dropped from an index range, `internal_` swapped for public, a check moved behind the write it
guards.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from typing import Final

Change = tuple[str, ast.AST | None]
"""An operator's name, and the node that takes the place of another; None takes it away."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def changes(node: ast.AST, definition: Definition) -> Iterator[Change]:
    """Everything that may stand in the place of one node of a definition."""
    for operator in _OPERATORS:
        yield from operator(node)
    if node in definition.decorator_list:
        yield from _visibility(node)


_COMPARED: Final[dict[type[ast.cmpop], Sequence[type[ast.cmpop]]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COUNTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_TURNED: Final = {"asc": "desc", "desc": "asc"}


def _comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in _COMPARED.get(type(node.ops[0]), ()):
            yield "comparison", ast.Compare(node.left, [kind()], node.comparators)


def _boolean(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        for at in range(len(node.values)):
            rest = [*node.values[:at], *node.values[at + 1 :]]
            yield "condition dropped", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and/or", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", node.operand


def _branch(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.IfExp):
        yield "one branch", node.body
        yield "one branch", node.orelse
    elif isinstance(node, ast.If) and node.orelse:
        for value in (False, True):
            word = "always" if value else "never"
            made = ast.If(ast.Constant(value), node.body, node.orelse)
            yield f"branch {word} taken", made


def _constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and type(node.op) in _COUNTED:
        yield "arithmetic", ast.BinOp(node.left, _COUNTED[type(node.op)](), node.right)
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield "boolean", ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield "number", ast.Constant(node.value + 1)
    elif node.value in _TURNED:
        yield "order", ast.Constant(_TURNED[str(node.value)])


def _statement(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Await | ast.ListComp):
        yield "nothing returned", ast.Return(ast.Constant(None))
    if isinstance(node, ast.Expr):
        gone = not isinstance(node.value, ast.Constant)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        gone = _called(node.value).endswith("Index")
    else:
        gone = isinstance(node, ast.Raise | ast.AugAssign | ast.Continue | ast.Break)
        gone = gone or (isinstance(node, ast.If) and not node.orelse)
    if gone:
        yield "deleted", None


def _declaration(node: ast.AST) -> Iterator[Change]:
    """A type that says less: no constraint, no absence, one member fewer of a union."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield "union narrowed", node.left
    if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)):
        return
    name, parts = ast.unparse(node.value), node.slice.elts
    if name == "Annotated":
        yield "constraint dropped", parts[0]
    elif name == "Literal":
        fewer = ast.Tuple(parts[:-1], ast.Load())
        yield "member dropped", ast.Subscript(node.value, fewer, ast.Load())


_NAMED: Final = {
    "with_index": "bound dropped",
    "with_search_index": "bound dropped",
    "patch": "field dropped",
}


def _database(node: ast.AST) -> Iterator[Change]:
    """A bound less in an index range, a field less in a patch, a step less in a chain."""
    if not isinstance(node, ast.Call):
        return
    name = _called(node)
    if name in _NAMED:
        for at in range(len(node.keywords)):
            rest = [*node.keywords[:at], *node.keywords[at + 1 :]]
            yield _NAMED[name], ast.Call(node.func, node.args, rest)
    if name == "Index" and len(node.args) > 1:
        yield "fields turned round", ast.Call(node.func, node.args[::-1], node.keywords)
        yield "last field dropped", ast.Call(node.func, node.args[:-1], node.keywords)
    if isinstance(node.func, ast.Attribute) and name in ("order", "filter"):
        yield "step dropped", node.func.value
    if isinstance(node.func, ast.Attribute) and name == "take":
        everything = ast.Attribute(node.func.value, "collect", ast.Load())
        yield "limit dropped", ast.Call(everything, [], [])


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


_OPERATORS: Final = (
    _comparison,
    _boolean,
    _branch,
    _constant,
    _statement,
    _declaration,
    _database,
)


def _visibility(node: ast.AST) -> Iterator[Change]:
    """`internal_` swapped for public, and back."""
    if isinstance(node, ast.Call):
        for what, other in _visibility(node.func):
            if isinstance(other, ast.expr):
                yield what, ast.Call(other, node.args, node.keywords)
    elif isinstance(node, ast.Name):
        bare = node.id.removeprefix("internal_")
        if bare in ("query", "mutation", "action"):
            turned = bare if node.id != bare else f"internal_{bare}"
            yield "visibility", ast.Name(turned, ast.Load())


_WRITES: Final = ("insert", "patch", "replace", "delete")


def late_checks(definition: Definition) -> Iterator[tuple[ast.stmt, Definition]]:
    """Each check that stands before a write, and the definition with it behind the last write."""
    if isinstance(definition, ast.ClassDef):
        return
    writes = [at for at, step in enumerate(definition.body) if _has_write(step)]
    for at, step in enumerate(definition.body):
        if writes and at < writes[-1] and _is_check(step):
            made = copy.deepcopy(definition)
            _put_after(made.body, made.body.pop(at), writes[-1] - 1)
            yield step, ast.fix_missing_locations(made)


def _put_after(body: list[ast.stmt], check: ast.stmt, at: int) -> None:
    last = body[at]
    if isinstance(last, ast.Return):  # the write is what is returned: keep it, check, return it
        kept = ast.Assign([ast.Name("written", ast.Store())], last.value or ast.Constant(None))
        body[at:] = [kept, check, ast.Return(ast.Name("written", ast.Load()))]
    else:
        body.insert(at + 1, check)


def _is_check(step: ast.stmt) -> bool:
    """`if ...: raise`, or an awaited call whose result nobody takes."""
    if isinstance(step, ast.If):
        return not step.orelse and isinstance(step.body[-1], ast.Raise)
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Await) and not _has_write(step)


def _has_write(step: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _WRITES
        and ast.unparse(node.func.value).endswith(".db")
        for node in ast.walk(step)
    )
