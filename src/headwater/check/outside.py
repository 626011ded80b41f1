"""HW203: no I/O in queries and mutations, nor in the helpers they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.check import outside_calls
from headwater.check.project import FunctionInfo, Project
from headwater.check.registered import Registered
from headwater.rules import Finding, rule

_WHY = {
    "query": "a query is run again whenever what it read changes and must not do I/O",
    "mutation": "a mutation may be retried and must not do I/O",
}
_RUNNERS = ("asyncio.to_thread", "anyio.to_thread.run_sync")


@dataclass(frozen=True)
class _Step:
    """A function on the way from a registered function to a call, and who called it from where."""

    function: FunctionInfo
    helpers: tuple[str, ...] = ()
    called_at: int = 0  # the line of the registered function that sets out on this way


def check_outside(project: Project, registered: dict[str, Registered]) -> list[Finding]:
    """A finding for each place that does I/O and is reached by a query or mutation."""
    found: dict[tuple[str, int, int], Finding] = {}
    for entry in registered.values():
        if entry.is_transaction:
            for finding in _reached(project, registered, entry):
                found.setdefault((finding.path, finding.line, finding.col), finding)
    return list(found.values())


def _reached(
    project: Project, registered: dict[str, Registered], entry: Registered
) -> Iterator[Finding]:
    waiting = [_Step(entry.function)]
    seen = {entry.function.qualname}
    while waiting:
        step = waiting.pop(0)
        for call, origin in _outside_calls(project, step.function):
            yield _finding(entry, step, call, origin)
        for call, helper in _helpers(project, step.function):
            if helper.qualname not in seen and helper.qualname not in registered:
                seen.add(helper.qualname)
                helpers = (*step.helpers, helper.node.name)
                waiting.append(_Step(helper, helpers, step.called_at or call.lineno))


def _outside_calls(project: Project, function: FunctionInfo) -> Iterator[tuple[ast.Call, str]]:
    """The calls that are I/O. A client made and used in one function counts where it is made."""
    found = []
    for call in function.scope.calls:
        for reached in (call.func, *_handed_over(project, function, call)):
            origin = project.origin(reached, function.module, function.scope)
            if origin and outside_calls.is_outside(origin):
                found.append((call, origin))
    made = {origin for _, origin in found if outside_calls.makes_client(origin)}
    for call, origin in found:
        if not (outside_calls.uses_client(origin) and origin.partition("()")[0] in made):
            yield call, origin


def _handed_over(project: Project, function: FunctionInfo, call: ast.Call) -> list[ast.expr]:
    """The function in `asyncio.to_thread(requests.get, url)` and `run_in_executor(None, f)`."""
    if project.origin(call.func, function.module, function.scope) in _RUNNERS:
        return call.args[:1]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "run_in_executor":
        return call.args[1:2]
    return []


def _helpers(project: Project, function: FunctionInfo) -> Iterator[tuple[ast.Call, FunctionInfo]]:
    for call in function.scope.calls:
        origin = project.origin(call.func, function.module, function.scope)
        if origin is None or not origin.startswith("backend"):
            continue
        name = origin.replace("()", "")
        for qualname in (name, f"{name}.__init__", f"{name}.__post_init__"):
            if qualname in project.functions:
                yield call, project.functions[qualname]


def _finding(entry: Registered, step: _Step, call: ast.Call, origin: str) -> Finding:
    return rule("HW203").finding(
        f"calls {outside_calls.shown(origin)}",
        stage="S",
        path=step.function.module.source.path,
        line=call.lineno,
        col=call.col_offset + 1,
        why=_WHY[entry.kind],
        fix=_fix(entry, origin),
        function=entry.path,
        kind=entry.kind,
        via=_via(entry, step),
    )


def _via(entry: Registered, step: _Step) -> str:
    """`helper notify, line 17`; with the file, where that is another one than the finding's."""
    if not step.helpers:
        return ""
    word = "helper" if len(step.helpers) == 1 else "helpers"
    home = entry.function.module
    place = "" if step.function.module is home else f" of {home.source.path}"
    return f"{word} {' > '.join(step.helpers)}, line {step.called_at}{place}"


def _fix(entry: Registered, origin: str) -> str:
    if outside_calls.is_database(origin):
        return (
            "keep the data in a table of backend/schema.py and read it with ctx.db.query(...):\n"
            "no subscription can see what is read past ctx.db, so no client would be updated"
        )
    if entry.kind == "query":
        return (
            "fetch it in an @action that stores it by ctx.run_mutation(save, ...);\n"
            "the query then reads what is stored"
        )
    return (
        "move the call into an @action, and let that run the mutation with the result:\n"
        f"await ctx.run_mutation({entry.function.node.name}, ...)"
    )
