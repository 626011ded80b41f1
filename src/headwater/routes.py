"""HTTP routes: what `backend/routes.py` declares, and the application that is made of it.

    from fastapi import APIRouter
    from headwater import HttpCtx

    router = APIRouter()

    @router.post("/hooks/payments")
    async def payment(ctx: HttpCtx, order: str) -> dict[str, str]: ...

The rest is FastAPI's: parameters, bodies, responses and their validation errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from headwater.core.context import ActionCtx
from headwater.core.manifest import RouteSpec
from headwater.core.registry import App
from headwater.errors import RegistrationError

CTX: Final = "headwater.ctx"
"""The member of an ASGI scope that holds the ctx of the request."""

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FILE: Final = "backend/routes.py"
_ROUTER: Final = "router = APIRouter(), of fastapi, and functions under @router.post(path)"
_CORS: Final = 'cors = Cors(allow_origins=["https://app.example.org"])'
_RESERVED: Final = "/.files/"


async def _ctx(request: Request) -> ActionCtx:
    found: ActionCtx | None = request.scope.get(CTX)
    if found is None:
        raise RuntimeError(
            "HttpCtx is there only in requests that Headwater serves; in tests use "
            'backend.http("GET", "/path")'
        )
    return found


HttpCtx = Annotated[ActionCtx, Depends(_ctx)]
"""An action's ctx, for a route handler: write `ctx: HttpCtx` among its parameters."""


@dataclass(frozen=True)
class Cors:
    """Which pages of other origins may call the routes: `cors = Cors(allow_origins=[...])`.

    Attributes:
        allow_origins: such as `https://app.example.org`; `["*"]` is any page.
        allow_methods: methods they may use.
        allow_headers: headers they may send beside the simple ones; `["*"]` is any.
        expose_headers: headers of answers that their scripts may read.
        allow_credentials: they may send cookies and Authorization; not for any page at once.
        max_age_s: how long a browser may remember the permission.

    Raises:
        RegistrationError: an origin that is none, or credentials for any page.
    """

    allow_origins: Iterable[str]
    allow_methods: Iterable[str] = tuple(sorted(METHODS))
    allow_headers: Iterable[str] = ("*",)
    expose_headers: Iterable[str] = ()
    allow_credentials: bool = False
    max_age_s: int = 600

    def __post_init__(self) -> None:
        if isinstance(self.allow_origins, str):
            raise _wrong(f'Cors takes a list: allow_origins=["{self.allow_origins}"]', _CORS)
        object.__setattr__(self, "allow_origins", tuple(map(str, self.allow_origins)))
        for origin in self.allow_origins:
            scheme, _, host = origin.partition("://")
            if origin != "*" and (scheme not in ("http", "https") or not host or "/" in host):
                raise _wrong(
                    f"{origin!r} is no origin; write it as a browser sends it, "
                    "such as https://app.example.org",
                    _CORS,
                )
        if self.allow_credentials and self.allows("*"):
            raise _wrong(
                'Cors(allow_origins=["*"], allow_credentials=True) would let any page '
                "act as whoever is signed in. Name the origins",
                _CORS,
            )

    def allows(self, origin: str) -> bool:
        """True for an origin that is named, and for any when `*` is."""
        named = tuple(self.allow_origins)
        return origin in named or "*" in named


