"""The line of a declaration, found when a message needs it: `backend/schema.py:12`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path


def declared_at(module: str, *names: str) -> str:
    """Where a module binds a name, or a class of it binds one of its own.

    Args:
        module: the module's dotted name.
        names: such as `Task`, or `Task` and `by_owner`; none for the module as a whole.

    Returns:
        File and line; the file alone where the line is not found, for who made it at run time.
    """
    path = f"{module.replace('.', '/')}.py"
    body = _body(module)
    line = 0
    for name in names:
        node = next((node for node in body if _binds(node, name)), None)
        if node is None:
            break
        line = node.lineno
        body = node.body if isinstance(node, ast.ClassDef) else []
    return f"{path}:{line}" if line else path


def called_at() -> str:
    """The line outside of the runtime that runs now, for what is declared by a call."""
    frame = sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("headwater."):
        frame = frame.f_back
    return f"{str(frame.f_globals.get('__name__')).replace('.', '/')}.py:{frame.f_lineno}"


def _body(module: str) -> list[ast.stmt]:
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return ast.parse(Path(file).read_bytes()).body if file else []
    except (OSError, SyntaxError, ValueError):
        return []


def _binds(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name == name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
