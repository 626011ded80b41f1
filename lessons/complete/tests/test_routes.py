"""What programs reach over HTTP, with an API key or a signature."""

import json
from typing import Any

import pytest
from headwater.testing import Backend, Caller

from backend.api_keys import BURST, create_api_key, get_api_keys, revoke_api_key
from backend.schema import WebhookEvent
from backend.tasks import count_tasks, create_task, get_tasks, list_open
from backend.webhooks import sign
from tests.people import Team
from tests.scene import now

SECRET = "a secret of both sides"


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Somebody with a program."""
    return backend.with_identity(subject="ana")


@pytest.fixture
def headers(ana: Caller) -> dict[str, str]:
    """What ana's program sends along."""
    return {"Authorization": f"Bearer {ana.action(create_api_key, name='program').key}"}


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
    body = {"title": "From a program", "priority": "high", "dueAt": 1_800_000_000_000.0}
    answer = backend.http("POST", "/api/v1/tasks", headers=headers, json=body)
    assert answer.status_code == 201
    (task,) = watched.value
    assert (task.id, task.title, task.priority) == (answer.json()["id"], "From a program", "high")
    watched.close()


def test_uses_are_counted(backend: Backend, ana: Caller, headers: dict[str, str]) -> None:
    """Each request that was let in, with the time of the last."""
    for _ in range(3):
        backend.http("GET", "/api/v1/tasks", headers=headers)
    (key,) = ana.query(get_api_keys)
    assert key.uses == 3
    assert key.last_used_at is not None


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer  ", "Basic hw_0123", "Bearer hw_wrong", "hw_wrong"]
)
def test_without_a_right_key_nothing_opens(backend: Backend, value: str) -> None:
    """Whatever else is wrong with the request."""
    headers = {"Authorization": value} if value else {}
    for method in ("GET", "POST"):
        answer = backend.http(method, "/api/v1/tasks", headers=headers, json={"title": "x"})
        assert answer.status_code == 401


def test_a_revoked_key_opens_nothing(
    backend: Backend, ana: Caller, headers: dict[str, str]
) -> None:
    """From the moment it is revoked."""
    (key,) = ana.query(get_api_keys)
    ana.mutation(revoke_api_key, key_id=key.id)
    assert backend.http("GET", "/api/v1/tasks", headers=headers).status_code == 401
    (key,) = ana.query(get_api_keys)
    assert key.uses == 0


def test_a_key_opens_until_it_expires(backend: Backend, ana: Caller) -> None:
    """To the millisecond, and nothing after it."""
    expires_at = backend.run(now) + 60_000
    key = ana.action(create_api_key, name="program", expires_at=expires_at).key
    for passed, status in ((59_999, 200), (1, 401)):
        backend.advance(ms=passed)
        headers = {"Authorization": f"Bearer {key}"}
        assert backend.http("GET", "/api/v1/tasks", headers=headers).status_code == status


def test_requests_have_a_limit(backend: Backend, headers: dict[str, str]) -> None:
    """60 at once, then one a second; the answer says when to come back."""
    for _ in range(BURST):
        assert backend.http("GET", "/api/v1/tasks", headers=headers).status_code == 200
    refused = backend.http("GET", "/api/v1/tasks", headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    backend.advance(seconds=1)
    assert backend.http("GET", "/api/v1/tasks", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"title=x", 400),
        (b'{"title": "x"', 400),
        (b"[]", 400),
        (b"{}", 400),
        (json.dumps({"title": "x" * 201}).encode(), 400),
        (b'{"title": "x", "priority": "urgent"}', 400),
        (b'{"title": "x", "owner": "ben"}', 400),
        (b'{"title": "x", "projectId": "none"}', 404),
    ],
)
def test_a_body_that_does_not_fit_is_refused(
    backend: Backend, ana: Caller, headers: dict[str, str], body: bytes, status: int
) -> None:
    """Before anything is written."""
    answer = backend.http("POST", "/api/v1/tasks", headers=headers, content=body)
    assert answer.status_code == status
    assert ana.query(get_tasks) == []


def test_a_refused_body_is_not_sent_back(backend: Backend, headers: dict[str, str]) -> None:
    """The answer says what does not fit; answers end up in other people's logs."""
    body = {"title": "x", "priority": "a-secret"}
    answer = backend.http("POST", "/api/v1/tasks", headers=headers, json=body)
    assert "priority" in answer.text
    assert "a-secret" not in answer.text


