"""`headwater dev` and `headwater serve`: their options, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headwater.cli import app
from headwater.cli.project import server_url
from headwater.options import ServerOptions
from headwater.process import decode_options
from headwater.settings import STATE
from headwater.supervisor import listen
from tests.headwater.projects import write_project


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ServerOptions]:
    """What would be served, instead of serving it."""
    from headwater.cli import serve

    module: Any = serve
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    found: list[ServerOptions] = []

    class NoSupervisor:
        def __init__(self, command: list[str], sockets: list[Any], *_rest: Any) -> None:
            found.append(decode_options(command[3]))
            for listening in sockets:
                listening.close()

        def run(self) -> int:
            return 0

    monkeypatch.setattr(module, "Supervisor", NoSupervisor)
    return found


def test_dev_serves_for_development(started: list[ServerOptions], tmp_path: Path) -> None:
    """On loopback; serve does not."""
    for command, dev in (("dev", True), ("serve", False)):
        ended = CliRunner().invoke(app, [command, "--port", "0"])
        assert ended.exit_code == 0, ended.output
        assert started[-1] == ServerOptions(tmp_path, "127.0.0.1", 0, dev)


def test_hosts_and_origins_are_allowed_by_name(started: list[ServerOptions]) -> None:
    """Each option as often as needed."""
    options = ["--allow-host", "a", "--allow-host", "b", "--allow-origin", "https://c"]
    CliRunner().invoke(app, ["serve", "--port", "0", *options])
    assert (started[0].allow_hosts, started[0].allow_origins) == (["a", "b"], ["https://c"])


@pytest.mark.parametrize(("options", "taken"), [([], False), (["--dev-tokens"], True)])
def test_development_tokens_are_allowed_in_so_many_words(
    started: list[ServerOptions], options: list[str], taken: bool
) -> None:
    """In production; by the environment as well."""
    CliRunner().invoke(app, ["serve", "--port", "0", *options])
    CliRunner(env={"HEADWATER_DEV_TOKENS": "1"}).invoke(app, ["serve", "--port", "0"])
    assert [options.dev_tokens for options in started] == [taken, True]


def test_an_address_in_use_is_told(started: list[ServerOptions]) -> None:
    """With what to do; wrong usage ends with 2."""
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        ended = CliRunner().invoke(app, ["serve", "--port", port])
    assert ended.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert not started


@pytest.mark.parametrize("command", ["dev", "serve", "run", "token"])
def test_outside_a_project_commands_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """With the command that makes one."""
    monkeypatch.chdir(tmp_path)
    rest = {"run": ["tasks:list"], "token": ["--subject", "ana"]}.get(command, [])
    ended = CliRunner().invoke(app, [command, *rest])
    assert ended.exit_code == 2
    assert "headwater new my-app" in ended.stderr


@pytest.mark.parametrize("text", ["", "{", "{}", "[]"])
def test_the_server_s_address_is_what_it_wrote(tmp_path: Path, text: str) -> None:
    """The default one where it wrote nothing that can be read."""
    state = tmp_path / STATE
    state.mkdir()
    if text:
        (state / "server.json").write_text(text)
    assert server_url(tmp_path) == "http://127.0.0.1:3210"
    (state / "server.json").write_text('{"url": "http://x:1", "pid": 1}')
    assert server_url(tmp_path) == "http://x:1"


def test_a_guard_that_is_neither_on_nor_off_is_told(started: list[ServerOptions]) -> None:
    """Before anything is served, with what the variable may be."""
    ended = CliRunner(env={"HEADWATER_GUARDS": "maybe"}).invoke(app, ["dev", "--port", "0"])
    assert (ended.exit_code, started) == (2, [])
    assert "HEADWATER_GUARDS='maybe' is neither `on` nor `off`" in ended.output
