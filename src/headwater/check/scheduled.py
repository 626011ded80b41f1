"""HW302: what runs by itself is internal, so that nobody else can run it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.project import FunctionInfo, Module, Project
from headwater.check.registered import Registered
from headwater.check.scopes import Scope, Value
from headwater.rules import Finding, rule

_SCHEDULES = ("run_after", "run_at")
SCHEDULES = frozenset({"interval", "hourly", "daily", "weekly", "monthly", "cron"})
"""The methods of a Crons that declare one."""

_CRONS = "headwater.Crons()."


def check_scheduled(project: Project, registered: dict[str, Registered]) -> list[Finding]:
    """A finding for each public function that the scheduler or a cron is given."""
    found: list[Finding] = []
    for qualname, function in project.functions.items():
        owner = registered.get(qualname)
        for call in function.scope.calls:
            if _schedules(call, function.scope) or is_cron(project, call, function.module):
                found += _judged(project, registered, function.module, call, function, owner)
    for module in project.modules.values():
        for call in module.scope.calls:
            if is_cron(project, call, module):
                found += _judged(project, registered, module, call)
    return found


def _schedules(call: ast.Call, scope: Scope) -> bool:
    """True for `ctx.scheduler.run_after(...)`, also by a variable for the scheduler."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in _SCHEDULES):
        return False
    scheduler = call.func.value
    if isinstance(scheduler, ast.Name):
        bound = scope.names.get(scheduler.id, [])
        only = bound[0] if len(bound) == 1 else None
        scheduler = only.expr if isinstance(only, Value) else scheduler
    return isinstance(scheduler, ast.Attribute) and scheduler.attr == "scheduler"


def is_cron(project: Project, call: ast.Call, module: Module) -> bool:
    """True for `crons.daily(...)` and its siblings."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in SCHEDULES):
        return False
    return (project.origin(call.func, module) or "").startswith(_CRONS)


def cron_target(call: ast.Call) -> ast.expr | None:
    """The function that a call of the scheduler or of a Crons names."""
    place = 2 if isinstance(call.func, ast.Attribute) and call.func.attr == "cron" else 1
    return call.args[place] if len(call.args) > place else None


def _judged(
    project: Project,
    registered: dict[str, Registered],
    module: Module,
    call: ast.Call,
    function: FunctionInfo | None = None,
    owner: Registered | None = None,
) -> Iterator[Finding]:
    target = cron_target(call)
    scope = function.scope if function else None
    origin = project.origin(target, module, scope) if target is not None else None
    entry = registered.get(origin or "")
    if target is None or entry is None or entry.is_internal or entry.kind == "query":
        return
    is_cron = isinstance(call.func, ast.Attribute) and call.func.attr not in _SCHEDULES
    yield rule("HW302").finding(
        f"{'repeats' if is_cron else 'schedules'} {entry.path}, a public {entry.kind}",
        stage="S",
        path=module.source.path,
        line=target.lineno,
        col=target.col_offset + 1,
        fix=f"make {entry.function.node.name} an @internal_{entry.kind}; if clients call it too, "
        f"let both\ncall one plain helper that takes ctx",
        function=owner.path if owner else function.node.name if function else "",
        kind=owner.kind if owner else "helper" if function else "",
    )
