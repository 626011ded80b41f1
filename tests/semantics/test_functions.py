"""wire.md 3.4 and 3.5: functions, actions, scheduling; auth and storage."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.core.calls import Call, Outcome
from headwater.core.identity import identity_of
from headwater.core.placement import InProcess
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet
from headwater.core.session import Close, Session
from headwater.core.work import Authenticated, FromClient
from headwater.loader import load
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.projects import write_project
from tests.headwater.served import Served

NOTES = """
from typing import Any

from headwater import (
    ActionCtx, AppError, Document, Id, MutationCtx, QueryCtx, ScheduledFunction,
    action, internal_action, internal_mutation, internal_query, mutation, query,
)
from headwater.errors import Conflict


class Note(Document, table="notes"):
    text: str


@query
async def texts(ctx: QueryCtx) -> list[str]:
    return [note.text for note in await ctx.db.query(Note).collect()]


@internal_query
async def hidden_query(ctx: QueryCtx) -> str:
    return "query"


@internal_mutation
async def write(ctx: MutationCtx, text: str) -> str:
    who = await ctx.auth.get_user_identity()
    await ctx.db.insert(Note(text=text if who is None else f"{text} by {who.subject}"))
    if text == "bad":
        raise AppError("bad")
    return "mutation"


@internal_action
async def work(ctx: ActionCtx, text: str) -> str:
    await ctx.run_mutation(write, text=text)
    return "action"


@action
async def reach(ctx: ActionCtx) -> list[str]:
    return [
        await ctx.run_query(hidden_query),
        await ctx.run_mutation(write, text="a"),
        await ctx.run_action(work, text="b"),
    ]


@action
async def two_snapshots(ctx: ActionCtx, fail: bool) -> list[list[str]]:
    before = await ctx.run_query(texts)
    await ctx.run_mutation(write, text="between")
    after = await ctx.run_query(texts)
    if fail:
        raise AppError("after all")
    return [before, after]


@action
async def conflicted(ctx: ActionCtx) -> None:
    await ctx.run_mutation(write, text="try")
    raise Conflict


@mutation
async def later(ctx: MutationCtx, text: str, ms: float = 0, fail: bool = False) -> Id[Any]:
    job = await ctx.scheduler.run_after(ms, write, text=text)
    if fail:
        raise AppError("no")
    return job


@mutation
async def later_work(ctx: MutationCtx, text: str, ms: float = 0) -> Id[Any]:
    return await ctx.scheduler.run_after(ms, work, text=text)


@action
async def at_once(ctx: ActionCtx) -> None:
    await ctx.scheduler.run_after(0, write, text="at once")
    raise AppError("later")


@mutation
async def cancel(ctx: MutationCtx, job: Id[Any]) -> None:
    await ctx.scheduler.cancel(job)


@internal_action
async def cancel_itself(ctx: ActionCtx) -> None:
    running = await ctx.run_query(jobs)
    await ctx.scheduler.cancel(running[0].id)
    await ctx.scheduler.run_after(0, write, text="child")
    await ctx.run_mutation(write, text="itself")


@mutation
async def start_canceling(ctx: MutationCtx) -> None:
    await ctx.scheduler.run_after(0, cancel_itself)


@query
async def jobs(ctx: QueryCtx) -> list[ScheduledFunction]:
    return await ctx.db.system.query(ScheduledFunction).collect()


@query
async def who(ctx: QueryCtx) -> Any:
    found = await ctx.auth.get_user_identity()
    return None if found is None else [found.subject, getattr(found, "team", None)]
"""

ROUTES = """
from fastapi import APIRouter, Request
from backend.notes import texts, who
from headwater import HttpCtx

router = APIRouter()


@router.get("/texts")
async def get_texts(ctx: HttpCtx) -> list[str]:
    return await ctx.run_query(texts)


@router.get("/broken")
async def broken(ctx: HttpCtx) -> None:
    raise ValueError("broken")
"""

CRONS = """
from backend.notes import work, write
from headwater import Crons

crons = Crons()
crons.interval("tick", write, hours=1, args={"text": "tick"})
crons.interval("work", work, hours=1, args={"text": "work"})
"""

ENV = """
import headwater
from headwater import QueryCtx, query


class Settings(headwater.Settings):
    greeting: str = "hello"
"""

GREET = """
from backend.settings import Settings
from headwater import QueryCtx, query


@query
async def greet(ctx: QueryCtx) -> list[str]:
    settings = ctx.env(Settings)
    return [settings.greeting, str(settings.convex_cloud_url), str(settings.convex_site_url)]
"""

FILES = """
from typing import Any

from headwater import (
    ActionCtx, AppError, MutationCtx, QueryCtx, StoredFile, action, mutation, query,
)


