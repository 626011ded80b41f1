"""HTTP routes: what backend/routes.py declares, and what its handlers answer."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater import Cors
from headwater.core.manifest import Manifest
from headwater.errors import HeadwaterError, RegistrationError
from headwater.loader import load
from headwater.testing import Backend
from tests.headwater.projects import TASKS, write_project

HEAD = """
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from headwater import AppError, Cors, HttpCtx
from backend.tasks import add, titles, who

router = APIRouter()
"""
Load = Callable[[str], Backend]


@pytest.fixture
def load_routes(tmp_path: Path) -> Iterator[Load]:
    """Loads a backend with tasks and these routes."""
    made: list[Backend] = []

    def load_(routes: str) -> Backend:
        write_project(tmp_path, tasks=TASKS)
        write_project(tmp_path, routes=HEAD + textwrap.dedent(routes))
        made.append(Backend.load(tmp_path))
        return made[-1]

    yield load_
    for backend in made:
        backend.close()


# what a handler may do


def test_a_handler_has_an_action_s_ctx(load_routes: Load) -> None:
    """It runs queries and mutations, and FastAPI reads its parameters."""
    backend = load_routes("""
        @router.post("/tasks")
        async def post(ctx: HttpCtx, title: str) -> list[str]:
            await ctx.run_mutation(add, title=title)
            print("posted", title, ctx.now > 0, ctx.random.random() < 1)
            return await ctx.run_query(titles)
    """)
    assert backend.http("POST", "/tasks", params={"title": "a"}).json() == ["a"]
    assert backend.log_lines == ["[LOG] 'posted' 'a' True True"]
    assert backend.http("POST", "/tasks").status_code == 422


def test_the_caller_s_identity_is_there(load_routes: Load) -> None:
    """In the handler, and in what it runs."""
    backend = load_routes("""
        @router.get("/me")
        async def me(ctx: HttpCtx) -> list[str]:
            me = await ctx.auth.require_identity()
            return [me.subject, await ctx.run_query(who)]
    """)
    assert backend.with_identity(subject="ana").http("GET", "/me").json() == ["ana", "ana"]
    assert "Not signed in" in backend.http("GET", "/me").json()["code"]


def test_plain_functions_and_streams_are_answers_too(load_routes: Load) -> None:
    """As FastAPI has them."""
    backend = load_routes("""
        @router.get("/plain")
        def plain() -> str:
            return "plain"

        @router.post("/upper")
        async def upper(request: Request) -> StreamingResponse:
            return StreamingResponse([(chunk async for chunk in request.stream())][0])
    """)
    assert backend.http("GET", "/plain").json() == "plain"
    assert backend.http("POST", "/upper", content=b"a" * 100_000).text == "a" * 100_000


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ('ValueError("the cable is out")', {"code": "Uncaught ValueError: the cable is out"}),
        ('AppError({"n": 1})', {"code": 'Uncaught ConvexError: {"n":1}', "data": {"n": 1.0}}),
        ("SystemExit(3)", {"code": "Uncaught SystemExit: 3"}),
    ],
)
def test_an_uncaught_error_is_500(load_routes: Load, raised: str, told: dict[str, object]) -> None:
    """With code and trace, and the data of an AppError."""
    backend = load_routes(f"""
        @router.get("/fail")
        async def fail() -> None:
            raise {raised}
    """)
    answer = backend.http("GET", "/fail")
    body = answer.json()
    title, _, first = body["code"].partition(": Uncaught")
    assert (answer.status_code, f"Uncaught{first}") == (500, told["code"])
    assert title.startswith("[Request ID: ")
    assert title.endswith("] Server Error")
    assert "at fail (backend/routes.py:" in body["trace"]
    assert body.get("data") == told.get("data")


def test_a_busy_engine_is_503(load_routes: Load) -> None:
    """With the code that the HTTP API gives, for whoever tries again."""
    backend = load_routes("""
        from headwater.errors import Conflict

        @router.get("/busy")
        async def busy() -> None:
            raise Conflict
    """)
    answer = backend.http("GET", "/busy")
    code = answer.json()["code"]
    assert (answer.status_code, code) == (503, "OptimisticConcurrencyControlFailure")


def test_an_http_error_is_the_handler_s_own(load_routes: Load) -> None:
    """What FastAPI makes of it stays."""
    backend = load_routes("""
        from fastapi import HTTPException

        @router.get("/teapot")
        async def teapot() -> None:
            raise HTTPException(418, "short and stout")
    """)
    answer = backend.http("GET", "/teapot")
    assert (answer.status_code, answer.json()) == (418, {"detail": "short and stout"})


# which handler it is


PATHS = """
@router.get("/files/{rest:path}")
async def any_file(rest: str) -> str:
    return f"any {rest}"

@router.get("/files/{name}")
async def one(name: str) -> str:
    return f"one {name}"

@router.get("/files/a/{rest:path}")
async def of_a(rest: str) -> str:
    return f"of a: {rest}"

@router.get("/files/exact")
async def exact() -> str:
    return "exact"

