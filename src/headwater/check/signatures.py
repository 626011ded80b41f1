"""HW103: every registered function is async, takes ctx first, and types what it takes and gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.project import FunctionInfo, Module, Project, unquoted
from headwater.check.registered import Registered
from headwater.rules import Finding, rule

_UNCHECKED = {
    f"{module}.{name}": name
    for module, names in {
        "typing": "Any Dict List Set FrozenSet Tuple Mapping MutableMapping Sequence Iterable",
        "typing_extensions": "Any",
        "builtins": "dict list set frozenset tuple",
        "collections.abc": "Mapping MutableMapping Sequence Iterable Collection",
    }.items()
    for name in names.split()
}
_CONTAINERS = {*_UNCHECKED, "typing.Optional", "typing.Union", "headwater.PaginationResult"}


def check_signatures(project: Project, registered: dict[str, Registered]) -> list[Finding]:
    """A finding for each thing a signature leaves open.

    Another decorator below the registering one may change the signature: then nothing is said.
    """
    judged = (entry for entry in registered.values() if not entry.is_wrapped)
    return [finding for entry in judged for finding in _signature(project, entry)]


def _signature(project: Project, entry: Registered) -> Iterator[Finding]:
    node, module = entry.function.node, entry.function.module
    if isinstance(node, ast.FunctionDef):
        fix = f"write `async def {node.name}(...)`"
        yield _finding(entry, node, f"{node.name} is not async", fix=fix)
    first, others = _parameters(node)
    if not _takes_ctx(project, module, first):
        yield _without_ctx(entry, first)
        others = [first, *others] if first and first.annotation else others
    for arg in others:
        yield from _parameter(project, entry, arg)
    yield from _variadic(entry)
    yield from _returns(project, entry)


def _parameters(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
) -> tuple[ast.arg | None, list[ast.arg]]:
    positional = [*node.args.posonlyargs, *node.args.args]
    if not positional:
        return None, node.args.kwonlyargs
    return positional[0], [*positional[1:], *node.args.kwonlyargs]


def _takes_ctx(project: Project, module: Module, first: ast.arg | None) -> bool:
    if first is None:
        return False
    if first.arg.strip("_") in ("ctx", ""):
        return True
    return first.annotation is not None and "Ctx" in ast.unparse(unquoted(first.annotation))


def _without_ctx(entry: Registered, first: ast.arg | None) -> Finding:
    node = entry.function.node
    seen = f"starts with {first.arg}" if first else "takes no parameter"
    wanted = f"ctx: {entry.kind.capitalize()}Ctx"
    return _finding(
        entry,
        first or node,
        f"{node.name} {seen} where ctx is expected",
        why="the runtime passes ctx first: the database, the identity, the clock",
        fix=f"begin the parameters with `{wanted}`",
    )


def _parameter(project: Project, entry: Registered, arg: ast.arg) -> Iterator[Finding]:
    if arg.annotation is None:
        yield _finding(
            entry,
            arg,
            f"parameter {arg.arg} has no type",
            fix=f"give it one, for example `{arg.arg}: str`",
        )
        return
    unchecked = _unchecked(project, entry.function.module, arg.annotation)
    if unchecked:
        yield _finding(
            entry,
            arg,
            f"parameter {arg.arg} is {_as_written(arg.annotation, unchecked)} accepts anything",
            fix=_typed_fix(unchecked),
        )


def _variadic(entry: Registered) -> Iterator[Finding]:
    args = entry.function.node.args
    if args.vararg is not None:
        yield _finding(
            entry,
            args.vararg,
            f"*{args.vararg.arg} takes arguments by position",
            why="clients pass arguments by name",
            fix=f"take a list: `{args.vararg.arg}: list[str]`",
        )
    if args.kwarg is not None and args.kwarg.annotation is None:
        name = args.kwarg.arg
        yield _finding(entry, args.kwarg, f"**{name} has no type", fix=f"write `**{name}: Any`")


def _returns(project: Project, entry: Registered) -> Iterator[Finding]:
    node = entry.function.node
    if node.returns is None:
        yield _finding(
            entry,
            node,
            f"{node.name} declares no return type",
            why="the return type says what clients get, and is checked too",
            fix=f"write what {node.name} returns: `-> None:`, `-> list[Task]:`",
        )
        return
    unchecked = _unchecked(project, entry.function.module, node.returns)
    if unchecked:
        yield _finding(
            entry,
            node.returns,
            f"{node.name} returns {_as_written(node.returns, unchecked)} may be anything",
            why="the return type says what clients get, and is checked too",
            fix=_typed_fix(unchecked),
        )


def _unchecked(project: Project, module: Module, annotation: ast.expr) -> str:
    """The name in an annotation that leaves it open, or an empty string."""
    annotation = unquoted(annotation)
    if isinstance(annotation, ast.BinOp):
        sides = (annotation.left, annotation.right)
        return next(filter(None, (_unchecked(project, module, side) for side in sides)), "")
    if isinstance(annotation, ast.Subscript):
        return _unchecked_inside(project, module, annotation)
    return _UNCHECKED.get(project.origin(annotation, module) or "", "")


def _unchecked_inside(project: Project, module: Module, annotation: ast.Subscript) -> str:
    inner = annotation.slice
    elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    kind = project.origin(annotation.value, module) or ""
    if kind in ("typing.Annotated", "typing_extensions.Annotated"):
        elements = elements[:1]
    elif kind not in _CONTAINERS:
        return ""
    return next(filter(None, (_unchecked(project, module, e) for e in elements)), "")


def _as_written(annotation: ast.expr, unchecked: str) -> str:
    """The annotation, up to the word that says what its open part does."""
    written = ast.unparse(unquoted(annotation))
    return f"`{written}`, which" if written == unchecked else f"`{written}`, whose {unchecked}"


def _typed_fix(unchecked: str) -> str:
    if unchecked == "Any":
        return (
            "write the type; if it truly can be anything, say why on the line above:\n"
            "# headwater: allow HW103 -- <reason>"
        )
    if unchecked.lower() in ("dict", "mapping", "mutablemapping"):
        return (
            "one parameter per value, or a class for the whole:\n"
            "class Address(Model):\n    street: str"
        )
    return f"say what it holds: `{unchecked}[str]`"


def _finding(
    entry: Registered,
    node: ast.arg | ast.expr | ast.stmt,
    what: str,
    *,
    fix: str,
    why: str | None = None,
) -> Finding:
    function: FunctionInfo = entry.function
    return rule("HW103").finding(
        what,
        stage="S",
        path=function.module.source.path,
        line=node.lineno,
        col=node.col_offset + 1,
        why=why,
        fix=fix,
        function=entry.path,
        kind=entry.kind,
    )
