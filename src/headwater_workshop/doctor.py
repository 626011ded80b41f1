"""What `headwater doctor` looks at: Python, environment, port, sandbox, assistants' files, hooks.

A hook is not looked at but tried: its handler is started as `.claude/settings.json` says, with a
recorded payload, and what comes back through the launcher is read.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from headwater.deployment import running_url

from . import ai_files
from .ai_files import State
from .environments import install_steps, own_headwater, typed_headwater
from .hooks import EVENTS, PROBE
from .kit import KitError
from .managed import file_states, is_for_claude
from .mode import mode_of
from .sandbox.jail import jail_level, jail_report

Level = Literal["ok", "warning", "broken"]
PORT = 3210
SETTINGS = ".claude/settings.json"
LOCAL = ".claude/settings.local.json"
PATIENCE_S = 60
_NAMES = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: how it is, what was seen, and how it is mended."""

    name: str
    level: Level
    says: str
    fix: str = ""


def examine(project: Path) -> Iterator[Check]:
    """Every check of a project, one after the other; a hook's takes up to a second."""
    yield python()
    yield environment(project)
    yield Check("headwater", "ok", version("headwater"))
    yield port(project)
    yield sandbox()
    yield from assistants(project)
    if is_for_claude(project):
        yield tools(project)
        yield from hooks(project)


def python() -> Check:
    """Which Python runs headwater; an install is refused where it is too old."""
    return Check("Python", "ok", f"{platform.python_version()}, {sys.executable}")


def environment(project: Path) -> Check:
    """Whether the project's own environment has headwater, which hooks and `uv run` use."""
    found = own_headwater(project)
    if found is None:
        says = "there is no headwater in .venv, so hooks check nothing"
        return Check("environment", "broken", says, _install())
    if not os.path.samefile(project / ".venv", sys.prefix):
        says = f"{found}, but this is the headwater of {sys.prefix}"
        return Check("environment", "warning", says, f"{typed_headwater()} doctor")
    return Check("environment", "ok", str(found))


def port(project: Path) -> Check:
    """Whether the server's port is free, or has this project's server."""
    told = running_url(project) or ""
    own = told.rpartition(":")[2]
    if own.isdigit() and _answers(int(own)):
        return Check("port", "ok", f"this project's server answers at {told}")
    if not _answers(PORT):
        return Check("port", "ok", f"{PORT} is free")
    says = f"another program answers at {PORT}"
    return Check("port", "warning", says, f"headwater dev --port {PORT + 1}, or end that program")


def sandbox() -> Check:
    """At which level the grader holds a learner's code."""
    if os.name != "posix":
        fix = "grade inside WSL2, on Linux or on macOS"
        return Check("sandbox", "warning", "the grader has no sandbox on Windows", fix)
    found = jail_report()
    says = f"{found.level}: {', '.join(found.features)}"
    if found.level == "L3":
        with_network = jail_level(network=True)
        if with_network != "L3":
            says += f"; {with_network} where a check needs a network: this kernel knows no ports"
        return Check("sandbox", "ok", says)
    says += f"; missing: {', '.join(found.missing) or 'a jail that starts'}"
    fix = "grade your own code only; others' on Linux 5.13 or newer, where it is L3"
    return Check("sandbox", "warning", says, fix)


def assistants(project: Path) -> Iterator[Check]:
    """Whether what headwater writes for assistants is up to date."""
    path = project / "AGENTS.md"
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        blocks = ai_files.states(text, mode_of(project), str(path))
    except KitError as error:
        yield Check("AGENTS.md", "broken", error.what, error.fix)
    else:
        yield _states("AGENTS.md", {f"block {name}": each for name, each in blocks.items()})
    if is_for_claude(project):
        yield _states(".claude/", file_states(project))


def _states(name: str, states: dict[str, State]) -> Check:
    old = [f"{n}: {s}" for n, s in states.items() if s in (State.STALE, State.MISSING)]
    if old:
        return Check(name, "broken", "; ".join(old), _update())
    edited = [f"{n}: {s}" for n, s in states.items() if s is State.EDITED]
    if edited:
        return Check(name, "warning", "; ".join(edited), f"keep it so, or: {_update()} --force")
    return Check(name, "ok", "up to date")


