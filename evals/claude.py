"""One call of `claude -p`: its stream read as it comes, ended when the budget is used up."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Literal

Outcome = Literal["finished", "turns", "dollars", "seconds", "failed"]

_NO_ACCOUNT = re.compile(r"/login|log ?in|invalid api key|authenticat|api[_ ]key", re.IGNORECASE)
_STOPPED: Mapping[str, Outcome] = {"error_max_turns": "turns", "error_max_budget_usd": "dollars"}
_END_S = 5.0


class Skipped(Exception):
    """Nothing can be run here: there is no command, or nobody is signed in."""


@dataclass(frozen=True)
class Budget:
    """What one call may take.

    Attributes:
        turns: answers of the model, tool calls included.
        dollars: as the command estimates them.
        seconds: of this clock; then the process is ended.
    """

    turns: int = 30
    dollars: float = 1.0
    seconds: float = 600.0


@dataclass
class ToolCall:
    """A tool that the assistant used, with what came back."""

    name: str
    input: dict[str, Any]
    result: str = ""
    refused: bool = False


@dataclass
class Reply:
    """What came of a call.

    Attributes:
        outcome: `finished`, which part of the budget ended it, or `failed`.
        text: all that the assistant said, in its order.
        session: to go on with.
        dollars: of the whole conversation so far.
    """

    outcome: Outcome = "failed"
    text: str = ""
    session: str = ""
    model: str = ""
    turns: int = 0
    dollars: float = 0.0
    seconds: float = 0.0
    tools: list[ToolCall] = field(default_factory=list)


def find_claude(command: str = "claude") -> str:
    """The command's path.

    Raises:
        Skipped: it is not installed.
    """
    found = shutil.which(command)
    if found is None:
        raise Skipped(f"the command `{command}` is not installed, so nothing was run")
    return found


def version(command: str) -> str:
    """What the command says its version is."""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def ask(
    prompt: str,
    project: Path,
    budget: Budget,
    *,
    command: str = "claude",
    options: Sequence[str] = (),
    session: str = "",
) -> Reply:
    """Ask in a project; what the call says and does is in the reply.

    Args:
        prompt: what is asked for.
        project: the folder it works in.
        budget: what it may take.
        command: the program.
        options: further ones of `claude -p`.
        session: of an earlier reply, to go on with that conversation.

    Raises:
        Skipped: the program is not there, or nobody is signed in.
    """
    words = [find_claude(command), "-p", prompt, "--output-format", "stream-json", "--verbose"]
    words += ["--max-turns", str(budget.turns), "--max-budget-usd", f"{budget.dollars:g}"]
    words += ["--resume", session] if session else []
    reply, started = Reply(session=session), monotonic()
    with _started([*words, *options], project) as process:
        ended = _follow(process, reply, budget, started + budget.seconds)
    reply.seconds = round(monotonic() - started, 2)
    if ended is not None:
        reply.outcome = ended
    return reply


def surroundings() -> dict[str, str]:
    """The environment of a call: `uv run` takes the project's .venv as it is, from wherever."""
    kept = {name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"}
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return {**kept, "UV_NO_SYNC": "1", "PATH": path}


@contextlib.contextmanager
def _started(words: Sequence[str], project: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, in a group of its own that is gone afterwards."""
    process = subprocess.Popen(
        words,
        cwd=project,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
        if process.stdout is not None:
            process.stdout.close()


def _follow(
    process: subprocess.Popen[str], reply: Reply, budget: Budget, deadline: float
) -> Outcome | None:
    """Reads the stream into the reply; which part of the budget ended it, if one did."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=_read, args=(process, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=max(deadline - monotonic(), 0.001))
        except Empty:
            return "seconds"
        if line is None:
            return None
        with contextlib.suppress(json.JSONDecodeError):
            _take(json.loads(line), reply)
        if reply.turns > budget.turns and reply.outcome == "failed":
            return "turns"  # the command's own limit did not hold


def _read(process: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    with contextlib.suppress(ValueError):  # closed while it was read
        for line in process.stdout or ():
            lines.put(line)
    lines.put(None)


def _take(event: dict[str, Any], reply: Reply) -> None:
    kind = event.get("type")
    if kind == "system":
        reply.session = event.get("session_id", reply.session)
        reply.model = event.get("model", reply.model)
    elif kind == "assistant" and not event.get("parent_tool_use_id"):
        reply.turns += 1
        for part in event["message"]["content"]:
            _take_part(part, reply)
    elif kind == "user":
        content = event["message"]["content"]
        for part in content if isinstance(content, list) else ():
            _take_result(part, reply)
    elif kind == "result":
        _take_end(event, reply)


def _take_part(part: dict[str, Any], reply: Reply) -> None:
    if part["type"] == "text":
        reply.text = f"{reply.text}\n{part['text']}".strip()
    elif part["type"] == "tool_use":
        reply.tools.append(ToolCall(part["name"], part["input"]))


def _take_result(part: dict[str, Any], reply: Reply) -> None:
    """What came back from the first tool call that has nothing yet: they are answered in order."""
    waiting = [call for call in reply.tools if not call.result]
    if part.get("type") != "tool_result" or not waiting:
        return
    content = part.get("content", "")
    texts = content if isinstance(content, str) else "\n".join(p.get("text", "") for p in content)
    waiting[0].result = texts or "(nothing)"
    waiting[0].refused = bool(part.get("is_error"))


def _take_end(event: dict[str, Any], reply: Reply) -> None:
    said = str(event.get("result", ""))
    if event.get("is_error") and _NO_ACCOUNT.search(said):
        raise Skipped(f"nobody is signed in to `claude`, so nothing was run: {said}")
    finished: Outcome = "failed" if event.get("is_error") else "finished"
    reply.outcome = _STOPPED.get(str(event.get("subtype")), finished)
    reply.turns = event.get("num_turns", reply.turns)
    reply.dollars = event.get("total_cost_usd", reply.dollars)
    reply.session = event.get("session_id", reply.session)
    reply.text = reply.text or said
