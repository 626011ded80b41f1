"""A client that reads slowly, or not at all, costs a bounded amount of memory."""

import json
import re
from pathlib import Path

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.raw_client import Message, RawClient, added
from tests.scenarios.server_process import ServerProcess, wait_for

SIZE = 400_000
FEW = 60
MANY = 500
ESTABLISHED = "01"


def resident_bytes(pid: int) -> int:
    """A process's memory, as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def write_much(writer: RawClient, first: int, count: int) -> None:
    """Many commits, each of which changes what the slow client subscribes to."""
    for number in range(first, first + count):
        answer = writer.mutate(number, "values:grow", name="flood", size=SIZE, mark=number)
        assert answer["success"], answer


def test_slow_reader_gets_the_newest_state_and_costs_no_memory(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """200 megabytes of changes nobody takes: memory stays, and the reader skips to the end."""
    server = start_server()
    writer, slow = open_raw(server), open_raw(server, max_queue=1)
    write_much(writer, first=0, count=FEW)
    slow.add(0, "values:kept", name="flood")
    before = resident_bytes(server.serving_pid())
    write_much(writer, first=FEW, count=MANY)
    grown = resident_bytes(server.serving_pid()) - before
    assert grown < MANY * SIZE / 2
    slow.until(lambda: slow.value(0)["mark"] == FEW + MANY - 1)
    assert len(slow.transitions) < MANY / 2


def test_reader_that_takes_nothing_is_cut_off(start_server: StartServer, open_raw: OpenRaw) -> None:
    """After the time a slow client is given its socket is closed, and the log says so."""
    server = start_server(slow_client_s="0.5")
    writer, stuck = open_raw(server), open_raw(server, max_queue=1)
    write_much(writer, first=0, count=1)
    stuck.add(0, "values:kept", name="flood")
    write_much(writer, first=1, count=FEW)
    wait_for(lambda: not is_connected(server, stuck), "the server drops the socket")
    assert "a client was cut off: it took nothing for 0.5 s" in server.said()
    assert writer.mutate(FEW + 1, "counters:increment", name="still here")["result"] == 1


def test_transition_larger_than_the_buffer_reaches_who_reads(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """What waits is bounded by what was not read before, not by how large one answer may be."""
    server = start_server(send_buffer_bytes="1000000")
    client = open_raw(server)
    names = [str(number) for number in range(14)]
    for number, name in enumerate(names):
        client.mutate(number, "values:grow", name=name, size=900_000, mark=number)
    client.modify(*(added(n, "values:kept", name=name) for n, name in enumerate(names)))
    parts: list[Message] = []
    while not parts or len(parts) < parts[-1]["totalParts"]:
        message = json.loads(client.socket.recv(timeout=10))
        parts += [message] if message["type"] == "TransitionChunk" else []
    transition = json.loads("".join(part["chunk"] for part in parts))
    assert [change["value"]["mark"] for change in transition["modifications"]] == [*range(14)]


def is_connected(server: ServerProcess, client: RawClient) -> bool:
    """Whether the kernel still holds the server's end of the client's socket."""
    port = client.socket.socket.getsockname()[1]
    ends = (f":{server.port:04X}", f":{port:04X}")
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return any(
        row[1].endswith(ends[0]) and row[2].endswith(ends[1]) and row[3] == ESTABLISHED
        for row in rows
    )