class Routes:
    """The HTTP routes of one load of a backend, as an ASGI application.

    Attributes:
        specs: its routes as plain data.
        cors: which pages of other origins may call; None for none.
    """

    def __init__(self, router: APIRouter, cors: Cors | None = None) -> None:
        _sort(router)
        self.cors = cors
        self.specs = tuple(_specs(router))
        app = _App(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        app.include_router(router)
        app.router.default = _no_route
        self._app: Any = app if cors is None else _with_cors(app, cors)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request; raises what a handler raised and nobody caught."""
        await self._app(scope, receive, send)


class _App(FastAPI):
    """Without the outermost middleware, which answers an uncaught error in words of its own."""

    def build_middleware_stack(self) -> Any:
        return super().build_middleware_stack().app  # type: ignore[attr-defined]


def with_routes(app: App, module: ModuleType) -> App:
    """A loaded backend with the routes of its module `routes`.

    Raises:
        RegistrationError: the module has no router, or a route that cannot be served.
    """
    router, cors = getattr(module, "router", None), getattr(module, "cors", None)
    if not isinstance(router, APIRouter):
        found = "defines no `router`" if router is None else f"`router` is {_article(router)}"
        raise _wrong(f"{found}; write `router = APIRouter()`, of fastapi")
    if cors is not None and not isinstance(cors, Cors):
        raise _wrong(f"`cors` is {_article(cors)}; write `cors = Cors(allow_origins=[...])`", _CORS)
    routes = Routes(router, cors)
    return replace(app, manifest=replace(app.manifest, routes=routes.specs), site=routes)


def _article(value: Any) -> str:
    return f"of type {type(value).__name__}"


def _sort(router: APIRouter) -> None:
    """Puts exact paths first and the longest prefixes before shorter ones, in each router."""
    router.routes.sort(key=_rank)
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            _sort(inner)


def _rank(route: Any) -> tuple[int, int]:
    path = getattr(route, "path", None)
    if path is None:  # an included router
        return 1, 0
    if ":path}" in path or isinstance(route, Mount):
        return 3, -len(path.partition("{")[0])
    return (2 if "{" in path else 0), 0


def _specs(router: APIRouter) -> Iterator[RouteSpec]:
    for route in _leaves(router):
        path = str(route.path)
        methods = getattr(route, "methods", None)
        if isinstance(getattr(route, "route", route), Mount):
            methods = {"GET"}  # another application, which decides itself
        if not methods:
            raise _refused(path, "is no HTTP route. Clients follow data by subscribing to queries")
        if path.startswith(_RESERVED) or f"{path}/" == _RESERVED:
            raise _refused(path, f"begins with {_RESERVED}, which is reserved")
        if "HEAD" in methods:
            raise _refused(path, "declares HEAD, which always runs the GET route: leave it out")
        if methods - METHODS:
            raise _refused(path, f"declares {min(methods - METHODS)}; served are {_listed()}")
        yield from (RouteSpec(method, path) for method in sorted(methods))
    if router.on_startup or router.on_shutdown:
        raise _wrong(
            "what a router does at startup and shutdown is not run. Do it in the "
            "handlers, or in a scheduled function"
        )


def _leaves(router: APIRouter) -> Iterator[Any]:
    try:
        from fastapi.routing import iter_route_contexts
    except ImportError:  # before 0.137 an included router's routes were copied
        return iter(router.routes)
    return iter_route_contexts(router.routes)


def _refused(path: str, why: str) -> RegistrationError:
    return _wrong(f"the route {path} {why}")


def _wrong(what: str, fix: str = _ROUTER) -> RegistrationError:
    return RegistrationError(f"{_FILE}: {what}").by_rule("HW502", fix, _FILE)


def _listed() -> str:
    return ", ".join(sorted(METHODS))


def _with_cors(app: FastAPI, cors: Cors) -> CORSMiddleware:
    return CORSMiddleware(
        app,
        allow_origins=tuple(cors.allow_origins),
        allow_methods=tuple(cors.allow_methods),
        allow_headers=tuple(cors.allow_headers),
        expose_headers=tuple(cors.expose_headers),
        allow_credentials=cors.allow_credentials,
        max_age=cors.max_age_s,
    )


async def _no_route(scope: Any, receive: Any, send: Any) -> None:
    from headwater.http_api import problem

    path = scope["path"].removeprefix(scope.get("root_path", ""))
    text = f"No HTTP route for {scope['method']} {path}. Routes are declared in {_FILE}."
    await problem(404, "NoHttpRoute", text)(scope, receive, send)
