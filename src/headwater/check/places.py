"""HW102: functions live in backend/<domain>.py, and special files have their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from headwater.check.facts import Facts
from headwater.check.project import Module, Project
from headwater.check.routes import handlers
from headwater.check.scopes import Value
from headwater.check.sources import read_outside
from headwater.rules import Finding

_PROVIDERS = {"headwater.Oidc", "headwater.CustomJwt"}
_SPECIAL = {
    "backend.schema": "the tables",
    "backend.auth_config": "who signs people in",
    "backend.settings": "the settings",
}
_LOST = "only backend/ is loaded, so nobody can call it"


def check_places(facts: Facts, root: Path) -> list[Finding]:
    """Findings about code that stands where the runtime does not look for it."""
    return [*_inside(facts), *_outside(root)]


def _inside(facts: Facts) -> Iterator[Finding]:
    for module in facts.project.modules.values():
        if module.name != "backend.auth_config":
            yield from _providers(facts, module)
    for entry in facts.registered.values():
        module = entry.function.module
        if module.name in _SPECIAL:
            node, home = entry.function.node, _SPECIAL[module.name]
            what = f"{node.name} is a function in {module.source.path}, which holds {home}"
            fix = f"move it to the file of its domain, such as backend/{node.name}s.py"
            why = "functions live in a file named after their domain"
            yield facts.finding(
                "HW102", what, entry.function, node, why=why, fix=fix, severity="warning"
            )


def _providers(facts: Facts, module: Module) -> Iterator[Finding]:
    for binding in module.scope.names.get("providers", []):
        value = binding.expr if isinstance(binding, Value) else None
        made = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        calls = [item for item in made if isinstance(item, ast.Call)]
        if any(facts.project.origin(call.func, module) in _PROVIDERS for call in calls):
            what = f"names sign-in providers in {module.source.path}"
            why = "only backend/auth_config.py is asked for them"
            fix = "move `providers = [...]` to backend/auth_config.py"
            yield facts.finding("HW102", what, module, made[0], why=why, fix=fix)


def _outside(root: Path) -> Iterator[Finding]:
    """Functions and handlers in the folders where other frameworks keep them."""
    for source in read_outside(root):
        project = Project.of([source])
        facts = Facts.of(project)
        module = next(iter(project.modules.values()), None)
        if module is None:
            continue
        name = source.path.rpartition("/")[2]
        target = "functions.py" if name in ("__init__.py", "main.py", "app.py") else name
        for entry in facts.registered.values():
            node = entry.function.node
            what = f"{node.name} is registered in {source.path}, outside backend/"
            fix = f"move it to backend/{target}"
            yield facts.finding("HW102", what, module, node, why=_LOST, fix=fix)
        if not facts.registered:
            yield from _handlers(facts, module, target)


def _handlers(facts: Facts, module: Module, target: str) -> Iterator[Finding]:
    found = list(handlers(facts.project, module))
    if found and "__main__" not in module.source.text:  # a program of its own, that is
        node, name = found[0]
        what = f"{name} is an HTTP route in {module.source.path}, outside backend/"
        fix = f"make it a @query, @mutation or @action in backend/{target};\nwebhooks and files: "
        fix += "a router in backend/routes.py"
        yield facts.finding("HW102", what, module, node, why=_LOST, fix=fix, severity="warning")
