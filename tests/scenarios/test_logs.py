"""The log of a server in production, as what collects it sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import OpenClient
from tests.scenarios.official_clients import CallFailed
from tests.scenarios.server_process import COMMAND, ServerProcess, wait_for

LOUD = """
from pydantic import SecretStr

import headwater
from headwater import ActionCtx, MutationCtx, action, mutation

print("printed while it loads")


class Settings(headwater.Settings):
    shop_key: SecretStr


@mutation
async def fail(ctx: MutationCtx) -> None:
    key = ctx.env(Settings).shop_key
    print("the key is", key.get_secret_value())
    raise ValueError(f"no shop takes {key.get_secret_value()}")


@action
async def act(ctx: ActionCtx) -> None:
    print("acting")


@mutation
async def talk(ctx: MutationCtx, lines: int) -> None:
    for number in range(int(lines)):
        print("x" * 1000)
"""


class Production(ServerProcess):
    """A server in production whose standard output is a file, or a pipe that nobody reads."""

    def serve(self, out: Any) -> Production:
        """Starts it."""
        with self.output.open("ab") as errors:
            self.process = subprocess.Popen(
                [COMMAND, "serve", "--port", str(self.port)],
                cwd=self.project,
                env=self.environment | {"SHOP_KEY": "sk_live_12345"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        wait_for(self.answers, "the server answers")
        return self


def project(folder: Path) -> Production:
    """One with functions that print."""
    made = Production(folder)
    (made.project / "backend" / "loud.py").write_text(LOUD)
    return made


def test_standard_output_holds_one_object_per_call(tmp_path: Path, open_client: OpenClient) -> None:
    """And nothing else: with the id that an official client was told, and without secrets; also
    what came last before the end.
    """
    server, log = project(tmp_path), tmp_path / "log.jsonl"
    try:
        with log.open("wb") as out:
            server.serve(out)
        with pytest.raises(CallFailed) as told:
            open_client("http", server).call("mutation", "loud:fail")
        server.post("/api/action", {"path": "loud:act", "args": {}})
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    finally:
        server.end()
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    failed, acted = entries
    request_id = re.search(r"Request ID: (\w{16})", str(told.value))
    assert request_id is not None
    assert (failed["request_id"], failed["function"]) == (request_id[1], "loud:fail")
    assert (failed["error_code"], failed["kind"]) == ("ValueError", "mutation")
    assert failed["log_lines"] == ["[LOG] 'the key is' '[redacted]'"]
    assert "sk_live" not in log.read_text() + server.said()
    assert (acted["kind"], acted["log_lines"]) == ("action", ["[LOG] 'acting'"])
    assert "printed while it loads" in server.said(), "on standard error"


def test_a_pipe_that_nobody_reads_holds_nobody_up(tmp_path: Path) -> None:
    """Calls are answered though the log is stuck; and the server still ends when it is told to."""
    server = project(tmp_path)
    read, write = os.pipe()
    try:
        server.serve(write)
        for _ in range(20):
            server.call("mutation", "loud:talk", lines=50.0)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    finally:
        server.end()
        os.close(read)
        os.close(write)
