"""A project's own environment: where its command is, and how it is made on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.environments import install_steps, own_headwater, typed_headwater


@pytest.mark.parametrize("place", ["bin/headwater", "Scripts/headwater.exe"])
def test_the_command_is_found_where_a_system_puts_it(place: str, tmp_path: Path) -> None:
    """Programs lie in `bin`, or on Windows in `Scripts`."""
    assert own_headwater(tmp_path) is None
    command = tmp_path / ".venv" / place
    command.parent.mkdir(parents=True)
    command.touch()
    assert own_headwater(tmp_path) == command


@pytest.mark.parametrize(
    ("uv", "first", "typed"),
    [("/usr/bin/uv", "uv venv", "uv run headwater"), (None, " -m venv .venv", "headwater")],
)
def test_steps_can_be_typed_as_they_stand(
    uv: str | None, first: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no uv, it is not asked for."""
    monkeypatch.setattr("headwater_workshop.environments.shutil.which", lambda _: uv)
    steps = install_steps()
    assert steps[0].endswith(first)
    assert typed_headwater().endswith(typed)
    assert ("uv" in " ".join([*steps, typed_headwater()]).split()) is bool(uv)
