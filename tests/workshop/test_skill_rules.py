"""The pages of rules beside the skills."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.rules import RULES
from headwater_workshop.skill_rules import SKILLS, main, page, stale


def test_the_template_s_pages_are_the_registry_s() -> None:
    """`skill_rules build` mends them."""
    assert stale() == []


@pytest.mark.parametrize("skill", SKILLS)
def test_a_page_has_its_rules_with_right_code(skill: str) -> None:
    """Each named rule with its good example, whose own bad one is not there to be copied."""
    text = page(skill)
    for name in SKILLS[skill].split():
        assert f"## {name}: {RULES[name].title}" in text
        assert RULES[name].good.strip() in text
        assert "# <- HW" not in text


def test_build_writes_what_check_tells(tmp_path: Path) -> None:
    """`check` changes nothing, and after `build` it is content."""
    for skill in SKILLS:
        (tmp_path / "skills" / skill).mkdir(parents=True)
    assert main(["check"], tmp_path) == 1
    assert not list(tmp_path.rglob("*.md"))
    assert main(["build"], tmp_path) == 0
    assert main(["check"], tmp_path) == 0
    assert main(["mend"], tmp_path) == 2
