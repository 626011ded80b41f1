"""HW205: what is asked of ctx is awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.contexts import Path
from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo
from headwater.check.scopes import Value
from headwater.rules import Finding

_ENDS = ("collect", "first", "unique", "take", "paginate")
_CALLS: dict[str, tuple[str, ...]] = {
    "db": ("get", "insert", "patch", "replace", "delete"),
    "scheduler": ("run_after", "run_at", "cancel"),
    "auth": ("get_user_identity", "require_identity"),
    "storage": ("get_url", "get_metadata", "generate_upload_url", "delete", "store", "get"),
}
_RUNS = ("run_query", "run_mutation", "run_action")


def check_awaits(facts: Facts) -> list[Finding]:
    """A finding for each call of ctx, or of an async helper, that certainly is never awaited."""
    return [
        finding
        for function in facts.project.functions.values()
        for finding in _Judge(facts, function).findings()
    ]


def is_coroutine(path: Path) -> bool:
    """True for the path of a ctx call that has to be awaited."""
    if len(path) < 2 or path[-1] != "()":
        return False
    *before, method, _ = path
    if not before:
        return method in _RUNS
    if before == ["db", "system"]:
        return method == "get"
    if len(before) == 1:
        return method in _CALLS.get(before[0], ())
    return before[0] == "db" and "query" in before and method in _ENDS


class _Judge:
    def __init__(self, facts: Facts, function: FunctionInfo) -> None:
        self._facts, self._function = facts, function
        self._parents: dict[int, ast.AST] = {}

    def findings(self) -> Iterator[Finding]:
        scope, contexts = self._function.scope, self._facts.contexts(self._function)
        dropped = {id(call) for call in scope.dropped}
        for call in scope.calls:
            if id(call) in scope.awaited:
                continue
            path = contexts.path(call) if contexts.kinds else None
            if path is not None and is_coroutine(path):
                name = "ctx." + ".".join(path).replace(".()", "()")
                if self._is_used_unawaited(call):
                    yield self._finding(call, f"{name} is not awaited")
            elif id(call) in dropped and path is None and self._is_async_helper(call):
                yield self._finding(
                    call,
                    f"{ast.unparse(call.func)}() is not awaited",
                    why="an async helper does nothing until it is awaited",
                )

    def _is_async_helper(self, call: ast.Call) -> bool:
        origin = self._facts.origin(call.func, self._function)
        helper = self._facts.project.functions.get(origin)
        if helper is None or origin in self._facts.registered:
            return False
        node = helper.node
        return isinstance(node, ast.AsyncFunctionDef) and not (
            node.decorator_list or _is_generator(node)
        )

    def _is_used_unawaited(self, call: ast.Call) -> bool:
        """True where a coroutine makes no sense. Handing one on, to gather() say, may be right."""
        parent = self._parent(call)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            target = parent.targets[0]
            return isinstance(target, ast.Name) and self._is_misused(target.id)
        if isinstance(parent, ast.Return):
            return self._is_returned_by_registered(parent)
        return _makes_no_sense(call, parent)

    def _is_misused(self, name: str) -> bool:
        """True if the variable is bound once and something looks into it as if it were a result."""
        bindings = self._function.scope.names.get(name, [])
        if len(bindings) != 1 or not isinstance(bindings[0], Value):
            return False
        used = [
            node
            for node in walk(self._function.node)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        parents = [self._parent(node) for node in used]
        if any(isinstance(parent, ast.Await) for parent in parents):
            return False
        return any(
            _makes_no_sense(node, parent) and not _is_method(parent)
            for node, parent in zip(used, parents, strict=True)
        )

    def _is_returned_by_registered(self, statement: ast.Return) -> bool:
        if self._function.qualname not in self._facts.registered:
            return False
        above = self._parent(statement)
        while not isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            above = self._parent(above)
        return above is self._function.node and isinstance(above, ast.AsyncFunctionDef)

    def _parent(self, node: ast.AST) -> ast.AST:
        if not self._parents:
            for above in walk(self._function.node):
                for below in ast.iter_child_nodes(above):
                    self._parents[id(below)] = above
        return self._parents.get(id(node), self._function.node)

    def _finding(self, call: ast.Call, what: str, why: str | None = None) -> Finding:
        return self._facts.finding("HW205", what, self._function, call, why=why)


def _makes_no_sense(node: ast.expr, parent: ast.AST) -> bool:
    if isinstance(parent, ast.Expr | ast.Attribute | ast.Compare | ast.BoolOp):
        return True
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        return parent.test is node
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension):
        return parent.iter is node
    return isinstance(parent, ast.Subscript) and parent.value is node


def _is_method(parent: ast.AST) -> bool:
    """The methods that coroutines have: closing one unawaited is right."""
    return isinstance(parent, ast.Attribute) and parent.attr in ("close", "send", "throw")


def _is_generator(node: ast.AsyncFunctionDef) -> bool:
    return any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in walk(node))
