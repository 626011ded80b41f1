"""`headwater new` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from headwater_workshop.cli.new import Assistant, Frontend, Mode, Start, new
from tests.template.kits import ROOT, make_kit, recorded

RUNNER = CliRunner()


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A command line with `new` and one more command, on a kit of its own."""
    kit = make_kit(tmp_path / "kit")
    monkeypatch.setattr("headwater_workshop.new.kit_root", lambda: kit)
    app = typer.Typer()
    app.command("new")(new)
    app.command("other")(lambda: None)
    return app


@pytest.mark.parametrize(
    ("uv", "install"),
    [
        ("/usr/bin/uv", "uv pip install --no-deps -r requirements-headwater.txt"),
        (None, "python -m pip install --no-deps -r requirements-headwater.txt"),
    ],
)
def test_new_makes_a_project_and_says_what_comes_next(
    uv: str | None,
    install: str,
    app: typer.Typer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answers given are in the project, and the next steps can be typed as they stand here."""
    monkeypatch.setattr("headwater_workshop.environments.shutil.which", lambda _: uv)
    target = tmp_path / "my-app"
    done = RUNNER.invoke(app, ["new", str(target), "--start", "workshop", "--defaults"])
    assert done.exit_code == 0, done.output
    assert recorded(target)["start"] == "workshop"
    assert f"cd {target}" in done.output
    assert install in done.output


def test_new_refuses_an_occupied_folder_as_wrong_usage(app: typer.Typer, tmp_path: Path) -> None:
    """Exit code 2, and what, where and how on standard error."""
    done = RUNNER.invoke(app, ["new", str(tmp_path), "--defaults"])
    assert done.exit_code == 2
    assert "is not empty" in done.stderr
    assert "Fix:" in done.stderr


def test_the_choices_are_those_of_copier() -> None:
    """The command line offers what copier.yml asks, no more and no less."""
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    assert {choice.value for choice in Start} == set(questions["start"]["choices"].values())
    assert {choice.value for choice in Frontend} == set(questions["frontend"]["choices"].values())
    assert [choice.value for choice in Assistant] == [*questions["assistants"]["choices"].values()]
    assert {choice.value for choice in Mode} == set(questions["assistant_mode"]["choices"].values())


@pytest.mark.parametrize(
    ("words", "assistants"),
    [("none", []), ("cursor", ["cursor"]), ("copilot, claude", ["claude", "copilot"])],
)
def test_assistants_are_a_list_with_commas(
    app: typer.Typer, tmp_path: Path, words: str, assistants: list[str]
) -> None:
    """Each gets its file; `none` gets AGENTS.md alone; and the mode is handed on."""
    given = ["--assistants", words, "--assistant-mode", "tutor", "--defaults"]
    done = RUNNER.invoke(app, ["new", str(tmp_path / "my-app"), *given])
    assert done.exit_code == 0, done.output
    answers = recorded(tmp_path / "my-app")
    assert (answers["assistants"], answers["assistant_mode"]) == (assistants, "tutor")


def test_an_assistant_nobody_knows_is_wrong_usage(app: typer.Typer, tmp_path: Path) -> None:
    """Exit code 2, with the names that are known; nothing is written."""
    words = ["new", str(tmp_path / "my-app"), "--assistants", "claude,clippy", "--defaults"]
    done = RUNNER.invoke(app, words)
    assert done.exit_code == 2
    assert "'clippy'" in done.stderr
    assert not (tmp_path / "my-app").exists()
