"""Which expressions of a function are its `ctx`, or are reached through it.

`path` gives `ctx.db.query(Task).take(5)` as `("db", "query", "()", "take", "()")`, also where parts
of it stand in variables that are assigned once. None means "not sure".
"""

from __future__ import annotations

import ast

from headwater.check.project import FunctionInfo, Module, Project, unquoted
from headwater.check.registered import Registered
from headwater.check.scopes import Binding, Typed, Value

KINDS = {
    "headwater.QueryCtx": "query",
    "headwater.MutationCtx": "mutation",
    "headwater.ActionCtx": "action",
    "headwater.HttpCtx": "route",
}
Path = tuple[str, ...]
_DEPTH = 20


class Contexts:
    """The ctx of one function.

    Attributes:
        kinds: for each name that is a ctx, the kinds of function it may come from.
    """

    def __init__(
        self, project: Project, function: FunctionInfo, entry: Registered | None = None
    ) -> None:
        self._project, self._function = project, function
        self._names = function.scope.names
        self._paths: dict[int, Path | None] = {}
        self.kinds = {
            name: kinds
            for name, bindings in self._names.items()
            if (kinds := self._bound_kinds(bindings))
        }
        first = _first_parameter(function)
        if entry is not None and first is not None and self._is_only_parameter(first):
            self.kinds[first] = frozenset({entry.kind})

    def path(self, expr: ast.expr, depth: int = 0) -> Path | None:
        """The way from ctx to an expression; empty for ctx itself, None for anything else."""
        key = id(expr)
        if key not in self._paths:
            self._paths[key] = self._path(expr, depth)
        return self._paths[key]

    def _path(self, expr: ast.expr, depth: int) -> Path | None:
        if depth > _DEPTH:
            return None
        if isinstance(expr, ast.Name):
            if expr.id in self.kinds:
                return ()
            value = self.assigned_once(expr.id)
            return None if value is None else self.path(value, depth + 1)
        if isinstance(expr, ast.Attribute):
            base = self.path(expr.value, depth + 1)
            return None if base is None else (*base, expr.attr)
        if isinstance(expr, ast.Call):
            base = self.path(expr.func, depth + 1)
            return None if base is None else (*base, "()")
        return None

    def root_kinds(self, expr: ast.expr, depth: int = 0) -> frozenset[str]:
        """The kinds of the ctx that an expression is reached through."""
        while isinstance(expr, ast.Attribute | ast.Call):
            expr = expr.value if isinstance(expr, ast.Attribute) else expr.func
        if not isinstance(expr, ast.Name) or depth > _DEPTH:
            return frozenset()
        if expr.id in self.kinds:
            return self.kinds[expr.id]
        value = self.assigned_once(expr.id)
        return frozenset() if value is None else self.root_kinds(value, depth + 1)

    def assigned_once(self, name: str) -> ast.expr | None:
        """What a variable of the function is, if it is bound only once, by an assignment."""
        bindings = self._names.get(name, [])
        only = bindings[0] if len(bindings) == 1 else None
        return only.expr if isinstance(only, Value) else None

    def _bound_kinds(self, bindings: list[Binding]) -> frozenset[str]:
        found = [
            annotation_kinds(self._project, b.annotation, self._function.module)
            if isinstance(b, Typed)
            else frozenset()
            for b in bindings
        ]
        return frozenset().union(*found) if all(found) else frozenset()

    def _is_only_parameter(self, name: str) -> bool:
        return len(self._names.get(name, [])) == 1 or name in self.kinds


def annotation_kinds(
    project: Project, annotation: ast.expr, module: Module, depth: int = 0
) -> frozenset[str]:
    """The kinds of ctx an annotation names, `QueryCtx | ActionCtx` and aliases included."""
    annotation = unquoted(annotation)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = (annotation.left, annotation.right)
        found = [annotation_kinds(project, side, module, depth + 1) for side in sides]
        return found[0] | found[1] if all(found) else frozenset()
    kind = KINDS.get(project.origin(annotation, module) or "")
    if kind is not None:
        return frozenset({kind})
    if isinstance(annotation, ast.Name) and depth < _DEPTH:
        bindings = module.scope.names.get(annotation.id, [])
        only = bindings[0] if len(bindings) == 1 else None
        if isinstance(only, Value) and isinstance(only.expr, ast.BinOp):
            return annotation_kinds(project, only.expr, module, depth + 1)
    return frozenset()


def _first_parameter(function: FunctionInfo) -> str | None:
    args = function.node.args
    positional = [*args.posonlyargs, *args.args]
    return positional[0].arg if positional else None