@action
async def store(ctx: ActionCtx, text: str) -> str:
    return await ctx.storage.store(text.encode(), content_type="text/plain")


@action
async def read(ctx: ActionCtx, file: str) -> str | None:
    blob = await ctx.storage.get(file)
    return None if blob is None else blob.content.decode()


@mutation
async def drop(ctx: MutationCtx, file: str, fail: bool = False) -> None:
    await ctx.storage.delete(file)
    if fail:
        raise AppError("no")


@mutation
async def url(ctx: MutationCtx, file: str) -> str | None:
    return await ctx.storage.get_url(file)


@query
async def rows(ctx: QueryCtx) -> list[StoredFile]:
    return await ctx.db.system.query(StoredFile).collect()


@query
async def can(ctx: QueryCtx) -> list[bool]:
    return [hasattr(ctx.storage, name) for name in ("store", "get", "delete", "get_url")]
"""
MODULES = {"notes": NOTES, "routes": ROUTES, "settings": ENV, "greeting": GREET, "files": FILES}


@pytest.fixture(scope="module")
def placement(tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    """The project, loaded once."""
    root = write_project(tmp_path_factory.mktemp("functions"), **MODULES)
    return InProcess(load(root), Limits(function_limit_s=60.0))


@pytest.fixture
def backend(placement: InProcess) -> Iterator[Backend]:
    """An empty backend of it."""
    made = Backend(placement)
    yield made
    made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The same behind its HTTP API."""
    made = Served(tmp_path, modules=MODULES)
    yield made
    made.close()


def states(backend: Backend) -> list[str]:
    """How far each job is."""
    return [job["state"]["kind"] for job in backend.query("notes:jobs", {})]


# 3.4: functions and actions


@pytest.mark.parametrize(
    ("kind", "name"), [("query", "hiddenQuery"), ("mutation", "write"), ("action", "work")]
)
def test_internal_functions_are_not_callable_by_clients(
    backend: Backend, kind: str, name: str
) -> None:
    """With the words for one that does not exist."""
    with pytest.raises(FunctionFailed) as refused:
        getattr(backend, kind)(f"notes:{name}", {"text": "a"})
    with pytest.raises(FunctionFailed) as unknown:
        getattr(backend, kind)("notes:nothing", {})
    said = f"Could not find public function for 'notes:{name}'. Did you forget to run `npx convex"
    assert said in str(refused.value)
    assert said.replace(name, "nothing") in str(unknown.value)


def test_internal_functions_are_callable_by_others_and_with_the_admin_key(
    backend: Backend, served: Served
) -> None:
    """By functions, by the scheduler, and by who holds the key."""
    assert backend.action("notes:reach", {}) == ["query", "mutation", "action"]
    backend.mutation("notes:later", {"text": "later"})
    backend.advance()
    assert backend.query("notes:texts", {}) == ["a", "b", "later"]
    body = {"path": "notes:hiddenQuery", "args": {}}
    assert served.post("/api/function", body, served.admin)["value"] == "query"
    assert served.post("/api/function", body)["code"] == "Forbidden"


def test_actions_have_no_transaction(backend: Backend) -> None:
    """Each `run_query` has a snapshot of its own, and a failure takes nothing back."""
    assert backend.action("notes:twoSnapshots", {"fail": False}) == [[], ["between"]]
    with pytest.raises(Exception, match="after all"):
        backend.action("notes:twoSnapshots", {"fail": True})
    assert backend.query("notes:texts", {}) == ["between", "between"]


def test_actions_are_never_retried(backend: Backend) -> None:
    """A conflict fails it like any other error."""
    with pytest.raises(FunctionFailed):
        backend.action("notes:conflicted", {})
    assert backend.query("notes:texts", {}) == ["try"]


def test_actions_pass_auth_on(backend: Backend) -> None:
    """To queries, mutations and actions."""
    backend.with_identity(subject="ana").action("notes:reach", {})
    assert backend.query("notes:texts", {}) == ["a by ana", "b by ana"]


# 3.4: scheduling


def test_scheduler_is_a_part_of_the_mutation(backend: Backend) -> None:
    """`run_after(0)` is after its commit; what fails has scheduled nothing."""
    backend.mutation("notes:later", {"text": "a"})
    with pytest.raises(Exception, match="no"):
        backend.mutation("notes:later", {"text": "b", "fail": True})
    assert backend.query("notes:texts", {}) == []
    backend.advance()
    assert backend.query("notes:texts", {}) == ["a"]


def test_scheduler_in_an_action_is_at_once(backend: Backend) -> None:
    """Whatever becomes of the action."""
    with pytest.raises(Exception, match="later"):
        backend.action("notes:atOnce", {})
    backend.advance()
    assert backend.query("notes:texts", {}) == ["at once"]


