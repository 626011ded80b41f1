"""The workshop's commands on the headwater command line."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from headwater.cli import app
from headwater_workshop.cli import PLACES, register


@pytest.mark.parametrize("name", PLACES)
def test_every_command_is_found(name: str) -> None:
    """Each place in the table is a function or a group that has a help text."""
    register(typer.Typer())
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert f" {name} " in told.stdout