def tools(project: Path) -> Check:
    """Whether `headwater mcp` can be started as .mcp.json says."""
    servers = _json(project / ".mcp.json").get("mcpServers", {})
    server = servers.get("headwater") if isinstance(servers, dict) else None
    if not isinstance(server, dict):
        fix = "put it back, as the guide to headwater mcp has it; or do without these tools"
        return Check("tools", "warning", ".mcp.json names no server headwater", fix)
    command = str(server.get("command", ""))
    if shutil.which(command) is None:
        says = f"there is no program {command}, which .mcp.json starts"
        return Check("tools", "warning", says, "install it, or name another one in .mcp.json")
    if find_spec("mcp") is None:
        return Check("tools", "broken", "the package mcp is not installed", _install())
    return Check("tools", "ok", f".mcp.json starts {command}")


def hooks(project: Path) -> Iterator[Check]:
    """Each hook, tried through its launcher."""
    settings = _json(project / SETTINGS)
    for name in (SETTINGS, LOCAL):
        if _json(project / name).get("disableAllHooks"):
            yield Check("hooks", "broken", f"{name} switches all of them off", "disableAllHooks")
    for name, event in zip(_NAMES, EVENTS, strict=True):
        handler = _handler(settings, name)
        if handler is None:
            says = f"{SETTINGS} has no handler for {name}"
            yield Check(f"hook {event}", "broken", says, f"{_update()} --force")
        else:
            yield fire(project, event, handler)


def fire(project: Path, event: str, handler: dict[str, Any]) -> Check:
    """Start a handler as Claude Code does, with a payload, and judge what comes back."""
    words = [str(handler.get("command", "")), *map(str, handler.get("args", []))]
    command = [word.replace("${CLAUDE_PROJECT_DIR}", str(project)) for word in words]
    name, started = f"hook {event}", perf_counter()
    try:
        done = subprocess.run(
            command,
            input=json.dumps(payload(project, event)).encode(),
            capture_output=True,
            cwd=project,
            env={**os.environ, "CLAUDE_PROJECT_DIR": str(project)},
            timeout=PATIENCE_S,
            check=False,
        )
        told = json.loads(done.stdout or b"null")
    except FileNotFoundError:
        fix = f"install Python so that {command[0]} starts it, or name another in {SETTINGS}"
        return Check(name, "broken", f"there is no program {command[0]}", fix)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Check(name, "broken", f"{type(error).__name__}: {error}", f"{_update()} --force")
    if done.returncode != 0:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
        return Check(name, "broken", f"exit code {done.returncode}: {said}", f"{_update()} --force")
    return _judged(name, event, told, perf_counter() - started)


def payload(project: Path, event: str) -> dict[str, Any]:
    """What Claude Code would send, with the session of this command."""
    name = dict(zip(EVENTS, _NAMES, strict=True))[event]
    found: dict[str, Any] = {"session_id": PROBE, "cwd": str(project), "hook_event_name": name}
    found |= {"transcript_path": "", "permission_mode": "default"}
    if event == "pre-tool-use":
        given = {"file_path": str(project / SETTINGS), "content": "{}"}
        found |= {"tool_name": "Write", "tool_input": given}
    elif event == "post-tool-use":
        file = min((project / "backend").rglob("*.py"), default=project / "backend" / "x.py")
        found |= {"tool_name": "Edit", "tool_input": {"file_path": str(file)}}
    elif event == "stop":
        found["stop_hook_active"] = True  # it is to answer, not to grade
    return found


def _judged(name: str, event: str, told: Any, seconds: float) -> Check:
    """A hook has fired when headwater itself answered, and an edit of settings was refused."""
    output = told.get("hookSpecificOutput", {}) if isinstance(told, dict) else {}
    message = str(told.get("systemMessage", "")) if isinstance(told, dict) else ""
    took = f"answered in {seconds:.2f} s"
    if event == "pre-tool-use" and output.get("permissionDecision") == "deny":
        return Check(name, "ok", f"{took}; refused an edit of {SETTINGS}")
    ran = f"headwater hook {event} ran" in message
    if event != "pre-tool-use" and (ran or (output and not message)):
        return Check(name, "ok", took)
    return Check(name, "broken", message or "it answered nothing", _install())


def _install() -> str:
    return "; ".join(install_steps())


def _update() -> str:
    return f"{typed_headwater()} ai-files update"


def _handler(settings: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The handler of an event that runs our launcher; None without one."""
    entries = settings.get("hooks", {}).get(name, []) if settings else []
    every = [each for entry in entries for each in entry.get("hooks", [])]
    ours = [each for each in every if "headwater" in json.dumps(each)]
    return ours[0] if ours else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _answers(number: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", number)) == 0
