"""The part of AGENTS.md that is written by program: the rules, from the registry.

    python -m headwater_workshop.ai_files build     writes it into the template
    python -m headwater_workshop.ai_files check     exits 1 when it is stale

What stands outside the two markers belongs to whoever keeps the file.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from headwater.rules import RULES, Rule

from .kit import KitError, kit_root

BEGIN = "<!-- headwater:rules, written by headwater; change what is outside -->"
END = "<!-- headwater:rules end -->"
WIDTH = 110


def rule_block() -> str:
    """The rules as a list, between the markers, as AGENTS.md holds them."""
    return "\n".join([BEGIN, *(_line(rule) for rule in RULES.values()), END])


def with_rules(text: str, where: str = "AGENTS.md") -> str:
    """The text with its managed block as the registry has it now."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise KitError(
            "The markers of the managed block are missing.",
            where=where,
            fix=f"put these two lines where the rules belong:\n{BEGIN}\n{END}",
        )
    return before + rule_block() + after


def _line(rule: Rule) -> str:
    sentence = f"- **{rule.id}** {rule.title}. {rule.rule}"
    return textwrap.fill(sentence, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def main(arguments: list[str], path: Path | None = None) -> int:
    """`build` writes the block of the template's AGENTS.md; `check` exits 1 when it is stale."""
    if arguments not in (["build"], ["check"]):
        print("usage: python -m headwater_workshop.ai_files build|check", file=sys.stderr)
        return 2
    path = kit_root() / "template" / "AGENTS.md" if path is None else path
    text = path.read_text(encoding="utf-8")
    wanted = with_rules(text, str(path))
    if text == wanted:
        print("the rules in AGENTS.md are up to date")
        return 0
    if arguments == ["check"]:
        print("stale: AGENTS.md\nFix: python -m headwater_workshop.ai_files build")
        return 1
    path.write_text(wanted, encoding="utf-8")
    print("the rules in AGENTS.md are written")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KitError as error:
        sys.exit(str(error))