def test_scheduler_does_not_pass_auth_on(backend: Backend) -> None:
    """A job runs in nobody's name."""
    ana = backend.with_identity(subject="ana")
    ana.mutation("notes:later", {"text": "mutation"})
    ana.mutation("notes:laterWork", {"text": "action"})
    backend.advance()
    assert backend.query("notes:texts", {}) == ["mutation", "action"]


def test_job_states(backend: Backend) -> None:
    """Each of them, under the name of module and function, and gone after seven days."""
    backend.mutation("notes:later", {"text": "good"})
    backend.mutation("notes:later", {"text": "bad"})
    backend.mutation("notes:later", {"text": "waits", "ms": 1000})
    gone = backend.mutation("notes:later", {"text": "gone", "ms": 1000})
    backend.mutation("notes:cancel", {"job": gone})
    followed = backend.subscribe("notes:jobs", {})
    backend.mutation("notes:laterWork", {"text": "works"})
    backend.advance(ms=1)
    assert states(backend) == ["success", "failed", "pending", "canceled", "success"]
    seen = [update[-1]["state"]["kind"] for update in followed.updates if len(update) == 5]
    assert [kind for kind in seen if kind != "pending"] == ["inProgress", "success"]
    first, failed, waits, *_ = backend.query("notes:jobs", {})
    assert (first["name"], first["args"]) == ("notes.js:write", [{"text": "good"}])
    assert "Uncaught ConvexError: bad" in failed["state"]["error"]
    assert first["completedTime"] >= first["scheduledTime"]
    assert "completedTime" not in waits
    backend.advance(days=6)
    assert states(backend) == ["success", "failed", "success", "canceled", "success"]
    backend.advance(days=2)
    assert states(backend) == []


def test_cancel_of_a_pending_job(backend: Backend) -> None:
    """It never runs."""
    job = backend.mutation("notes:later", {"text": "a", "ms": 10})
    backend.mutation("notes:cancel", {"job": job})
    backend.advance(seconds=1)
    assert backend.query("notes:texts", {}) == []


def test_cancel_of_a_running_job_by_itself(backend: Backend) -> None:
    """It goes on, and what it schedules from then on is canceled."""
    backend.mutation("notes:startCanceling", {})
    backend.advance(seconds=1)
    assert backend.query("notes:texts", {}) == ["itself"]
    assert states(backend) == ["canceled", "canceled"]


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Backend]:
    """A backend with crons."""
    made = Backend.load(write_project(tmp_path, notes=NOTES, crons=CRONS))
    yield made
    made.close()


def test_crons_begin_at_the_deploy_and_skip_what_is_late(ticking: Backend) -> None:
    """An interval runs at once, then hourly; of ten hours slept through, one run is made up."""
    ticking.advance()
    ticking.advance(hours=1)
    assert ticking.query("notes:texts", {}).count("tick") == 2
    ticking.clock.advance(10 * 3_600_000)
    ticking.advance()
    assert ticking.query("notes:texts", {}).count("tick") == 3


def test_crons_never_run_twice_at_once(ticking: Backend) -> None:
    """While one still goes on, the next is skipped."""
    engine, held = ticking._host.engine, list[Call]()
    engine.background.start_action = held.append
    ticking.advance(hours=3)
    assert [call.path for call in held] == ["notes:work"]
    ticking._host.process(engine.background.ended(held[0], Outcome(value=b"null")))
    ticking.advance(hours=1)
    assert len(held) == 2


def test_parallelism_of_jobs_is_by_scheduled_time(placement: InProcess) -> None:
    """So many actions at once, those that were due first."""
    backend = Backend(placement, limits=Limits(scheduled_actions_at_once=2))
    held: list[Call] = []
    backend._host.engine.background.start_action = held.append
    for text, ms in (("third", 3), ("first", 1), ("second", 2)):
        backend.mutation("notes:laterWork", {"text": text, "ms": ms})
    backend.advance(seconds=1)
    assert [call.arguments["text"] for call in held] == ["first", "second"]
    backend.close()


# 3.4: http actions, environment, components


def test_http_actions_answer(backend: Backend) -> None:
    """HEAD runs GET, an unknown path is 404, a bad Authorization header is nobody's."""
    backend.mutation("notes:later", {"text": "a"})
    backend.advance()
    assert backend.http("GET", "/texts").json() == ["a"]
    assert backend.http("HEAD", "/texts").status_code == 200
    assert backend.http("GET", "/nothing").status_code == 404
    assert backend.http("GET", "/texts", headers={"Authorization": "Bearer x"}).status_code == 200


def test_http_actions_that_fail_are_500(backend: Backend) -> None:
    """With a code that names the request."""
    answer = backend.http("GET", "/broken")
    assert answer.status_code == 500
    assert "Server Error" in answer.json()["code"]


