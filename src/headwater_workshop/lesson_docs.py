"""The lessons' pages on the docs site: `python -m headwater_workshop.lesson_docs DIR`.

lesson.md is the page already; here the ids of rules become links, and index.md lists the lessons
with their minutes. Hints and solutions stay out. The line of how far a reader is, and a box at each
checkpoint, are filled in by docs/assets/how-far.js.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from headwater.rules import RULES

from .kit import KitError
from .lessons import Lesson, load_lessons
from .schedule import Block, Schedule, day, short

INDEX = """# Lessons

One idea each: a question, a prediction, a task for you and your assistant, and a checkpoint that
says what it saw. Go in order, or jump: `uv run headwater lesson goto 2` brings a project that is
known to be good, and keeps your own work.

```console
$ uv run headwater lesson list
$ uv run headwater lesson start 1
$ uv run headwater grade 1
```

{how_far}
| | Lesson | The question | Minutes | Short |
| --- | --- | --- | --- | --- |
"""
HOW_FAR = '<p class="how-far" data-lessons="{lessons}" aria-live="polite"></p>\n'
PASSED = """<label hidden><input type="checkbox" data-lesson="{number}">
The grader passed my lesson {number}: count it, in this browser</label>
"""
_CHECKPOINT_ENDS = "\n## Key points\n"
_RULE = re.compile(r"\bHW\d{3}\b")


def index_page(lessons: tuple[Lesson, ...]) -> str:
    """The list of lessons, with planned minutes for the full and the short workshop."""
    rows = (
        f"| {lesson.number} | [{lesson.title}]({lesson.name}.md) | {lesson.question} "
        f"| {lesson.minutes} | {lesson.minutes_short or ''} |\n"
        for lesson in lessons
    )
    minutes = sum(lesson.minutes for lesson in lessons)
    shorter = sum(lesson.minutes_short for lesson in lessons)
    together = f"| | | Together | {minutes} | {shorter} |\n"
    intro = INDEX.format(how_far=HOW_FAR.format(lessons=len(lessons)))
    return f"{intro}{''.join(rows)}{together}{schedules(lessons)}"


def schedules(lessons: tuple[Lesson, ...]) -> str:
    """Both schedules as tables."""
    quick, whole = short(lessons), day(lessons)
    spare = ", ".join(f"{each.title} ({each.minutes})" for each in whole.spare)
    more = f" {whole.slack} minutes are left for {spare}, or for what took longer." if spare else ""
    return (
        f"\n## In 90 minutes\n\n{_table(quick)}\nEverybody begins each block from a checkpoint: "
        f"`uv run headwater lesson goto 4`. {quick.slack} minutes are left.\n"
        f"\n## In a day\n\n{_table(whole)}\n{more.strip()}\n"
    )


def _table(schedule: Schedule) -> str:
    rows = (f"| {block.time} | {block.minutes} | {_named(block)} |\n" for block in schedule.blocks)
    return f"| From | Minutes | What |\n| --- | --- | --- |\n{''.join(rows)}"


def _named(block: Block) -> str:
    if block.lesson is None:
        return block.what
    return f"[{block.lesson.number}: {block.what}]({block.lesson.name}.md)"


def lesson_page(lesson: Lesson, lessons: int) -> str:
    """The lesson's own text, and how far the reader is in so many lessons.

    Outside code, an id of a rule links to its page.
    """
    return _with_how_far(_linked(lesson), lesson.number, lessons)


def _with_how_far(text: str, number: int, lessons: int) -> str:
    title, rest = text.split("\n", 1)
    box = f"\n{PASSED.format(number=number)}{_CHECKPOINT_ENDS}"
    rest = rest.replace(_CHECKPOINT_ENDS, box, 1)
    return f"{title}\n\n{HOW_FAR.format(lessons=lessons)}{rest}"


def _linked(lesson: Lesson) -> str:
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", lesson.text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("`") else _RULE.sub(_link, part) for part in parts)


def write_pages(folder: Path, lessons: tuple[Lesson, ...]) -> list[Path]:
    """Write every page into a folder; pages of lessons that are gone are removed."""
    pages = {"index.md": index_page(lessons)}
    pages |= {f"{lesson.name}.md": lesson_page(lesson, len(lessons)) for lesson in lessons}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _link(found: re.Match[str]) -> str:
    known = found[0] in RULES
    return f"[{found[0]}](../rules/{found[0]}.md)" if known else found[0]


def main(arguments: list[str]) -> int:
    """Write the pages into the folder that is named."""
    if len(arguments) != 1:
        print("usage: python -m headwater_workshop.lesson_docs DIR", file=sys.stderr)
        return 2
    print(f"{len(write_pages(Path(arguments[0]), load_lessons()))} pages of lessons written")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KitError as error:
        sys.exit(str(error))
