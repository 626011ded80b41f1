"""Which functions are registered as query, mutation or action, and what clients call them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.check.project import FunctionInfo, Module, Project
from headwater.check.scopes import Value
from headwater.core.names import wire_name

_DECORATORS = {
    f"headwater.{prefix}{kind}": (kind, bool(prefix))
    for kind in ("query", "mutation", "action")
    for prefix in ("", "internal_")
}


@dataclass(frozen=True)
class Registered:
    """A registered function.

    Attributes:
        kind: query, mutation or action.
        path: what clients call it.
        is_internal: clients may not call it.
        is_wrapped: other decorators below change what is registered.
        is_reference: its name in the module is the registered function, not the plain one.
    """

    function: FunctionInfo
    kind: str
    path: str
    is_internal: bool
    is_wrapped: bool
    is_reference: bool = False

    @property
    def is_transaction(self) -> bool:
        """True for queries and mutations."""
        return self.kind != "action"


def registered_functions(project: Project) -> dict[str, Registered]:
    """Every registered function by its dotted name."""
    found: dict[str, Registered] = {}
    for qualname, function in project.functions.items():
        entry = _decorated(project, function)
        if entry is not None:
            found[qualname] = entry
    for module in project.modules.values():
        for entry in _assigned(project, module):
            found.setdefault(entry.function.qualname, entry)
    return found


def _decorated(project: Project, function: FunctionInfo) -> Registered | None:
    decorators = function.node.decorator_list
    for place, decorator in enumerate(decorators):
        call = decorator if isinstance(decorator, ast.Call) else None
        kind = _kind(project, call.func if call else decorator, function.module)
        if kind is not None:
            path, is_wrapped = _path(function, _wire_name(call)), len(decorators) > place + 1
            return Registered(function, kind[0], path, kind[1], is_wrapped, place == 0)
    return None


def _assigned(project: Project, module: Module) -> Iterator[Registered]:
    """`get = query(_get)` and `get = query(name="get")(_get)` at the top of a module."""
    for bound, bindings in module.scope.names.items():
        for binding in bindings:
            call = binding.expr if isinstance(binding, Value) else None
            if not (isinstance(call, ast.Call) and len(call.args) == 1):
                continue
            maker = call.func if isinstance(call.func, ast.Call) else None
            kind = _kind(project, maker.func if maker else call.func, module)
            origin = project.origin(call.args[0], module) if kind else None
            function = project.functions.get(origin or "")
            if kind and function:
                name = _wire_name(maker or call) or bound
                yield Registered(function, kind[0], _path(function, name), kind[1], False)


def _kind(project: Project, decorator: ast.expr, module: Module) -> tuple[str, bool] | None:
    return _DECORATORS.get(project.origin(decorator, module) or "")


def _wire_name(call: ast.Call | None) -> str:
    for keyword in call.keywords if call else []:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _path(function: FunctionInfo, name: str) -> str:
    return f"{function.module.source.wire_module}:{name or wire_name(function.node.name)}"
