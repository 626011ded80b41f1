"""The blocks of AGENTS.md that are written by program: the rules, and how an assistant helps.

    python -m headwater_workshop.ai_files build     writes them into the template
    python -m headwater_workshop.ai_files check     exits 1 when they are stale

In a project `headwater ai-files` does the same. A block stands between two markers; the second one
carries a digest of what was written, so that a block changed by hand is known and left alone. What
stands outside the markers belongs to whoever keeps the file.
"""

from __future__ import annotations

import hashlib
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from headwater.rules import RULES, Rule

from .kit import KitError, kit_root

WIDTH = 126
TEMPLATE = "AGENTS.md.jinja"

MODES: Mapping[str, str] = {
    "pair": """\
## Lessons: pair mode

The learner and you write together. The task is in the lesson's text, its tests are elsewhere.

- Read `uv run headwater lesson show` first. Say which function you change next, and why; then
  write that step.
- `uv run headwater grade` says what is missing. A value copied from an example is no solution.
- When it is green, name the rules that applied, by number, and ask the learner two questions
  about the code.""",
    "tutor": """\
## Lessons: tutor mode

The learner writes the solution, and chose tutor mode to learn by that. The task is in the
lesson's text.

- You do not write the code of a lesson's function, neither into a file nor into an answer, also
  when you are asked for it.
- First run `uv run headwater grade` and read what failed. Name that check, the file and the rule;
  ask one question.
- One hint at a time, after a new try: `uv run headwater lesson hint`. An example has at most five
  lines and is about something else.
- `uv run headwater lesson reveal` is the learner's to type. Outside lessons you work as usual.""",
}
"""What AGENTS.md says about lessons, by the answer to `assistant_mode`."""

_BLOCK = re.compile(
    r"<!-- headwater:(?P<name>[a-z]+), [^\n]*-->\n"
    r"(?P<body>.*?)\n"
    r"<!-- headwater:(?P=name) end(?: (?P<digest>[0-9a-f]{8}))? -->",
    re.DOTALL,
)


class State(StrEnum):
    """How a block of a file stands to what this headwater would write."""

    CURRENT = "up to date"
    STALE = "out of date"
    EDITED = "changed by hand"
    MISSING = "missing"


def bodies() -> dict[str, str]:
    """The text of every block by its name: `rules`, and one for each mode."""
    return {"rules": "\n".join(_line(rule) for rule in RULES.values()), **MODES}


def block(name: str) -> str:
    """A block with its markers, as AGENTS.md holds it."""
    body = bodies()[name]
    begin = f"<!-- headwater:{name}, written by headwater; change what is outside -->"
    return f"{begin}\n{body}\n<!-- headwater:{name} end {digest(body)} -->"


def states(text: str, mode: str, where: str = "AGENTS.md") -> dict[str, State]:
    """What a file's blocks are, `rules` and `mode`, for a project in that mode."""
    found = {_slot(match["name"]): match for match in _blocks(text, where)}
    wanted = {"rules": "rules", "mode": mode}
    return {slot: _state(found.get(slot), name) for slot, name in wanted.items()}


def updated(text: str, mode: str, *, force: bool = False, where: str = "AGENTS.md") -> str:
    """The text with its blocks as they are now; a missing one is added at the end.

    Args:
        text: what the file holds.
        mode: which lines about lessons it shall hold, a key of `MODES`.
        force: also write over blocks that were changed by hand.
        where: the file, for the error.

    Raises:
        KitError: a marker has no partner.
    """
    for slot, state in states(text, mode, where).items():
        wanted = block(mode if slot == "mode" else slot)
        if state is State.MISSING:
            text = f"{text.rstrip()}\n\n{wanted}\n".lstrip()
        elif state is State.STALE or (state is State.EDITED and force):
            old = next(each for each in _blocks(text, where) if _slot(each["name"]) == slot)
            text = text[: old.start()] + wanted + text[old.end() :]
    return text


def write_mode(project: Path, mode: str) -> None:
    """Let a project's AGENTS.md say how assistants help in lessons; its line ends stay."""
    path = project / "AGENTS.md"
    if path.is_file():
        old = path.read_bytes().decode()
        new = updated(old.replace("\r\n", "\n"), mode, where=str(path))
        path.write_text(new, encoding="utf-8", newline="\r\n" if "\r\n" in old else "\n")


def removed(text: str, where: str = "AGENTS.md") -> str:
    """The text without its blocks; those that were changed by hand stay, as plain text."""
    for match in reversed(list(_blocks(text, where))):
        kept = match["body"] if _is_edited(match) else ""
        text = text[: match.start()] + kept + text[match.end() :]
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def rebuilt(text: str, where: str = TEMPLATE) -> str:
    """The template's text with each block that it has as the registry has it now."""
    for match in reversed(list(_blocks(text, where))):
        text = text[: match.start()] + block(match["name"]) + text[match.end() :]
    return text


def _blocks(text: str, where: str) -> Iterator[re.Match[str]]:
    found = [match for match in _BLOCK.finditer(text) if match["name"] in bodies()]
    if text.count("<!-- headwater:") != 2 * len(found):
        raise KitError(
            "A marker of a managed block has no partner.",
            where=where,
            fix="put back the line that is missing, or delete the other one:\n"
            "<!-- headwater:rules, written by headwater; change what is outside -->\n"
            "<!-- headwater:rules end -->",
        )
    return iter(found)


def _slot(name: str) -> str:
    return "mode" if name in MODES else name


def _state(found: re.Match[str] | None, name: str) -> State:
    if found is None:
        return State.MISSING
    if _is_edited(found):
        return State.EDITED
    return State.CURRENT if found.group() == block(name) else State.STALE


def _is_edited(found: re.Match[str]) -> bool:
    # The first template's markers had no digest: such a block counts as written by program.
    return bool(found["digest"]) and found["digest"] != digest(found["body"])


def digest(body: str) -> str:
    """A short mark of a text: equal marks, equal text."""
    return hashlib.sha256(body.encode()).hexdigest()[:8]


def _line(rule: Rule) -> str:
    sentence = f"- **{rule.id}** {rule.title}. {rule.rule}"
    return textwrap.fill(sentence, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def main(arguments: list[str], path: Path | None = None) -> int:
    """`build` writes the blocks of the template's AGENTS.md; `check` exits 1 when one is stale."""
    if arguments not in (["build"], ["check"]):
        print("usage: python -m headwater_workshop.ai_files build|check", file=sys.stderr)
        return 2
    path = kit_root() / "template" / TEMPLATE if path is None else path
    text = path.read_text(encoding="utf-8")
    wanted = rebuilt(text, str(path))
    if text == wanted:
        print("the blocks in AGENTS.md are up to date")
        return 0
    if arguments == ["check"]:
        print("stale: AGENTS.md\nFix: python -m headwater_workshop.ai_files build")
        return 1
    path.write_text(wanted, encoding="utf-8")
    print("the blocks in AGENTS.md are written")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KitError as error:
        sys.exit(str(error))
