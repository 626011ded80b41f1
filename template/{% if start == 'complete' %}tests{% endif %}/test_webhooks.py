"""What telling another service promises, with such a service on this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from headwater import Id
from headwater.testing import Backend, Caller

from backend.schema import Task
from backend.tasks import create_task, delete_task, toggle_task
from backend.webhooks import ATTEMPTS, sign

SECRET = "a secret of both sides"


@dataclass
class Service:
    """Another service: what it was sent, and how it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[Any]:
        """The events it was sent."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def service(backend: Backend) -> Iterator[Service]:
    """A service that is told of completed tasks."""
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append((self.headers["x-signature"], body))
            self.send_response(made.status)
            self.send_header("location", made.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Tests print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=hush"
        backend.set_env(WEBHOOK_SECRET=SECRET, WEBHOOK_URL=made.url)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Somebody who gets things done."""
    return backend.with_identity(subject="ana")


def completed(person: Caller) -> Id[Task]:
    """A task that was just completed."""
    task_id = person.mutation(create_task, title="Dig")
    person.mutation(toggle_task, task_id=task_id)
    return task_id


def test_a_completed_task_is_told_once(backend: Backend, service: Service, ana: Caller) -> None:
    """Signed, so that the service can tell who wrote it."""
    task_id = completed(ana)
    backend.finish_scheduled()
    ((signature, body),) = service.got
    assert signature == sign(SECRET, body)
    (event,) = service.events
    assert event["type"] == "task.completed"
    assert event["data"] == {"taskId": task_id, "title": "Dig", "assignee": "ana"}


def test_opening_it_again_is_no_news(backend: Backend, service: Service, ana: Caller) -> None:
    """Completing it once more is, under another id."""
    task_id = completed(ana)
    ana.mutation(toggle_task, task_id=task_id)
    backend.advance(seconds=1)
    ana.mutation(toggle_task, task_id=task_id)
    backend.finish_scheduled()
    assert len({event["id"] for event in service.events}) == len(service.events) == 2


def test_a_service_that_fails_is_told_again(
    backend: Backend, service: Service, ana: Caller
) -> None:
    """After 10 seconds, then 20, 40 and 80; the same event, so that it can count it once."""
    service.status = 500
    completed(ana)
    told = []
    for seconds in (0, 9, 1, 20, 40, 80, 1000):
        backend.advance(seconds=seconds)
        told.append(len(service.got))
    assert told == [1, 1, 2, 3, 4, 5, 5]
    assert len({event["id"] for event in service.events}) == 1
    assert len(service.got) == ATTEMPTS


def test_a_service_that_comes_back_is_left_alone(
    backend: Backend, service: Service, ana: Caller
) -> None:
    """One success ends it."""
    service.status = 503
    completed(ana)
    backend.advance()
    service.status = 204
    backend.finish_scheduled()
    assert len(service.got) == 2


def test_a_redirect_is_not_followed(backend: Backend, service: Service, ana: Caller) -> None:
    """Who may answer could send the signed news anywhere."""
    service.status = 307
    completed(ana)
    backend.advance()
    assert len(service.got) == 1


def test_nobody_is_told_of_a_task_that_is_gone(
    backend: Backend, service: Service, ana: Caller
) -> None:
    """Deleted before its news were sent."""
    ana.mutation(delete_task, task_id=completed(ana))
    backend.finish_scheduled()
    assert service.got == []


def test_without_an_address_nobody_is_told(backend: Backend, ana: Caller) -> None:
    """And nothing is scheduled."""
    completed(ana)
    with pytest.raises(AssertionError):
        assert backend.run(lambda ctx: ctx.db.system.query("_scheduled_functions").take(1)) != []


def test_the_log_has_no_secret(
    backend: Backend, service: Service, ana: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither of a failed attempt, nor of an address that nobody is at."""
    service.status = 500
    completed(ana)
    backend.advance()
    backend.set_env(WEBHOOK_URL="http://127.0.0.1:1/hook?token=hush")
    backend.advance(seconds=10)
    logged = "".join(backend.log_lines) + capsys.readouterr().out
    assert "hush" not in logged
    assert SECRET not in logged
