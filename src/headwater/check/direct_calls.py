"""HW104: a registered function is a reference, and is never called."""

from __future__ import annotations

import ast

from headwater.check.facts import Facts
from headwater.check.project import FunctionInfo, Module
from headwater.check.registered import Registered
from headwater.rules import Finding

_RUN = {"query": "run_query", "mutation": "run_mutation", "action": "run_action"}


def check_direct_calls(facts: Facts) -> list[Finding]:
    """A finding for each call of a registered function by another function, or by a module."""
    found = []
    for function in facts.project.functions.values():
        for call in function.scope.calls:
            entry = facts.registered.get(facts.origin(call.func, function))
            if entry is not None and entry.is_reference:
                found.append(_finding(facts, function, call, entry))
    for module in facts.project.modules.values():
        for call in module.scope.calls:
            entry = facts.registered.get(facts.project.origin(call.func, module) or "")
            if entry is not None and entry.is_reference:
                found.append(_finding(facts, module, call, entry))
    return found


def _finding(
    facts: Facts, place: FunctionInfo | Module, call: ast.Call, entry: Registered
) -> Finding:
    name = entry.function.node.name
    given = ", ".join(f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords if k.arg) or "..."
    return facts.finding(
        "HW104",
        f"calls {name}, a registered {entry.kind}",
        place,
        call,
        fix="move what both need into a plain helper that takes ctx, or run it by reference:\n"
        f"await ctx.{_RUN[entry.kind]}({name}, {given})",
    )
