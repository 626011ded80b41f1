"""Servers and clients for the stories; each is ended whatever happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.official_clients import OfficialClient
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess

StartServer = Callable[..., ServerProcess]
OpenClient = Callable[[str, ServerProcess], OfficialClient]
Clients = Callable[[str], OfficialClient]
OpenRaw = Callable[..., RawClient]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all stories that leave it as it was; each uses names of its own."""
    process = ServerProcess(tmp_path_factory.mktemp("shared"))
    try:
        yield process.start()
    finally:
        process.end()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server of this test's own, which it may kill."""
    with ExitStack() as stack:

        def start(
            command: str = "dev", arguments: Sequence[str] = (), **limits: str
        ) -> ServerProcess:
            process = ServerProcess(tmp_path, limits=limits)
            stack.callback(process.end)
            return process.start(command, arguments)

        yield start


@pytest.fixture
def open_client() -> Iterator[OpenClient]:
    """Starts an official client of this test's own by name: browser, react, http or python."""
    with ExitStack() as stack:

        def open_(name: str, server: ServerProcess) -> OfficialClient:
            client = OfficialClient(name, server.url)
            stack.callback(client.end)
            return client

        yield open_


@pytest.fixture(scope="session")
def clients(server: ServerProcess) -> Iterator[Clients]:
    """The shared server's clients by name, each started once: for stories that leave no trace.

    A client that a test has wedged is replaced, so that only that test fails.
    """
    running: dict[str, OfficialClient] = {}

    def client(name: str) -> OfficialClient:
        known = running.get(name)
        if known is not None and known.is_well():
            return known
        if known is not None:
            known.end()
        running[name] = OfficialClient(name, server.url)
        return running[name]

    try:
        yield client
    finally:
        for started in running.values():
            started.end()


@pytest.fixture
def open_raw() -> Iterator[OpenRaw]:
    """Opens a socket and says hello; `greet=False` leaves that to the test."""
    with ExitStack() as stack:

        def open_(server: ServerProcess, greet: bool = True, **options: Any) -> RawClient:
            client = RawClient(server.url, **options)
            stack.callback(client.close)
            return client.hello() if greet else client

        yield open_


@pytest.fixture
def raw(server: ServerProcess, open_raw: OpenRaw) -> RawClient:
    """A connected socket to the shared server."""
    return open_raw(server)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name no other test uses, for counters and people on the shared server."""
    return str(request.node.nodeid)
