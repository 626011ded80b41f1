"""What the rules ask of a backend, found once: its functions, tables, contexts and helpers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from headwater.check.chains import Chain, ChainReader
from headwater.check.contexts import Contexts
from headwater.check.project import FunctionInfo, Module, Project
from headwater.check.registered import Registered, registered_functions
from headwater.check.tables import Tables, read_tables
from headwater.rules import Finding, Severity, rule, through

Node = ast.expr | ast.stmt | ast.arg | ast.keyword


@dataclass(frozen=True)
class Step:
    """A function on the way from a registered function, and who called it from where."""

    function: FunctionInfo
    helpers: tuple[str, ...] = ()
    called_at: int = 0  # the line of the registered function that sets out on this way


@dataclass
class Facts:
    """A project, and what is known of it."""

    project: Project
    registered: dict[str, Registered]
    tables: Tables
    _contexts: dict[str, Contexts] = field(default_factory=dict)
    _chains: dict[str, list[Chain]] = field(default_factory=dict)
    _origins: dict[int, str] = field(default_factory=dict)  # by id of the node, which is kept
    _helpers: dict[str, list[tuple[ast.Call, FunctionInfo]]] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> Facts:
        """The facts of a project that has been read."""
        return cls(project, registered_functions(project), read_tables(project))

    def contexts(self, function: FunctionInfo) -> Contexts:
        """The ctx of a function."""
        name = function.qualname
        if name not in self._contexts:
            entry = self.registered.get(name)
            self._contexts[name] = Contexts(self.project, function, entry)
        return self._contexts[name]

    def chains(self, function: FunctionInfo) -> list[Chain]:
        """The chains of query methods in a function."""
        name = function.qualname
        if name not in self._chains:
            asks = any(getattr(call.func, "attr", "") == "query" for call in function.scope.calls)
            reader = ChainReader(self.project, self.tables, function)
            self._chains[name] = list(reader.chains()) if asks else []
        return self._chains[name]

    def calls(self) -> Iterator[tuple[FunctionInfo, ast.Call]]:
        """Every call of the backend's functions, each with its function."""
        for function in self.project.functions.values():
            for call in function.scope.calls:
                yield function, call

    def origin(self, expr: ast.expr, function: FunctionInfo) -> str:
        """The dotted name of what an expression of a function is, empty if that is not sure."""
        found = self._origins.get(id(expr))
        if found is None:
            found = self.project.origin(expr, function.module, function.scope) or ""
            self._origins[id(expr)] = found
        return found

    def helpers(self, function: FunctionInfo) -> list[tuple[ast.Call, FunctionInfo]]:
        """The backend's own functions that a function calls, each with the call."""
        name = function.qualname
        if name not in self._helpers:
            self._helpers[name] = list(self._called(function))
        return self._helpers[name]

    def _called(self, function: FunctionInfo) -> Iterator[tuple[ast.Call, FunctionInfo]]:
        for call in function.scope.calls:
            origin = self.origin(call.func, function)
            if not origin.startswith("backend"):
                continue
            name = origin.replace("()", "")
            for qualname in (name, f"{name}.__init__", f"{name}.__post_init__"):
                if qualname in self.project.functions:
                    yield call, self.project.functions[qualname]

    def reached(self, entry: Registered) -> Iterator[Step]:
        """The function itself and every helper it reaches, each once, the nearest first."""
        waiting = [Step(entry.function)]
        seen = {entry.function.qualname}
        while waiting:
            step = waiting.pop(0)
            yield step
            for call, helper in self.helpers(step.function):
                if helper.qualname not in seen and helper.qualname not in self.registered:
                    seen.add(helper.qualname)
                    helpers = (*step.helpers, helper.node.name)
                    waiting.append(Step(helper, helpers, step.called_at or call.lineno))

    def finding(
        self,
        code: str,
        what: str,
        place: Module | FunctionInfo,
        node: Node,
        *,
        why: str | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at a node of a module or a function."""
        function = place if isinstance(place, FunctionInfo) else None
        module = function.module if function else place
        entry = self.registered.get(function.qualname) if function else None
        assert isinstance(module, Module)
        return rule(code).finding(
            what,
            stage="S",
            path=module.source.path,
            line=node.lineno,
            col=node.col_offset + 1,
            why=why,
            fix=fix,
            severity=severity,
            function=entry.path if entry else function.node.name if function else "",
            kind=entry.kind if entry else "helper" if function else "",
        )


def via(entry: Registered, step: Step) -> str:
    """How a step was reached, as findings say it; empty for the function itself."""
    home = entry.function.module
    path = "" if step.function.module is home else home.source.path
    return through(step.helpers, step.called_at, path)
