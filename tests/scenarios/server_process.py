"""A Headwater server as its users run it: a process on a port, with a folder of its own."""

import contextlib
import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

APPS = Path(__file__).parents[1] / "apps"
COMMAND = Path(sysconfig.get_path("scripts")) / "headwater"
DEADLINE_S = 20.0

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, seconds: float = DEADLINE_S) -> Found:
    """Look again and again until there is something true; fail with what was awaited."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return found


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class ServerProcess:
    """One project, served, killed and served again on the same port and the same file.

    `project` is a project that is there already, served as it is; else `app` is copied.
    """

    command = COMMAND

    def __init__(
        self,
        folder: Path,
        app: str = "basic",
        project: Path | None = None,
        limits: Mapping[str, str] | None = None,
    ) -> None:
        self.project = project or folder / "project"
        if project is None:
            shutil.copytree(APPS / app, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self.home = folder / "home"
        self.home.mkdir()
        self.port = free_port()
        self.limits = {f"HEADWATER_{name.upper()}": value for name, value in (limits or {}).items()}
        self.output = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def twin(self) -> "ServerProcess":
        """Another server on the same project, on another port."""
        other = copy.copy(self)
        other.port = free_port()
        other.output = self.output.with_name("twin.log")
        other.process = None
        return other

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ports(self) -> list[str]:
        """Its own port, and any free one for HTTP routes."""
        return ["--port", str(self.port), "--site-port", "0"]

    @property
    def site_url(self) -> str:
        """Where its HTTP routes are."""
        state = self.project / ".headwater" / "server.json"
        wait_for(state.exists, "the server says where it is")
        url: str = json.loads(state.read_text())["site_url"]
        return url

    @property
    def site_port(self) -> int:
        """The port of its HTTP routes."""
        return int(self.site_url.rpartition(":")[2])

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see: a home of its own, nothing of this one's settings."""
        kept = {name: value for name, value in os.environ.items() if not foreign(name)}
        return kept | {"HOME": str(self.home), "NO_COLOR": "1"} | self.limits

    def start(self, command: str = "dev", arguments: Sequence[str] = ()) -> "ServerProcess":
        """Start it and wait until it answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [self.command, command, *self.ports, *arguments],
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self.answers, "the server answers")
        return self

    def answers(self) -> bool:
        """Whether it answers /version."""
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended by itself:\n{self.said()}"
        try:
            with urllib.request.urlopen(f"{self.url}/version", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def said(self) -> str:
        """All it printed, over all its lives."""
        return self.output.read_text() if self.output.exists() else ""

    def kill(self) -> None:
        """kill -9, supervisor and all: as when the power goes."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """kill -9 and start again."""
        self.kill()
        self.start()

    def stop(self) -> int:
        """End it as Ctrl-C does; gives its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(DEADLINE_S)
        return self.process.returncode

    def end(self) -> None:
        """Whatever happened: nothing of it is left running."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def serving_pid(self) -> int:
        """The process that serves: the supervisor's child. Waits for one between two lives."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(wait_for(children.read_text, "the supervisor has a child").split()[0])

    def run(self, *arguments: str) -> str:
        """Run a command line in its project; gives what it printed."""
        finished = subprocess.run(
            [self.command, *arguments],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout.strip()

    def token(self, subject: str) -> str:
        """A dev identity's token, as a page asks for it."""
        status, text = self.post("/dev/token", {"subject": subject})
        assert status == 200, text
        token: str = json.loads(text)["token"]
        return token

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, str]:
        """POST JSON; gives status and text, whatever the status."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | headers
        return self.fetch(path, "POST", content, False, **given)

    def fetch(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        site: bool = False,
        **headers: str,
    ) -> tuple[int, str]:
        """Any request, to the API or the site; gives status and text, whatever the status."""
        url = (self.site_url if site else self.url) + path
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def call(self, kind: str, path: str, **args: Any) -> Any:
        """Call a function by HTTP; gives its value, fails if it failed."""
        body = {"path": path, "args": args, "format": "convex_encoded_json"}
        status, text = self.post(f"/api/{kind}", body)
        answer = json.loads(text)
        assert (status, answer["status"]) == (200, "success"), text
        return answer["value"]


def foreign(name: str) -> bool:
    """Whether a variable of this environment must not reach the server."""
    return name.startswith(("HEADWATER_", "CONVEX_", "COV_", "PYTEST_"))
