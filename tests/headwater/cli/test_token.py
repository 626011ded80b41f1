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
