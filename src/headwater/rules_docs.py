"""The rules as pages of the docs: `python -m headwater.rules_docs docs/rules` writes them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from headwater.rules import RULES, STAGES, Rule


def docs_page(rule: Rule) -> str:
    """The Markdown page of one rule."""
    where = "; ".join(STAGES[stage] for stage in rule.stages)
    lesson = f"\n\nLesson {rule.lesson} practises it." if rule.lesson else ""
    return f"""\
# {rule.id}: {rule.title}

{rule.rule}

**Why.** {_sentence(rule.why)}

**Usual mistake.** {_sentence(rule.mistake)}

**Found** {where}.{lesson}

## Instead of this

```python
{rule.bad.rstrip()}
```

## Write this

```python
{rule.good.rstrip()}
```

## How to mend it

```text
{rule.fix}
```

{_allowing(rule)}"""


def docs_index(rules: Sequence[Rule]) -> str:
    """The Markdown page that lists the rules."""
    rows = "\n".join(f"| [{r.id}]({r.id}.md) | {r.title} | {_sentence(r.mistake)} |" for r in rules)
    return f"""\
# The rules

Each rule has one number, in `headwater check`, in errors of the running server and here.
`headwater explain HW203` prints a page in the terminal.

| Rule | Title | Usual mistake |
| --- | --- | --- |
{rows}
"""


def docs_pages() -> dict[str, str]:
    """Every page by its file name."""
    rules = list(RULES.values())
    return {
        "index.md": docs_index(rules),
        **{Path(rule.page).name: docs_page(rule) for rule in rules},
    }


def write_docs(folder: Path) -> list[Path]:
    """Write every page into the folder, remove pages of rules that are gone; gives the paths."""
    pages = docs_pages()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _allowing(rule: Rule) -> str:
    if "S" not in rule.stages or rule.id == "HW000":
        return ""
    return f"""\
## Where it does not hold

Say so above the line, with the reason:

```python
# headwater: allow {rule.id} -- the reason
```
"""


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def main(argv: Sequence[str] | None = None) -> None:
    """Write the pages and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m headwater.rules_docs", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pages go, such as docs/rules")
    for path in write_docs(parser.parse_args(argv).folder):
        print(path)


if __name__ == "__main__":
    main()
