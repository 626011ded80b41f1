"""The rules that a skill works by, beside it as `rules.md`: made from the registry.

python -m headwater_workshop.skill_rules build     writes them into the template
python -m headwater_workshop.skill_rules check     exits 1 when one is stale
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from headwater.rules import RULES, Rule

from .kit import kit_root
from .managed import TEMPLATE

SKILLS: Mapping[str, str] = {
    "new-table": "HW103 HW302 HW303 HW401 HW402 HW404 HW405",
    "add-cron": "HW204 HW302 HW402 HW406 HW501",
    "report": "HW203 HW402 HW503",
    "tdd": "HW104 HW504",
}
"""Each skill that has such a page, with its rules."""

_HEAD = """\
# Rules for this skill

Written by headwater from its rulebook. `uv run headwater explain {first}` says more, with the
wrong code too.
"""


def page(skill: str) -> str:
    """The page of one skill: of each rule the mistake, what is right, why, and right code."""
    rules = [RULES[name] for name in SKILLS[skill].split()]
    return "\n".join([_HEAD.format(first=rules[0].id), *map(_section, rules)])


def stale(folder: Path | None = None) -> list[Path]:
    """The pages that are not what the registry gives, or missing.

    Args:
        folder: the template's `.claude`; this kit's by default.
    """
    folder = folder or kit_root() / "template" / TEMPLATE
    paths = {skill: folder / "skills" / skill / "rules.md" for skill in SKILLS}
    return [
        path
        for skill, path in paths.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != page(skill)
    ]


def main(arguments: list[str], folder: Path | None = None) -> int:
    """`build` writes the pages; `check` exits 1 when one is stale."""
    if arguments not in (["build"], ["check"]):
        print("usage: python -m headwater_workshop.skill_rules build|check", file=sys.stderr)
        return 2
    paths = stale(folder)
    for path in paths:
        print(f"{'stale' if arguments == ['check'] else 'written'}: {path}")
        if arguments == ["build"]:
            path.write_text(page(path.parent.name), encoding="utf-8")
    return int(bool(paths) and arguments == ["check"])


def _section(rule: Rule) -> str:
    return (
        f"## {rule.id}: {rule.title}\n\n{rule.rule}\n\n"
        f"- Written by mistake: {rule.mistake}.\n"
        f"- Why not: {rule.why}.\n"
        f"- Mended: {rule.fix}.\n\n"
        f"```python\n{rule.good.strip()}\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