@router.post("/files/a/b")
async def posted() -> str:
    return "posted"

inner = APIRouter()

@inner.get("/{rest:path}")
async def inner_any(rest: str) -> str:
    return f"inner {rest}"

@inner.get("/exact")
async def inner_exact() -> str:
    return "inner exact"

router.include_router(inner, prefix="/inner")
"""


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/files/exact", "exact"),
        ("/files/other", "one other"),
        ("/files/a/b", "of a: b"),
        ("/files/b/c", "any b/c"),
        ("/files/", "any "),
        ("/inner/exact", "inner exact"),
        ("/inner/x/y", "inner x/y"),
    ],
)
def test_exact_paths_come_first_and_then_the_longest_prefix(
    load_routes: Load, path: str, answer: str
) -> None:
    """Whatever their order in the file; a route of another method does not hide one."""
    assert load_routes(PATHS).http("GET", path).json() == answer


def test_head_runs_get(load_routes: Load) -> None:
    """The handler sees a GET."""
    backend = load_routes("""
        @router.get("/seen")
        async def seen(request: Request) -> str:
            print(request.method)
            return "body"
    """)
    assert backend.http("HEAD", "/seen").status_code == 200
    assert backend.log_lines == ["[LOG] 'GET'"]


def test_no_route_is_404(load_routes: Load) -> None:
    """With a text that says where routes come from; another method of a path is 405."""
    backend = load_routes(PATHS)
    answer = backend.http("GET", "/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "NoHttpRoute")
    assert "No HTTP route for GET /nothing" in answer.json()["message"]
    assert backend.http("DELETE", "/files/exact").status_code == 405
    assert backend.http("GET", "/files/exact/").json() == "any exact/"


def test_a_backend_without_routes_says_so(tmp_path: Path) -> None:
    """To a test that asks it."""
    backend = Backend.load(write_project(tmp_path, tasks=TASKS))
    with pytest.raises(HeadwaterError, match=r"declare them in backend/routes\.py"):
        backend.http("GET", "/")
    backend.close()


# limits


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 500)])
def test_http_response_bytes_is_a_limit(load_routes: Load, spare: int, status: int) -> None:
    """An answer of exactly the limit is sent, one byte more is an error that says what to do."""
    backend = load_routes("""
        @router.get("/ten")
        async def ten() -> str:
            return "12345678"
    """)
    limits = backend._host.engine.database.limits
    object.__setattr__(limits, "http_response_bytes", 10 + spare)
    answer = backend.http("GET", "/ten")
    assert answer.status_code == status
    assert status == 200 or "the limit is 9. Store it as a file" in answer.json()["code"]


# what is refused when a backend is loaded


@pytest.mark.parametrize(
    ("routes", "why"),
    [
        ("del router", "defines no `router`; write `router = APIRouter()`"),
        ("router = 7", "`router` is of type int; write"),
        ("from fastapi import FastAPI\nrouter = FastAPI()", "`router` is of type FastAPI"),
        ("cors = ['*']", "`cors` is of type list; write"),
        ("@router.get('/.files/x')\ndef f() -> None: ...", "/.files/x begins with /.files/"),
        ("@router.head('/x')\ndef f() -> None: ...", "/x declares HEAD, which always runs"),
        ("@router.trace('/x')\ndef f() -> None: ...", "/x declares TRACE; served are DELETE"),
        ("@router.websocket('/x')\nasync def f() -> None: ...", "/x is no HTTP route"),
        ("router.on_startup.append(print)", "at startup and shutdown is not run"),
        ("cors = Cors('*')", 'Cors takes a list: allow_origins=["*"]'),
        ("cors = Cors(['example.org'])", "'example.org' is no origin"),
        ("cors = Cors(['https://a.example/'])", "'https://a.example/' is no origin"),
        ("cors = Cors(['*'], allow_credentials=True)", "let any page act as whoever is signed in"),
    ],
)
def test_what_cannot_be_served_is_refused(load_routes: Load, routes: str, why: str) -> None:
    """At load time, with the file and what to write instead."""
    with pytest.raises(RegistrationError) as refused:
        load_routes(routes)
    assert str(refused.value).startswith("HW502 backend/routes.py")
    assert why in str(refused.value)


def test_the_manifest_lists_routes(tmp_path: Path) -> None:
    """Those of included routers too, and it travels as JSON."""
    root = write_project(tmp_path, tasks=TASKS)
    write_project(tmp_path, routes=HEAD + PATHS)
    manifest = load(root).manifest
    listed = [(route.method, route.path) for route in manifest.routes]
    assert ("POST", "/files/a/b") in listed
    assert ("GET", "/inner/exact") in listed
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))).routes == manifest.routes
    assert "routes" not in Manifest().to_json()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("https://a.example", True), ("https://a.example.evil", False), ("http://a.example", False)],
)
def test_cors_names_origins_exactly(origin: str, allowed: bool) -> None:
    """Scheme and host."""
    assert Cors(["https://a.example"]).allows(origin) is allowed
    assert Cors(["*"]).allows(origin)
