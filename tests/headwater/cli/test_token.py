"""`headwater token`: a development identity."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater.auth import Auth
from headwater.cli import app
from headwater.clock import Clock
from headwater.settings import STATE
from tests.headwater.projects import write_project


def test_a_token_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the project's server accepts, with the claims given; from a subfolder, too."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n") / "backend")
    options = ["token", "--subject", "ana", "--name", "Ana", "--email", "a@x", "--seconds", "60"]
    printed = CliRunner().invoke(app, options)
    auth = Auth(tmp_path / STATE, Clock())
    identity = asyncio.run(auth.user(printed.stdout.strip())).identity or {}
    assert (identity["subject"], identity["name"], identity["email"]) == ("ana", "Ana", "a@x")


@pytest.mark.parametrize("options", [[], ["--subject", "ana", "--seconds", "0"]])
def test_a_token_needs_a_subject_and_a_lifetime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """Wrong usage ends with 2."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    assert CliRunner().invoke(app, ["token", *options]).exit_code == 2


@pytest.mark.parametrize(
    ("written", "code"),
    [('{"dev": false}', 2), ('{"dev": true}', 0), ("{}", 0), ("[]", 0), ("no JSON", 0)],
)
def test_in_production_none_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, code: int
) -> None:
    """When the project's server says of itself that it takes none; with what to do instead."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    (tmp_path / STATE).mkdir()
    (tmp_path / STATE / "server.json").write_text(written)
    ended = CliRunner().invoke(app, ["token", "--subject", "ana"])
    assert ended.exit_code == code
    assert ("headwater serve --dev-tokens" in ended.stderr) is (code == 2)
    assert (ended.stdout == "") is (code == 2)
