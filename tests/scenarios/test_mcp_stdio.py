"""`headwater mcp` as a process: exact messages, as Claude Code 2.1 and older clients send them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from tests.scenarios.server_process import COMMAND, DEADLINE_S, ServerProcess

MODERN, LEGACY = "2026-07-28", "2025-11-25"
CLIENT = {"name": "claude-code", "version": "2.1.329"}
CAPABILITIES = {"roots": {"listChanged": True}, "elicitation": {"form": {}, "url": {}}}
PREFIX = "io.modelcontextprotocol/"
META = {
    f"{PREFIX}protocolVersion": MODERN,
    f"{PREFIX}clientInfo": CLIENT,
    f"{PREFIX}clientCapabilities": CAPABILITIES,
}


class Stdio:
    """The process, a line of JSON for each message."""

    def __init__(self, server: ServerProcess, *words: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "mcp", *words],
            cwd=server.project,
            env=server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._last_id = 0
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def send(self, **message: Any) -> None:
        """Sends one message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> Any:
        """Sends a request; gives its answer, error or result."""
        self._last_id += 1
        self.send(id=self._last_id, method=method, params=params)
        while True:
            message = json.loads(self._lines.get(timeout=DEADLINE_S))
            if message.get("id") == self._last_id:
                return message.get("result") or message["error"]

    def end(self) -> int:
        """Closes its input, as a client that leaves does; gives the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


@pytest.fixture
def stdio(server: ServerProcess) -> Iterator[Callable[..., Stdio]]:
    """Starts the command in the shared server's project."""
    with ExitStack() as stack:

        def start(*words: str) -> Stdio:
            started = Stdio(server, *words)
            stack.callback(started.end)
            return started

        yield start


def test_claude_code_finds_and_calls_a_tool(stdio: Callable[..., Stdio]) -> None:
    """It probes with server/discover and stays with 2026-07-28; each request has its _meta."""
    claude = stdio()
    found = claude.ask("server/discover", _meta=META)
    assert MODERN in found["supportedVersions"]
    tools = {tool["name"]: tool for tool in claude.ask("tools/list", _meta=META)["tools"]}
    assert tools["tables"]["annotations"]["readOnlyHint"] is True
    answer = claude.ask("tools/call", name="status", arguments={}, _meta=META)
    assert answer["structuredContent"]["running"] is True
    assert claude.end() == 0


def test_an_older_client_shakes_hands(stdio: Callable[..., Stdio]) -> None:
    """initialize with 2025-11-25, then tools and resources; a refusal is a result with isError."""
    old = stdio("--read-only")
    hands = old.ask(
        "initialize", protocolVersion=LEGACY, clientInfo=CLIENT, capabilities=CAPABILITIES
    )
    assert hands["protocolVersion"] == LEGACY
    assert "wait_for_change" in hands["instructions"]
    old.send(method="notifications/initialized")
    assert "run" in {tool["name"] for tool in old.ask("tools/list")["tools"]}
    run = {"name": "run", "arguments": {"name": "counters:increment", "args": {"name": "x"}}}
    refusal = old.ask("tools/call", **run)
    assert refusal["isError"] is True
    assert "--read-only" in refusal["content"][0]["text"]
    uris = {one["uri"] for one in old.ask("resources/list")["resources"]}
    assert {"headwater://schema", "headwater://functions", "headwater://rules"} <= uris
