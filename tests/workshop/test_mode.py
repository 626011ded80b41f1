"""The mode of a project: what was answered, what was chosen later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater_workshop.kit import KitError
from headwater_workshop.mode import mode_of, set_mode


def test_the_last_choice_counts(tmp_path: Path) -> None:
    """Pair if nobody asked, then the answer to Copier's question, then `headwater mode`."""
    assert mode_of(tmp_path) == "pair"
    (tmp_path / ".copier-answers.yml").write_text("start: workshop\n")
    assert mode_of(tmp_path) == "pair"
    (tmp_path / ".copier-answers.yml").write_text("assistant_mode: tutor\n")
    assert mode_of(tmp_path) == "tutor"
    assert set_mode(tmp_path, "pair") is False
    assert mode_of(tmp_path) == "pair"
    assert (tmp_path / ".headwater" / "mode").read_text() == "pair\n"


@pytest.mark.parametrize(
    ("file", "text", "fix"),
    [
        (".copier-answers.yml", "assistant_mode: solo\n", "copier update --data"),
        (".copier-answers.yml", "- no answers\n", "copier update --data"),
        (".headwater/mode", "solo\n", "headwater mode pair"),
    ],
)
def test_a_mode_that_is_none_is_refused(tmp_path: Path, file: str, text: str, fix: str) -> None:
    """A file that somebody edited is told how to be mended."""
    (tmp_path / ".headwater").mkdir()
    (tmp_path / file).write_text(text)
    with pytest.raises(KitError, match="no mode") as refused:
        mode_of(tmp_path)
    assert fix in refused.value.fix


def test_claude_code_gets_its_output_style(tmp_path: Path) -> None:
    """In the learner's own settings, beside what stands there."""
    local = tmp_path / ".claude" / "settings.local.json"
    local.parent.mkdir()
    local.write_text('{"model": "mine"}')
    assert set_mode(tmp_path, "tutor") is True
    assert json.loads(local.read_text()) == {"model": "mine", "outputStyle": "Tutor"}


def test_settings_that_cannot_be_read_are_left_alone(tmp_path: Path) -> None:
    """The mode stays as it was, and the file too."""
    local = tmp_path / ".claude" / "settings.local.json"
    local.parent.mkdir()
    for text in ("{", "[]"):
        local.write_text(text)
        with pytest.raises(KitError, match="local settings"):
            set_mode(tmp_path, "tutor")
        assert (mode_of(tmp_path), local.read_text()) == ("pair", text)