def test_a_key_opens_no_more_than_its_owner(team: Team) -> None:
    """A task goes into a project of theirs, and into nobody else's."""
    for person, status in ((team.cleo, 201), (team.dan, 404), (team.eve, 404)):
        key = person.action(create_api_key, name="program").key
        answer = team.backend.http(
            "POST",
            "/api/v1/tasks",
            headers={"Authorization": f"Bearer {key}"},
            json={"title": "From outside", "projectId": team.project_id},
        )
        assert answer.status_code == status
    assert team.ana.query(count_tasks, project_id=team.project_id).open == 1


# The webhook


def sent(backend: Backend, event: Any, signature: str | None = None) -> tuple[int, Any]:
    """What an event is answered with; signed rightly unless another signature is given."""
    backend.set_env(WEBHOOK_SECRET=SECRET)
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    given = sign(SECRET, body) if signature is None else signature
    headers = {"X-Signature": given.encode("latin-1")}
    answer = backend.http("POST", "/webhooks/tasks", content=body, headers=headers)
    return answer.status_code, answer.json()


def created(team: Team, event_id: str = "1") -> dict[str, Any]:
    """An event that adds a task to the project."""
    data = {"projectId": team.project_id, "title": "From elsewhere", "colour": "red"}
    return {"id": event_id, "type": "task.created", "data": data, "sentAt": 1}


def test_an_event_adds_a_task_for_the_projects_owner(team: Team) -> None:
    """And what it says beyond that is left out."""
    assert sent(team.backend, created(team)) == (200, {"applied": True})
    (task,) = team.ana.query(list_open, project_id=team.project_id)
    assert (task.title, task.assignee) == ("From elsewhere", "ana")


def test_an_event_that_comes_twice_is_applied_once(team: Team) -> None:
    """Who sends it cannot know whether we got it, and is told that all is well."""
    assert sent(team.backend, created(team)) == (200, {"applied": True})
    assert sent(team.backend, created(team)) == (200, {"applied": False})
    assert len(team.ana.query(list_open, project_id=team.project_id)) == 1
    assert sent(team.backend, created(team, "2")) == (200, {"applied": True})


def test_an_event_completes_a_task(team: Team) -> None:
    """The counters go with it; one that is completed already stays so."""
    task_id = team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    for number in ("1", "2"):
        event = {"id": number, "type": "task.completed", "data": {"taskId": task_id}}
        assert sent(team.backend, event) == (200, {"applied": True})
    counts = team.ana.query(count_tasks, project_id=team.project_id)
    assert (counts.open, counts.completed) == (0, 1)


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha256=\xe9", sign("another secret", b"not json")],
)
def test_a_wrong_signature_is_refused_before_the_body_is_read(team: Team, signature: str) -> None:
    """The body is no JSON: that would be another error, if anybody had looked."""
    assert sent(team.backend, b"not json", signature)[0] == 401


def test_a_signature_fits_one_body(team: Team) -> None:
    """One that was overheard is worth nothing for another."""
    overheard = sign(SECRET, json.dumps(created(team)).encode())
    assert sent(team.backend, created(team, "2"), overheard)[0] == 401


@pytest.mark.parametrize(
    "event",
    [
        b"not json",
        b"[]",
        {"type": "task.created"},
        {"id": "", "type": "task.created", "data": {}},
        {"id": "1", "type": "task.created", "data": {"title": "x"}},
        {"id": "1", "type": "task.completed", "data": {"taskId": 1}},
    ],
)
def test_a_body_that_is_no_event_is_refused(team: Team, event: Any) -> None:
    """With what does not fit, and nothing stored."""
    assert sent(team.backend, event)[0] == 400
    assert team.backend.run(lambda ctx: ctx.db.query(WebhookEvent).take(1)) == []


def test_an_event_of_what_is_not_there_can_come_again(team: Team) -> None:
    """It was not applied, so it is not remembered."""
    event = {"id": "1", "type": "task.completed", "data": {"taskId": "none"}}
    assert sent(team.backend, event)[0] == sent(team.backend, event)[0] == 404


def test_an_event_of_another_kind_is_taken_and_left(team: Team) -> None:
    """Services send more than anybody uses, and give up on who refuses it."""
    assert sent(team.backend, {"id": "1", "type": "task.moved"}) == (200, {"applied": False})


def test_without_a_secret_webhooks_are_off(backend: Backend) -> None:
    """Nobody could prove anything, so nobody is believed."""
    signed = sign("", b"{}")
    answer = backend.http("POST", "/webhooks/tasks", content=b"{}", headers={"X-Signature": signed})
    assert answer.status_code == 503
