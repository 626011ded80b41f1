"""What programs reach over HTTP, with an API key."""

import pytest
from headwater import MutationCtx
from headwater.testing import Backend, Caller

from backend.api_keys import BURST, create_api_key, get_api_keys, revoke_api_key
from backend.tasks import create_task, get_tasks


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Somebody with a program."""
    return backend.with_identity(subject="ana")


@pytest.fixture
def headers(ana: Caller) -> dict[str, str]:
    """What ana's program sends along."""
    return {"Authorization": f"Bearer {ana.action(create_api_key, name='program').key}"}


def status(backend: Backend, headers: dict[str, str], body: bytes | None = None) -> int:
    """How a request is answered: a GET, or a POST if it has a body."""
    method = "GET" if body is None else "POST"
    return backend.http(method, "/api/v1/tasks", headers=headers, content=body).status_code


def test_a_program_lists_the_tasks_of_whose_key_it_is(
    backend: Backend, ana: Caller, headers: dict[str, str]
) -> None:
    """In the same form as every client gets them, and nobody else's."""
    task_id = ana.mutation(create_task, title="Mine")
    backend.with_identity(subject="ben").mutation(create_task, title="Not mine")
    answer = backend.http("GET", "/api/v1/tasks", headers=headers)
    assert answer.status_code == 200
    assert [(task["_id"], task["title"]) for task in answer.json()["tasks"]] == [(task_id, "Mine")]


def test_a_program_adds_a_task(backend: Backend, ana: Caller, headers: dict[str, str]) -> None:
    """Whoever watches the list sees it come."""
    watched = ana.subscribe(get_tasks)
    body = {"title": "From a program", "priority": "high"}
    answer = backend.http("POST", "/api/v1/tasks", headers=headers, json=body)
    assert answer.status_code == 201
    (task,) = watched.value
    assert (task.id, task.title, task.priority) == (answer.json()["id"], "From a program", "high")
    watched.close()


@pytest.mark.parametrize("value", ["", "Bearer", "Basic hw_0123", "Bearer hw_wrong", "hw_wrong"])
def test_without_a_right_key_nothing_opens(backend: Backend, value: str) -> None:
    """Neither to read nor to write."""
    assert status(backend, {"Authorization": value}) == 401
    assert status(backend, {"Authorization": value}, b'{"title": "x"}') == 401


def test_a_revoked_key_opens_nothing(
    backend: Backend, ana: Caller, headers: dict[str, str]
) -> None:
    """From the moment it is revoked."""
    (key,) = ana.query(get_api_keys)
    ana.mutation(revoke_api_key, key_id=key.id)
    assert status(backend, headers) == 401


def test_a_key_opens_until_it_expires(backend: Backend, ana: Caller) -> None:
    """To the millisecond, and nothing after it."""

    async def now(ctx: MutationCtx) -> float:
        return ctx.now

    expires_at = backend.run(now) + 60_000
    key = ana.action(create_api_key, name="program", expires_at=expires_at).key
    backend.advance(ms=59_999)
    assert status(backend, {"Authorization": f"Bearer {key}"}) == 200
    backend.advance(ms=1)
    assert status(backend, {"Authorization": f"Bearer {key}"}) == 401


def test_requests_have_a_limit(backend: Backend, headers: dict[str, str]) -> None:
    """60 at once, then one a second; the answer says when to come back."""
    assert [status(backend, headers) for _ in range(BURST)] == [200] * BURST
    refused = backend.http("GET", "/api/v1/tasks", headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    backend.advance(seconds=1)
    assert status(backend, headers) == 200


@pytest.mark.parametrize(
    "body", [b"", b"title=x", b"[]", b"{}", b'{"title": 1}', b'{"title": "x", "owner": "ben"}']
)
def test_a_body_that_does_not_fit_is_refused(
    backend: Backend, ana: Caller, headers: dict[str, str], body: bytes
) -> None:
    """Before anything is written."""
    assert status(backend, headers, body) == 400
    assert ana.query(get_tasks) == []
