"""What lesson 14 shows of production: `headwater serve`, variables, one JSON object per call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater_workshop.lessons import find_lesson
from headwater_workshop.stages import stage, write
from tests.scenarios.server_process import ServerProcess, wait_for

SECRET = "what-nobody-may-read-in-a-log"

pytestmark = pytest.mark.prove


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    """The project after lesson 14, with its key set, served as the lesson's page says."""
    (tmp_path / "served").mkdir()
    project = tmp_path / "project"
    write(stage(find_lesson("14").number), project)
    process = ServerProcess(tmp_path / "served", project=project)
    process.run("env", "set", "POLL_LINK_KEY", SECRET)
    try:
        yield process.start("serve", ["--dev-tokens"])
    finally:
        process.end()


def records(process: ServerProcess) -> list[dict[str, Any]]:
    """The JSON objects the server wrote."""
    lines = [line for line in process.said().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def test_a_call_is_one_record_and_says_what_it_meant(served: ServerProcess) -> None:
    """Both parts of it are there: the runtime's and the lesson's; the key is nowhere."""
    asked = json.dumps({"question": "Cake?", "choices": ["Yes", "No"]})
    poll_id = json.loads(served.run("run", "polls:start_poll", asked, "--as", "ana"))
    of_poll = json.dumps({"pollId": poll_id})
    key = json.loads(served.run("run", "polls:share_key", of_poll, "--as", "ana"))
    wait_for(lambda: len(records(served)) >= 2, "both calls are in the log")
    started, shared = records(served)[-2:]
    assert {"request_id", "duration_ms", "time"} <= started.keys()
    assert (started["function"], started["outcome"]) == ("polls:startPoll", "success")
    (line,) = started["log_lines"]
    assert json.loads(line[line.index("{") : line.rindex("}") + 1])["poll_id"] == poll_id
    assert shared["function"] == "polls:shareKey"
    assert SECRET not in served.said()
    assert key not in served.said()
