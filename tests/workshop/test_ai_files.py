"""The managed blocks of AGENTS.md: made from rules and mode; nothing else is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater.rules import RULES
from headwater_workshop.ai_files import (
    MODES,
    State,
    block,
    bodies,
    main,
    rebuilt,
    removed,
    states,
    updated,
)
from headwater_workshop.kit import KitError
from headwater_workshop.mode import mode_of
from tests.template.kits import ROOT, copy, make_kit

AGENTS = ROOT / "template" / "AGENTS.md.jinja"
CLAUDE = ROOT / "template" / "{% if 'claude' in assistants %}CLAUDE.md{% endif %}"
FIRST = """\
before
<!-- headwater:rules, written by headwater; change what is outside -->
- **HW101** An old sentence.
<!-- headwater:rules end -->
after
"""
CURRENT = {"rules": State.CURRENT, "mode": State.CURRENT}


def test_the_template_s_blocks_are_the_registry_s() -> None:
    """AGENTS.md quotes every rule as it is now; `ai_files build` mends it."""
    text = AGENTS.read_text("utf-8")
    assert text == rebuilt(text)
    for rule in RULES.values():
        assert rule.id in text


@pytest.mark.parametrize("name", bodies())
def test_a_block_passes_through_the_template_unchanged(name: str) -> None:
    """Nothing in it is a word of the template's language."""
    assert not re.search(r"\{[{%#]", block(name))


@pytest.mark.parametrize("mode", MODES)
def test_a_new_project_s_blocks_are_up_to_date(tmp_path: Path, mode: str) -> None:
    """What Copier renders and what `ai-files update` writes are the same."""
    project = copy(make_kit(tmp_path / "kit"), tmp_path / "my-app", assistant_mode=mode)
    text = (project / "AGENTS.md").read_text("utf-8")
    assert mode_of(project) == mode
    assert states(text, mode) == CURRENT
    assert updated(text, mode) == text


def test_a_file_of_the_first_template_gets_both_blocks() -> None:
    """Its rules, which had no digest, are written anew in their place; the mode is added."""
    assert states(FIRST, "pair") == {"rules": State.STALE, "mode": State.MISSING}
    new = updated(FIRST, "pair")
    assert new == f"before\n{block('rules')}\nafter\n\n{block('pair')}\n"
    assert states(new, "pair") == CURRENT


def test_a_change_of_mode_changes_its_block_in_place() -> None:
    """The lines of one mode make room for those of the other, wherever they stand."""
    text = f"{block('pair')}\n\nOurs.\n\n{block('rules')}\n"
    assert states(text, "tutor") == {"rules": State.CURRENT, "mode": State.STALE}
    assert updated(text, "tutor") == f"{block('tutor')}\n\nOurs.\n\n{block('rules')}\n"


def test_a_block_changed_by_hand_is_left_alone() -> None:
    """The digest tells; only force writes over it, and taking the blocks out keeps its words."""
    text = updated("", "pair").replace("- **HW101**", "- We never use routes.\n- **HW101**")
    assert states(text, "pair")["rules"] is State.EDITED
    assert updated(text, "pair") == text
    assert states(updated(text, "pair", force=True), "pair") == CURRENT
    assert "We never use routes." in removed(text)


def test_taking_the_blocks_out_leaves_the_rest() -> None:
    """What the learner wrote stands as it stood."""
    text = f"# Ours\n\n{block('rules')}\n\nBritish English.\n\n{block('tutor')}\n"
    assert removed(text) == "# Ours\n\nBritish English.\n"
    assert removed("# Ours\n") == "# Ours\n"


@pytest.mark.parametrize("kept", [0, 3])
def test_a_marker_without_a_partner_is_refused(kept: int) -> None:
    """A block whose bounds are unclear is an error with the lines to put in, never a guess."""
    with pytest.raises(KitError, match="partner") as refused:
        updated(FIRST.replace(FIRST.splitlines()[1 if kept else 3], ""), "pair")
    assert "<!-- headwater:rules end -->" in refused.value.fix


def test_build_writes_and_check_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` exits 1 on a stale block and changes nothing; after `build` it exits 0."""
    page = tmp_path / "AGENTS.md.jinja"
    page.write_text(FIRST, encoding="utf-8")
    assert main(["check"], page) == 1
    assert page.read_text("utf-8") == FIRST
    assert main(["build"], page) == 0
    assert main(["check"], page) == 0
    assert main(["mend"], page) == 2
    assert "stale: AGENTS.md" in capsys.readouterr().out


@pytest.mark.parametrize("mode", MODES)
def test_assistants_read_little_and_both_files(tmp_path: Path, mode: str) -> None:
    """CLAUDE.md imports AGENTS.md, and together they have fewer than 120 lines."""
    project = copy(make_kit(tmp_path / "kit"), tmp_path / "my-app", assistant_mode=mode)
    agents, claude = (project / name for name in ("AGENTS.md", "CLAUDE.md"))
    assert claude.read_text("utf-8").startswith("@AGENTS.md\n")
    lines = agents.read_text("utf-8").splitlines() + claude.read_text("utf-8").splitlines()
    assert len(lines) < 120
    assert max(map(len, lines)) <= 130


def test_every_path_in_the_files_is_there(tmp_path: Path) -> None:
    """What AGENTS.md names as a path of the project, a new project has, or gets when it runs."""
    project = copy(make_kit(tmp_path / "kit"), tmp_path / "my-app")
    text = AGENTS.read_text("utf-8").partition("<!-- headwater:")[0]
    named = set(re.findall(r"`([\w./*-]+(?:/|\.py|\.txt|\.lock|\.toml))`", text))
    assert "backend/schema.py" in named
    for path in named - {".headwater/"}:
        assert list(project.glob(path)), path
