"""HW501: crons stand in backend/crons.py, under names of their own, with arguments that fit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.project import Module
from headwater.check.registered import Registered
from headwater.check.scheduled import cron_target, is_cron
from headwater.rules import Finding

_HOME = "backend.crons"


def check_crons(facts: Facts) -> list[Finding]:
    """Findings about where crons stand, their names, their targets and their arguments."""
    found: list[Finding] = []
    for module in facts.project.modules.values():
        if module.scope.calls:
            found += _places(facts, module)
            found += _calls(facts, module)
    return found


def _places(facts: Facts, module: Module) -> Iterator[Finding]:
    """Where a Crons() is made, and what it is called."""
    for call in module.scope.calls:
        if facts.project.origin(call.func, module) != "headwater.Crons":
            continue
        if module.name != _HOME:
            what = f"makes Crons() in {module.source.path}"
            why = "only backend/crons.py is asked for crons, so these never run"
            fix = "move it and its calls to backend/crons.py: crons = Crons()"
            yield facts.finding("HW501", what, module, call, why=why, fix=fix)
        elif "crons" not in module.scope.names:
            what = "backend/crons.py binds no name `crons`"
            why = "the runtime looks for that name, so these never run"
            yield facts.finding("HW501", what, module, call, why=why, fix="crons = Crons()")


def _calls(facts: Facts, module: Module) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for call in module.scope.calls:
        if not is_cron(facts.project, call, module):
            continue
        name = call.args[0] if call.args else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            if name.value in seen:
                what = f'a second cron is called "{name.value}", as in line {seen[name.value]}'
                why = "the name is what a cron is known by from one deployment to the next"
                fix = "give each cron a name of its own"
                yield facts.finding("HW501", what, module, name, why=why, fix=fix)
            seen.setdefault(name.value, call.lineno)
        yield from _target(facts, module, call)


def _target(facts: Facts, module: Module, call: ast.Call) -> Iterator[Finding]:
    target = cron_target(call)
    if target is None:
        return
    if isinstance(target, ast.Constant) and isinstance(target.value, str):
        what = f"names its target by a text, {target.value!r}"
        fix = "import the function and pass it: crons.daily(name, clean, hour_utc=2)"
        yield facts.finding("HW501", what, module, target, why="a target is a reference", fix=fix)
        return
    entry = facts.registered.get(facts.project.origin(target, module) or "")
    if entry is not None and entry.kind == "query":
        what = f"repeats {entry.path}, a query"
        why = "nobody would see its result"
        fix = "repeat an @internal_mutation or @internal_action"
        yield facts.finding("HW501", what, module, target, why=why, fix=fix)
    elif entry is not None and not entry.is_wrapped:
        yield from _arguments(facts, module, call, entry)


def _arguments(
    facts: Facts, module: Module, call: ast.Call, entry: Registered
) -> Iterator[Finding]:
    given = next((k.value for k in call.keywords if k.arg == "args"), None)
    if any(k.arg is None for k in call.keywords) or entry.function.node.args.kwarg:
        return
    if given is None:
        names: list[str] = []
    elif isinstance(given, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in given.keys]
        names = [key for key in keys if isinstance(key, str)]
        if len(names) < len(keys):
            return
    else:
        return
    required, known = _parameters(entry)
    wrong = [name for name in names if name not in known]
    missing = [name for name in required if name not in names]
    if wrong or missing:
        what = f"{entry.path} takes no {wrong[0]}" if wrong else f"{entry.path} needs {missing[0]}"
        listed = ", ".join(f'"{name}": ...' for name in known)
        fix = f"args={{{listed}}}" if known else "leave args= out"
        why = "the arguments of a cron are checked when the backend is loaded"
        yield facts.finding("HW501", what, module, given or call, why=why, fix=fix)


def _parameters(entry: Registered) -> tuple[list[str], list[str]]:
    """Names of the arguments that must be given, and of all."""
    args = entry.function.node.args
    positional = [*args.posonlyargs, *args.args]
    defaults = len(args.defaults)
    required = positional[1 : len(positional) - defaults if defaults else None]
    keyword = [a for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is None]
    return (
        [arg.arg for arg in (*required, *keyword)],
        [arg.arg for arg in (*positional[1:], *args.kwonlyargs)],
    )
