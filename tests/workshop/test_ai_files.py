"""The managed block of AGENTS.md: made from the rules, and nothing else is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater.rules import RULES
from headwater_workshop.ai_files import BEGIN, END, main, rule_block, with_rules
from headwater_workshop.kit import KitError
from tests.template.kits import ROOT, copy, make_kit

AGENTS = ROOT / "template" / "AGENTS.md"
CLAUDE = ROOT / "template" / "CLAUDE.md"


def test_the_template_s_rules_are_the_registry_s() -> None:
    """AGENTS.md quotes every rule as it is now; `ai_files build` mends it."""
    text = AGENTS.read_text("utf-8")
    assert text == with_rules(text)
    for rule in RULES.values():
        assert rule.id in text


def test_what_stands_outside_the_block_stays() -> None:
    """Only what is between the markers is written anew."""
    text = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert with_rules(text) == f"before\n{rule_block()}\nafter"
    assert with_rules(with_rules(text)) == with_rules(text)


def test_a_file_without_markers_is_refused() -> None:
    """A block that cannot be found is an error with the two lines to put in, never an append."""
    with pytest.raises(KitError, match="markers") as refused:
        with_rules(f"{END}\n{BEGIN}")
    assert BEGIN in refused.value.fix


def test_build_writes_and_check_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` exits 1 on a stale block and changes nothing; after `build` it exits 0."""
    page = tmp_path / "AGENTS.md"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    assert main(["check"], page) == 1
    assert page.read_text("utf-8") == f"{BEGIN}\n{END}\n"
    assert main(["build"], page) == 0
    assert main(["check"], page) == 0
    assert main(["mend"], page) == 2
    assert "stale: AGENTS.md" in capsys.readouterr().out


def test_assistants_read_little_and_both_files() -> None:
    """CLAUDE.md imports AGENTS.md, and together they have fewer than 120 lines."""
    agents, claude = AGENTS.read_text("utf-8"), CLAUDE.read_text("utf-8")
    assert claude.startswith("@AGENTS.md\n")
    assert len(agents.splitlines()) + len(claude.splitlines()) < 120


def test_every_path_in_the_files_is_there(tmp_path: Path) -> None:
    """What AGENTS.md names as a path of the project, a new project has, or gets when it runs."""
    project = copy(make_kit(tmp_path / "kit"), tmp_path / "my-app")
    text = AGENTS.read_text("utf-8").partition(BEGIN)[0]
    named = set(re.findall(r"`([\w./*-]+(?:/|\.py|\.txt|\.lock|\.toml))`", text))
    assert "backend/schema.py" in named
    for path in named - {".headwater/"}:
        assert list(project.glob(path)), path
