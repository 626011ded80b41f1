"""A backend as the checker knows it: its modules, and what a name in them stands for.

`origin` gives an expression the dotted name of what it is, through aliases, re-exports and simple
assignments: `httpx.post`, `backend.lib.notify`, and `httpx.Client()` for what a call of that gives.
None means "not sure", and then no rule says anything.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from headwater.check.scopes import (
    Binding,
    Defined,
    Function,
    Imported,
    Scope,
    ScopeReader,
    Typed,
    Value,
    function_scope,
)
from headwater.check.sources import Source, read_backend, too_deep
from headwater.rules import Finding

_DEPTH = 20  # steps through aliases; more is a circle


@dataclass(frozen=True)
class Module:
    """A module and the names bound at its top."""

    source: Source
    scope: Scope

    @property
    def name(self) -> str:
        """The dotted name."""
        return self.source.module


@dataclass(eq=False)
class FunctionInfo:
    """A function or method of the backend."""

    module: Module
    node: Function
    qualname: str

    @cached_property
    def scope(self) -> Scope:
        """The names and calls inside it; none if it is nested too deeply to walk."""
        try:
            return function_scope(self.node, self.module.name, self.module.source.is_package)
        except RecursionError:
            return Scope()


@dataclass
class Project:
    """All modules of one backend."""

    modules: dict[str, Module]
    unreadable: list[Finding]
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    classes: dict[str, tuple[Module, ast.ClassDef]] = field(default_factory=dict)
    by_module: dict[str, list[FunctionInfo]] = field(default_factory=dict)
    _canonical: dict[str, str | None] = field(default_factory=dict)
    _top_names: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Project:
        """Read the backend below this folder."""
        sources, findings = read_backend(root)
        return cls.of(sources, findings)

    @classmethod
    def of(cls, sources: list[Source], findings: list[Finding] | None = None) -> Project:
        """A project of modules that are read already."""
        project = cls({}, findings or [])
        for source in sources:
            project._add(source)
        return project

    def _add(self, source: Source) -> None:
        reader = ScopeReader(source.module, source.is_package, top=True)
        try:
            module = Module(source, reader.read(source.tree.body))
        except RecursionError:
            self.unreadable.append(too_deep(source.path))
            return
        self.modules[source.module] = module
        for name, bindings in module.scope.names.items():
            for binding in bindings:
                if isinstance(binding, Defined):
                    self._define(module, f"{source.module}.{name}", binding.node)

    def _define(self, module: Module, qualname: str, node: Function | ast.ClassDef) -> None:
        if not isinstance(node, ast.ClassDef):
            function = FunctionInfo(module, node, qualname)
            self.functions[qualname] = function
            self.by_module.setdefault(module.name, []).append(function)
            return
        self.classes[qualname] = (module, node)
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                self._define(module, f"{qualname}.{inner.name}", inner)

    def origin(
        self, expr: ast.expr, module: Module, scope: Scope | None = None, depth: int = 0
    ) -> str | None:
        """The dotted name of what an expression is, or None."""
        if depth > _DEPTH:
            return None
        step = depth + 1
        if isinstance(expr, ast.Name):
            return self._name(expr.id, module, scope, step)
        if isinstance(expr, ast.Attribute):
            base = self.origin(expr.value, module, scope, step)
            return base and self.canonical(f"{base}.{expr.attr}", step)
        if isinstance(expr, ast.Call):
            base = self.origin(expr.func, module, scope, step)
            return base and f"{base}()"
        if isinstance(expr, ast.Await):
            return self.origin(expr.value, module, scope, step)
        if isinstance(expr, ast.BinOp) and isinstance(expr.op, ast.Div):
            base = self.origin(expr.left, module, scope, step)
            return base if base and base.startswith("pathlib.") else None
        return None

    def _name(self, name: str, module: Module, scope: Scope | None, depth: int) -> str | None:
        local = scope.names.get(name) if scope else None
        if local:
            return self._agreed(name, local, module, scope, depth)
        key = (module.name, name)
        if key not in self._top_names:
            self._top_names[key] = self._top_name(name, module, depth)
        return self._top_names[key]

    def _top_name(self, name: str, module: Module, depth: int) -> str | None:
        bindings = module.scope.names.get(name)
        if bindings:
            return self._agreed(name, bindings, module, None, depth)
        for star in module.scope.stars:
            if star not in self.modules:
                return None
            if name in self.modules[star].scope.names:
                return self.canonical(f"{star}.{name}", depth)
        return f"builtins.{name}" if hasattr(builtins, name) else None

    def _agreed(
        self, name: str, bindings: list[Binding], module: Module, scope: Scope | None, depth: int
    ) -> str | None:
        """What all bindings of a name agree on; `name = None` does not count."""
        telling = [b for b in bindings if not _is_none(b)]
        found = {self._binding(name, b, module, scope, depth) for b in telling}
        return found.pop() if len(found) == 1 else None

    def _binding(
        self, name: str, binding: Binding, module: Module, scope: Scope | None, depth: int
    ) -> str | None:
        if isinstance(binding, Imported):
            return self.canonical(binding.dotted, depth)
        if isinstance(binding, Defined):
            return f"{module.name}.{name}"
        if isinstance(binding, Value):
            return self.origin(binding.expr, module, scope, depth)
        if isinstance(binding, Typed):
            kind = self.type_origin(binding.annotation, module, depth)
            return kind and f"{kind}()"
        return None

    def type_origin(self, annotation: ast.expr, module: Module, depth: int = 0) -> str | None:
        """The class an annotation names; `X | None` is X."""
        annotation = unquoted(annotation)
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            sides = [annotation.left, annotation.right]
            named = [s for s in sides if not (isinstance(s, ast.Constant) and s.value is None)]
            return self.type_origin(named[0], module, depth) if len(named) == 1 else None
        return self.origin(annotation, module, None, depth)

    def canonical(self, dotted: str, depth: int = 0) -> str | None:
        """Follow a dotted path through the backend's own modules to where the thing is defined."""
        if depth > _DEPTH:
            return None
        if dotted not in self._canonical:
            self._canonical[dotted] = self._followed(dotted, depth)
        return self._canonical[dotted]

    def _followed(self, dotted: str, depth: int) -> str | None:
        home = self._home(dotted)
        if home is None or home.name == dotted:
            return dotted
        first, _, rest = dotted[len(home.name) + 1 :].partition(".")
        call = "()" if first.endswith("()") else ""
        bindings = home.scope.names.get(first.removesuffix("()"))
        if bindings is None:
            return self._through_star(home, first, rest, depth)
        found = self._agreed(first.removesuffix("()"), bindings, home, None, depth + 1)
        if found is None:
            return None
        whole = ".".join(part for part in (found + call, rest) if part)
        settled = found.startswith(f"{home.name}.{first.removesuffix('()')}")
        return whole if settled else self.canonical(whole, depth + 1)

    def _through_star(self, home: Module, first: str, rest: str, depth: int) -> str | None:
        for star in home.scope.stars:
            if star in self.modules and star != home.name:
                return self.canonical(".".join(p for p in (star, first, rest) if p), depth + 1)
        return None

    def _home(self, dotted: str) -> Module | None:
        name = dotted
        while name:
            if name in self.modules:
                return self.modules[name]
            name = name.rpartition(".")[0]
        return None

    def bases(self, qualname: str) -> Iterator[str | None]:
        """The origins of a class's bases; `Generic[T]` is `typing.Generic`."""
        module, node = self.classes[qualname]
        for base in node.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            yield self.origin(named, module)


def unquoted(annotation: ast.expr) -> ast.expr:
    """An annotation written as a string, parsed; every other as it is."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            inner = ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return annotation
        return ast.copy_location(inner, annotation)
    return annotation


def _is_none(binding: Binding) -> bool:
    expr = binding.expr if isinstance(binding, Value) else None
    return isinstance(expr, ast.Constant) and expr.value is None
