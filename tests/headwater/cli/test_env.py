"""`headwater env`: variables of a project, with and without its server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from headwater.cli import app
from headwater.cli.admin import Deployment
from headwater.settings import STATE
from headwater.variables import Variables
from tests.headwater.projects import write_project
from tests.headwater.served import Served

Env = Callable[..., Result]


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    """The command, in a project that no server runs in."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    return lambda *words, **options: CliRunner().invoke(app, ["env", *words], **options)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of the project; requests to its address reach it."""
    served = Served(tmp_path)
    (tmp_path / STATE / "server.json").write_text('{"url": "http://here"}')

    def request(method: str, url: str, **options: Any) -> Any:
        assert url.startswith("http://here/")
        options = {k: v for k, v in options.items() if k != "timeout"}
        return served.request(method, url.removeprefix("http://here"), **options)

    monkeypatch.setattr(httpx, "request", request)
    yield served
    served.environment.undo()
    served.close()


def test_variables_without_a_server(env: Env, tmp_path: Path) -> None:
    """They go into the project's file and count from the next start."""
    told = env("set", "SHOP_KEY", "sk_1")
    assert (told.exit_code, told.stdout) == (0, "set SHOP_KEY; it counts from the next start\n")
    assert env("set", "COLOR=blue=green").exit_code == 0
    assert Variables(tmp_path).read() == {"COLOR": "blue=green", "SHOP_KEY": "sk_1"}
    assert env("get", "COLOR").stdout == "blue=green\n"
    assert env("remove", "COLOR").stdout.startswith("removed COLOR")
    assert Variables(tmp_path).read() == {"SHOP_KEY": "sk_1"}


def test_values_are_hidden_in_a_list(env: Env) -> None:
    """Unless asked for; as JSON too."""
    assert "headwater env set NAME VALUE" in env("list").stderr
    env("set", "SHOP_KEY", "sk_1")
    assert env("list").stdout == "SHOP_KEY=********\n"
    assert env("list", "--show").stdout == "SHOP_KEY=sk_1\n"
    assert json.loads(env("list", "--json").stdout) == {"SHOP_KEY": "********"}
    assert json.loads(env("list", "--json", "--show").stdout) == {"SHOP_KEY": "sk_1"}
    assert json.loads(env("get", "SHOP_KEY", "--json").stdout) == {"SHOP_KEY": "sk_1"}


def test_a_value_may_come_by_standard_input(env: Env, tmp_path: Path) -> None:
    """So that no shell keeps it; of its line ends only the last is taken off."""
    env("set", "PEM", input="line 1\nline 2\n")
    assert Variables(tmp_path).read() == {"PEM": "line 1\nline 2"}


def test_wrong_use_is_told(env: Env) -> None:
    """Exit code 2 for what cannot be, 1 for what is not there."""
    refused = env("set", "HEADWATER_X", "1")
    assert (refused.exit_code, "belongs to the server" in refused.stderr) == (2, True)
    absent = env("get", "NOTHING")
    assert (absent.exit_code, "headwater env set NOTHING VALUE" in absent.stderr) == (1, True)
    assert (env("remove", "NOTHING").exit_code, env("remove", "NOTHING").stdout) == (0, "")


def test_a_running_server_takes_the_change(running: Served, env: Env) -> None:
    """And says whether the backend loads with it."""
    told = env("set", "COLOR", "blue")
    assert told.stdout == "set COLOR; the backend was loaded anew\n", told.stderr
    assert env("list", "--show").stdout == "COLOR=blue\n"
    shop = "import headwater\nclass S(headwater.Settings):\n    size: int = 1\n"
    write_project(running.options.root, shop=shop)
    told = env("set", "SIZE", "large")
    assert told.exit_code == 1
    assert "stays as it was" in told.stderr
    assert "headwater env set SIZE VALUE" in told.stderr


def test_another_projects_server_is_not_ours(
    running: Served, env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has taken the address since; the variable goes into our own file."""
    (running.options.root / STATE / "admin_key").write_text("another key")
    assert "next start" in env("set", "COLOR", "blue").stdout
    named = env("set", "COLOR", "red", "--url", "http://here")
    assert named.exit_code == 1
    assert "admin key" in named.stderr


def test_a_server_elsewhere_must_answer(env: Env) -> None:
    """Its variables are not in this folder."""
    told = env("list", "--url", "http://127.0.0.1:1")
    assert told.exit_code == 1
    assert "no Headwater server answers at http://127.0.0.1:1" in told.stderr


def test_an_answer_that_is_no_headwater_is_told(
    env: Env, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something else listens at the address that was given."""
    page = httpx.Response(502, text="<html>", request=httpx.Request("GET", "http://proxy/x"))
    monkeypatch.setattr(httpx, "request", lambda *_args, **_options: page)
    with pytest.raises(typer.Exit):
        Deployment(Path.cwd(), "http://proxy").ask("GET", "/x")
    assert "http://proxy/x answered 502" in capsys.readouterr().err
