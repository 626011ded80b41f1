"""What a loaded backend holds where the runtime does not look for it (HW101, HW102).

A route in a module that `backend/routes.py` does not know, a function that another package
registered: nobody would ever reach them, so the load is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from headwater.core.declared_at import declared_at
from headwater.core.functions import Registered
from headwater.core.registry import PACKAGE
from headwater.errors import RegistrationError

_ROUTES = f"{PACKAGE}.routes"
_WEB = frozenset({"fastapi", "starlette", "flask", "quart", "sanic", "bottle", "litestar"})
_APPS = frozenset({"APIRouter", "FastAPI", "Starlette", "Router"}) | frozenset(
    {"Flask", "Blueprint", "Quart", "Sanic", "Bottle", "Litestar"}
)


def check_strays(package: ModuleType, modules: Iterable[ModuleType]) -> None:
    """Refuses what nobody would reach.

    Args:
        package: the package `backend` itself.
        modules: its modules.

    Raises:
        RegistrationError: by HW101 or HW102.
    """
    modules = list(modules)
    served = _known_to_routes(modules)
    for module in (package, *modules):
        for name, value in list(vars(module).items()):
            if isinstance(value, Registered):
                _check_function(package, module, name, value)
            elif module.__name__ not in served and _is_app(value):
                _check_app(module, name, value)


def _known_to_routes(modules: Iterable[ModuleType]) -> set[str]:
    """The routes' module and those it takes something from, near or far: they know of HTTP."""
    by_name = {module.__name__: module for module in modules}
    known, waiting = set[str](), [_ROUTES]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in known:
            known.add(name)
            waiting += _homes(by_name[name])
    return known


def _homes(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        else:
            yield str(getattr(value, "__module__", ""))
            yield from (home for home in map(_home, _routes(value)) if home)


def _check_function(
    package: ModuleType, module: ModuleType, name: str, function: Registered[Any, Any]
) -> None:
    home = function.__module__
    if home.startswith(f"{PACKAGE}."):
        return
    where = f"{PACKAGE}/__init__.py" if module is package else declared_at(module.__name__, name)
    place = "backend/__init__.py" if module is package else f"{home}, outside of backend/"
    what = f"{function.kind} {function.__name__} is registered in {place}"
    fix = f"move it into a file of its domain, such as backend/{function.__name__}s.py"
    raise RegistrationError(what).by_rule("HW102", fix, where)


def _is_app(value: Any) -> bool:
    kind = type(value)
    return kind.__name__ in _APPS and kind.__module__.partition(".")[0] in _WEB


def _check_app(module: ModuleType, name: str, app: Any) -> None:
    """Refuses an application or router that has routes of the module's own."""
    own = [route for route in _routes(app) if _home(route) == module.__name__]
    if not own and hasattr(app, "routes"):
        return
    code = getattr(getattr(own[0], "endpoint", None), "__code__", None) if own else None
    path = declared_at(module.__name__).partition(":")[0]
    where = f"{path}:{code.co_firstlineno}" if code else declared_at(module.__name__, name)
    told = getattr(own[0].endpoint, "__name__", name) if own else name
    what = f"{told} is an HTTP route in {path}" if own else f"{name} is a {type(app).__name__} app"
    fix = "make it a @query, @mutation or @action; webhooks and files: backend/routes.py"
    raise RegistrationError(f"{what}, which nothing serves").by_rule("HW101", fix, where)


def _routes(app: Any) -> list[Any]:
    return list(getattr(app, "routes", ())) if _is_app(app) else []


def _home(route: Any) -> str:
    return str(getattr(getattr(route, "endpoint", None), "__module__", ""))