def test_env_vars(backend: Backend) -> None:
    """Declared ones by their names; both addresses are built in."""
    assert backend.query("greeting:greet", {})[0] == "hello"
    addresses = ["https://api.example", "https://site.example"]
    backend.set_env(
        GREETING="good day", CONVEX_CLOUD_URL=addresses[0], CONVEX_SITE_URL=addresses[1]
    )
    assert backend.query("greeting:greet", {}) == ["good day", *addresses]


@pytest.mark.parametrize(("component", "answered"), [(None, True), ("", True), ("other", False)])
def test_components_are_left_out(served: Served, component: str | None, answered: bool) -> None:
    """An absent or empty `componentPath` is the app itself."""
    body: dict[str, Any] = {"path": "notes:texts", "args": {}, "componentPath": component}
    answer = served.post("/api/query", body)
    assert (answer.get("status") == "success") is answered
    assert answered or answer["message"] == "components are not supported"


# 3.5: auth


def test_get_user_identity_is_null_for_nobody(backend: Backend) -> None:
    """And has custom claims."""
    assert backend.query("notes:who", {}) is None
    assert backend.with_identity(subject="ana", team="red").query("notes:who", {}) == ["ana", "red"]


def test_get_user_identity_makes_results_each_caller_s_own(backend: Backend) -> None:
    """Only of queries that ask for it: others are run once for all."""
    people = [backend.with_identity(subject=subject) for subject in ("ana", "bo")]
    before = backend.engine_stats.query_runs
    shared = [person.subscribe("notes:texts", {}) for person in people]
    assert backend.engine_stats.query_runs - before == 1
    own = [person.subscribe("notes:who", {}) for person in people]
    assert [subscription.value[0] for subscription in own] == ["ana", "bo"]
    assert [subscription.value for subscription in shared] == [[], []]


class Socket:
    """What a client would receive."""

    transitions_sent = 0

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed: Close | None = None

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Keeps it."""
        self.transitions_sent += transitions
        self.messages += [json.loads(text) for text in texts]
        self.closed = close or self.closed


def test_token_expiry_ends_in_an_auth_error(backend: Backend) -> None:
    """The socket closes, and its queries are told nothing more."""
    socket, host = Socket(), backend._host
    session = Session(socket, Limits())
    host.process(FromClient(session, Connect("0b2c5a52-2f2c-4a52-9a7e-000000000000", 0)))
    host.process(Authenticated(session, 0, identity_of("ana", "https://issuer.example")))
    add = AddQuery(0, "notes:who", {}, None)
    host.process(FromClient(session, ModifyQuerySet(0, 1, (add,))))
    assert socket.messages[-1]["modifications"][0]["value"] == ["ana", None]
    host.process(Authenticated(session, 0, None, "the token has expired", attempted=False))
    assert socket.messages[-1] == {
        "type": "AuthError",
        "error": "the token has expired",
        "baseVersion": 1,
        "authUpdateAttempted": False,
    }
    assert socket.closed is not None
    told = len(socket.messages)
    backend.mutation("notes:later", {"text": "a"})
    backend.advance()
    assert len(socket.messages) == told


def test_admin_impersonation(served: Served) -> None:
    """Who holds the key speaks in somebody's name, and reaches internal functions."""
    zoe = {"subject": "zoe", "issuer": "https://issuer.example"}
    header = f"{served.admin}:{base64.b64encode(json.dumps(zoe).encode()).decode()}"
    who = {"path": "notes:who", "args": {}}
    assert served.post("/api/query", who, header)["value"][0] == "zoe"
    assert served.post("/api/query", who, served.admin)["value"] is None
    hidden = {"path": "notes:hiddenQuery", "args": {}}
    assert served.post("/api/query", hidden, header)["value"] == "query"


# 3.5: files


def test_files_are_stored_and_read_in_actions_only(backend: Backend) -> None:
    """Queries and mutations give URLs; a row of `_storage` says what is known."""
    file = backend.action("files:store", {"text": "hello"})
    assert backend.action("files:read", {"file": file}) == "hello"
    assert backend.query("files:can", {}) == [False, False, False, True]
    (row,) = backend.query("files:rows", {})
    assert (row["_id"], row["size"], row["contentType"]) == (file, 5, "text/plain")
    assert len(base64.b64decode(row["sha256"])) == 32


def test_files_are_deleted_with_the_mutation(backend: Backend) -> None:
    """One that fails deletes nothing; both ids name the file."""
    file = backend.action("files:store", {"text": "hello"})
    uuid = backend.mutation("files:url", {"file": file}).rpartition("/")[2]
    with pytest.raises(Exception, match="no"):
        backend.mutation("files:drop", {"file": file, "fail": True})
    assert backend.action("files:read", {"file": uuid}) == "hello"
    backend.mutation("files:drop", {"file": uuid})
    assert backend.mutation("files:url", {"file": file}) is None
