"""A learner in a room without network, as a program: python offline_room.py WHEELHOUSE [ANSWERS]

Makes a project in the current folder from a wheelhouse, runs its tests and its checks, serves it
and asks it something. `test_offline.py` runs this in a network namespace that has only loopback.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
OUTSIDE = ("192.0.2.1", 443)  # an address that documents may name and nobody has
DEADLINE_S = 60
BIN = Path("my-app/.venv/bin").absolute()


def raise_loopback() -> None:
    """Switch on 127.0.0.1: in a new namespace it is there, but down."""
    with socket.socket() as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def has_network() -> bool:
    """Whether there is any way out of this machine."""
    with socket.socket() as outward:
        outward.settimeout(2)
        try:
            outward.connect(OUTSIDE)
        except TimeoutError:
            return True
        except OSError:
            return False
    return True


def ran(*command: str | Path, folder: str = "my-app") -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def asked() -> list[str]:
    """What the served project answers to one query."""
    output = Path("server.log").open("wb")  # noqa: SIM115  closed when this program ends
    command = [str(BIN / "headwater"), "serve", "--port", "0", "--site-port", "0"]
    server = subprocess.Popen(command, cwd="my-app", stdout=output, stderr=output)
    try:
        url = address(server)
        ran(BIN / "headwater", "run", "seed:sample_data")
        query = {"path": "messages:listMessages", "args": {"roomId": "general"}, "format": "json"}
        request = urllib.request.Request(
            f"{url}/api/query", json.dumps(query).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as reply:
            return [message["userId"] for message in json.load(reply)["value"]]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(DEADLINE_S)


def address(server: subprocess.Popen[bytes]) -> str:
    """Where the server answers, once it says so."""
    state, deadline = Path("my-app/.headwater/server.json"), time.monotonic() + DEADLINE_S
    while not state.exists():
        assert server.poll() is None, Path("server.log").read_text()
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.05)
    return str(json.loads(state.read_text())["url"])


def main(wheelhouse: str, *answers: str) -> None:
    """All of it; what was seen is printed as JSON."""
    if os.environ.get("IN_NAMESPACE"):
        raise_loopback()
        assert not has_network()
    start = [sys.executable, f"{wheelhouse}/start.py", "my-app", *answers, "--defaults"]
    seen = {"start": ran(*start, folder=".")}
    seen["pytest"] = ran(BIN / "pytest")
    seen["check"] = ran(BIN / "headwater", "check")
    people = asked()
    print(json.dumps(seen | {"people": people}))


if __name__ == "__main__":
    main(*sys.argv[1:])
