"""HW101: app logic in functions; web frameworks only in backend/routes.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from headwater.check.facts import Facts
from headwater.check.project import Module, Project
from headwater.check.scopes import Value
from headwater.rules import Finding

_ROUTES = "backend.routes"
_WEB_MODULES = {
    "fastapi",
    "fastapi.requests",
    "fastapi.responses",
    "fastapi.routing",
    "flask",
    "flask.views",
    "quart",
    "starlette.applications",
    "starlette.requests",
    "starlette.responses",
    "starlette.routing",
    "aiohttp.web",
    "django.http",
    "django.shortcuts",
    "django.urls",
    "django.views",
    "rest_framework.decorators",
    "rest_framework.views",
    "sanic",
    "sanic.response",
    "bottle",
    "falcon",
    "litestar",
    "tornado.web",
    "robyn",
}
_APPS = {
    "fastapi.FastAPI": "a FastAPI app",
    "fastapi.APIRouter": "a FastAPI router",
    "fastapi.routing.APIRouter": "a FastAPI router",
    "flask.Flask": "a Flask app",
    "flask.Blueprint": "a Flask blueprint",
    "quart.Quart": "a Quart app",
    "starlette.applications.Starlette": "a Starlette app",
    "starlette.routing.Router": "a Starlette router",
    "aiohttp.web.Application": "an aiohttp app",
    "sanic.Sanic": "a Sanic app",
    "bottle.Bottle": "a Bottle app",
    "falcon.App": "a Falcon app",
    "falcon.asgi.App": "a Falcon app",
    "litestar.Litestar": "a Litestar app",
}
_VERBS = {
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "route",
    "api_route",
    "websocket",
    "websocket_route",
}
_FUNCTION_DECORATORS = {
    *(f"litestar.{verb}" for verb in _VERBS),
    *(f"bottle.{verb}" for verb in _VERBS),
    "rest_framework.decorators.api_view",
}


def check_routes(facts: Facts) -> list[Finding]:
    """Findings outside backend/routes.py: at handlers, else at apps, else at imports."""
    project = facts.project
    helpers = _imported_by_routes(project)
    found: list[Finding] = []
    for name, module in project.modules.items():
        if name == _ROUTES or name.startswith(f"{_ROUTES}."):
            continue
        routed = [
            facts.finding("HW101", f"{own} is an HTTP route", module, node, fix=_handler_fix(own))
            for node, own in handlers(project, module)
        ]
        made = routed or list(_apps(facts, module))
        if name in helpers:
            found += [_softened(finding) for finding in made]
        else:
            found += made or list(_imports(facts, module))[:1]
    return found


def _imported_by_routes(project: Project) -> set[str]:
    """The modules that routes.py imports, near or far: they may know of HTTP."""
    seen: set[str] = set()
    waiting = [_ROUTES]
    while waiting:
        module = project.modules.get(waiting.pop())
        for dotted in _imported_names(module) if module else ():
            target = dotted if dotted in project.modules else dotted.rpartition(".")[0]
            if target in project.modules and target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def _imported_names(module: Module) -> Iterator[str]:
    for bindings in module.scope.names.values():
        for binding in bindings:
            dotted = getattr(binding, "dotted", None)
            if dotted:
                yield dotted
    for node in module.scope.imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
    yield from module.scope.stars


def handlers(project: Project, module: Module) -> Iterator[tuple[ast.expr, str]]:
    """The decorators that make functions of a module HTTP routes, and the functions' names."""
    for function in project.by_module.get(module.name, []):
        for decorator in function.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if _is_route(project.origin(called, module) or ""):
                yield decorator, function.node.name


def _is_route(origin: str) -> bool:
    maker, _, verb = origin.partition("().")
    return origin in _FUNCTION_DECORATORS or (maker in _APPS and verb in _VERBS)


def _apps(facts: Facts, module: Module) -> Iterator[Finding]:
    for bindings in module.scope.names.values():
        for binding in bindings:
            call = binding.expr if isinstance(binding, Value) else None
            made = facts.project.origin(call.func, module) if isinstance(call, ast.Call) else None
            if call and made in _APPS:
                fix = (
                    "write @query, @mutation and @action functions; headwater serves them.\n"
                    "Webhooks and files: a router in backend/routes.py"
                )
                yield facts.finding("HW101", f"makes {_APPS[made]}", module, call, fix=fix)


def _imports(facts: Facts, module: Module) -> Iterator[Finding]:
    for node in module.scope.imports:
        name = _web_import(node)
        if name:
            fix = (
                "remove the import: arguments come in as parameters, errors go out as\n"
                'raise AppError("..."); HTTP itself is for backend/routes.py'
            )
            what = f"imports {name}"
            yield _softened(facts.finding("HW101", what, module, node, fix=fix))


def _web_import(node: ast.Import | ast.ImportFrom) -> str:
    if isinstance(node, ast.Import):
        return next((a.name for a in node.names if a.name in _WEB_MODULES), "")
    if node.level or not node.module:
        return ""
    names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return next((name for name in names if name in _WEB_MODULES), "")


def _handler_fix(name: str) -> str:
    return (
        "make it a @query (reads), @mutation (writes) or @action (outside world):\n"
        f"@query\nasync def {name}(ctx: QueryCtx) -> ...: ...\n"
        "A webhook or a file download belongs into backend/routes.py"
    )


def _softened(finding: Finding) -> Finding:
    return replace(finding, severity="warning")
