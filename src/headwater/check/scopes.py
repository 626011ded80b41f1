"""What a name stands for in a module or a function: the bindings, without following them.

A function is taken as one flat scope with everything nested in it. A name bound to two different
things has both bindings, and whoever asks must then not be sure of it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from headwater.check.nodes import node_fields

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Imported:
    """A name that an import binds to a dotted path."""

    dotted: str


@dataclass(frozen=True)
class Value:
    """A name bound to what an expression gives."""

    expr: ast.expr


@dataclass(frozen=True)
class Typed:
    """A name of which only the annotation is known."""

    annotation: ast.expr


@dataclass(frozen=True)
class Opaque:
    """A name bound to something that is not followed."""


@dataclass(frozen=True)
class Defined:
    """A name bound by `def` or `class` at the top of a module."""

    node: Function | ast.ClassDef


Binding = Imported | Value | Typed | Opaque | Defined


@dataclass
class Scope:
    """Names and their bindings, with the calls and imports met on the way."""

    names: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    loops: list[ast.AsyncFor | ast.comprehension] = field(default_factory=list)
    awaited: set[int] = field(default_factory=set)  # ids of the awaited expressions
    dropped: list[ast.Call] = field(default_factory=list)  # calls whose result nobody takes

    def bind(self, name: str, binding: Binding) -> None:
        """Add one binding of a name."""
        self.names.setdefault(name, []).append(binding)


def import_bindings(
    node: ast.Import | ast.ImportFrom, module: str, is_package: bool
) -> Iterator[tuple[str, str]]:
    """Pairs of bound name and dotted path; a star import binds `*`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
        return
    base = node.module or ""
    if node.level:
        parts = module.split(".")
        kept = parts[: len(parts) - node.level + is_package]
        base = ".".join([*kept, base] if base else kept)
    for alias in node.names:
        if alias.name == "*":
            yield "*", base
        else:
            yield alias.asname or alias.name, f"{base}.{alias.name}"


_LEAVES = {
    *(ast.Load, ast.Store, ast.Del, ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.alias),
    *(ast.And, ast.Or, ast.Not, ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn, ast.Add),
}
_VISITS: dict[type[ast.AST], Callable[[Any, Any], None]] = {}


class ScopeReader(ast.NodeVisitor):
    """Collects the bindings and calls of some statements into one scope."""

    def __init__(self, module: str, is_package: bool, *, top: bool) -> None:
        self.scope = Scope()
        self._module, self._is_package, self._top = module, is_package, top
        self._globals: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        """As every visitor does, but faster: this is most of what a check takes."""
        kind = type(node)
        if kind in _LEAVES:
            return
        if kind not in _VISITS:
            _VISITS[kind] = getattr(
                ScopeReader, f"visit_{kind.__name__}", ScopeReader.generic_visit
            )
        _VISITS[kind](self, node)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit everything below a node."""
        for name in node_fields(node.__class__):
            value = getattr(node, name, None)
            if value.__class__ is list:
                for item in value:
                    if isinstance(item, ast.AST):
                        self.visit(item)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def read(self, statements: list[ast.stmt]) -> Scope:
        """The scope of these statements."""
        for statement in statements:
            self.visit(statement)
        for name in self._globals:
            self.scope.names.pop(name, None)
        return self.scope

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Bind what an import binds, and keep the statement."""
        self.scope.imports.append(node)
        self._bind_import(node)

    visit_ImportFrom = visit_Import

    def _bind_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, dotted in import_bindings(node, self._module, self._is_package):
            if name == "*":
                self.scope.stars.append(dotted)
            else:
                self.scope.bind(name, Imported(dotted))

    def visit_FunctionDef(self, node: Function) -> None:
        """At the top: a definition, not entered. Inside a function: part of it."""
        if self._top:
            self.scope.bind(node.name, Defined(node))
            return
        self.scope.bind(node.name, Opaque())
        self.parameters(node.args)
        for statement in node.body:
            self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """At the top: a definition, not entered. Inside a function: part of it."""
        if self._top:
            self.scope.bind(node.name, Defined(node))
            return
        self.scope.bind(node.name, Opaque())
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda's parameters hide outer names."""
        self.parameters(node.args)
        self.visit(node.body)

    def parameters(self, args: ast.arguments) -> None:
        """Bind parameters; annotations are kept, for they say what a value is."""
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]:
            self.scope.bind(arg.arg, Typed(arg.annotation) if arg.annotation else Opaque())
        for star in (args.vararg, args.kwarg):
            if star is not None:
                self.scope.bind(star.arg, Opaque())

    def visit_If(self, node: ast.If) -> None:
        """A TYPE_CHECKING block never runs, so only its imports count."""
        if _is_type_checking(node.test):
            for inner in node.body:
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    self._bind_import(inner)
            node = ast.If(test=node.test, body=[], orelse=node.orelse)
        elif not self._top and _asks_for_action(node.test):
            node = ast.If(test=node.test, body=[], orelse=node.orelse)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """A global name is the module's, whatever is assigned to it here."""
        self._globals.update(node.names)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A plain name gets the value; unpacking hides what it binds."""
        for target in node.targets:
            self._bind_target(target, Value(node.value))
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """The value says more than the annotation, unless it is None."""
        known = node.value is not None and not _is_none(node.value)
        binding = Value(node.value) if known and node.value else Typed(node.annotation)
        self._bind_target(node.target, binding)
        if node.value is not None:
            self.visit(node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """`name := value`."""
        self._bind_target(node.target, Value(node.value))
        self.visit(node.value)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """`with client() as name`: the name is taken for what the expression gives."""
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._bind_target(item.optional_vars, Value(item.context_expr))
        for statement in node.body:
            self.visit(statement)

    visit_AsyncWith = visit_With

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """Remember what is iterated over: it ends a chain of query methods."""
        self.scope.loops.append(node)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """The same for `async for` inside a comprehension."""
        if node.is_async:
            self.scope.loops.append(node)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """`except Error as name`."""
        if node.name:
            self.scope.bind(node.name, Opaque())
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        """`case ... as name`."""
        if node.name:
            self.scope.bind(node.name, Opaque())
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """`case {**rest}`."""
        if node.rest:
            self.scope.bind(node.rest, Opaque())
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Every other way of binding a name (loops, unpacking, del, +=) hides it."""
        if not isinstance(node.ctx, ast.Load):
            self.scope.bind(node.id, Opaque())

    def visit_Await(self, node: ast.Await) -> None:
        """Remember what is awaited."""
        self.scope.awaited.add(id(node.value))
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Remember a call that stands alone."""
        if isinstance(node.value, ast.Call):
            self.scope.dropped.append(node.value)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """Keep the call."""
        self.scope.calls.append(node)
        self.generic_visit(node)

    def _bind_target(self, target: ast.expr, binding: Binding) -> None:
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, binding)
        else:
            self.visit(target)


def function_scope(node: Function, module: str, is_package: bool) -> Scope:
    """The flat scope of a function and everything in it."""
    reader = ScopeReader(module, is_package, top=False)
    reader.parameters(node.args)
    return reader.read(node.body)


def _is_none(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Constant) and expr.value is None


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _asks_for_action(test: ast.expr) -> bool:
    """True for `isinstance(ctx, ActionCtx)`: what follows runs in actions only."""
    if not (isinstance(test, ast.Call) and getattr(test.func, "id", "") == "isinstance"):
        return False
    kind = test.args[-1] if test.args else None
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
    return name == "ActionCtx"
