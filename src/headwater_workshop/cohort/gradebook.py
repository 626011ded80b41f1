"""The gradebook: one row for each submission, and what the cohort as a whole found hard.

`gradebook.csv` is for a spreadsheet, `gradebook.html` for people; both are made of the same rows.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from jinja2 import Environment, PackageLoader, StrictUndefined

from headwater.rules import RULES
from headwater_workshop.cohort.grading import Graded
from headwater_workshop.lessons import Lesson

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Rate:
    """How many of those who were graded did not meet an objective, or met a finding."""

    name: str
    text: str
    failed: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.failed / self.of if self.of else 0.0


def objective_rates(book: Sequence[Graded], lessons: Sequence[Lesson]) -> list[Rate]:
    """Failure rate of each objective, the hardest first."""
    rates = []
    for lesson in lessons:
        results = [each.lessons[lesson.name] for each in book if lesson.name in each.lessons]
        for objective in lesson.objectives:
            failed = sum(not result["objectives"].get(objective.id) for result in results)
            rates.append(Rate(objective.id, objective.text, failed, len(results)))
    return sorted(rates, key=lambda rate: -rate.share)


def finding_rates(book: Sequence[Graded]) -> list[Rate]:
    """How many submissions met each finding, by its code, the most frequent first."""
    words = {
        code: result["first"]
        for each in book
        for result in each.lessons.values()
        for code in result["codes"]
    }
    return [Rate(code, words[code], count, of) for code, count, of in _counted(book, "codes")]


def rule_rates(book: Sequence[Graded]) -> list[Rate]:
    """How many submissions failed a check that is about a rule, the most frequent first."""
    return [
        Rate(rule, RULES[rule].title if rule in RULES else "", count, of)
        for rule, count, of in _counted(book, "rules")
    ]


def _counted(book: Sequence[Graded], key: str) -> Iterator[tuple[str, int, int]]:
    graded = [each for each in book if each.lessons]
    met: Counter[str] = Counter()
    for each in graded:
        met.update({name for result in each.lessons.values() for name in result[key]})
    return ((name, count, len(graded)) for name, count in met.most_common())


def as_csv(book: Sequence[Graded], lessons: Sequence[Lesson]) -> str:
    """The gradebook as CSV: 1 is met, 0 is not, an empty cell was not graded."""
    objectives = [(lesson, objective.id) for lesson in lessons for objective in lesson.objectives]
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(
        [
            *("submission", "sources", "sandbox", "trust", "lessons passed", "objectives met"),
            *(lesson.label for lesson in lessons),
            *(name for _, name in objectives),
            "problem",
        ]
    )
    for each in book:
        facts = next(iter(each.lessons.values()), {})
        passed = [_flag(each, lesson, None) for lesson in lessons]
        met = [_flag(each, lesson, name) for lesson, name in objectives]
        rows.writerow(
            [
                *(_safe(each.name), each.sources, facts.get("jail", ""), facts.get("trust", "")),
                *(passed.count("1"), met.count("1"), *passed, *met, _safe(each.problem)),
            ]
        )
    return text.getvalue()


def _flag(each: Graded, lesson: Lesson, objective: str | None) -> str:
    result = each.lessons.get(lesson.name)
    if result is None:
        return ""
    good = result["passed"] if objective is None else result["objectives"].get(objective)
    return "1" if good else "0"


def _safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: some take a wide = for one too."""
    begins = normalize("NFKC", text.lstrip(" ")[:1])
    return f"'{text}" if begins.startswith(_FORMULA) else text


def as_html(book: Sequence[Graded], lessons: Sequence[Lesson], made: str) -> str:
    """The gradebook as one page that needs nothing else.

    Args:
        made: when, as text.
    """
    environment = Environment(
        loader=PackageLoader("headwater_workshop.cohort", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("gradebook.html.jinja").render(
        book=book,
        lessons=lessons,
        made=made,
        objectives=[rate for rate in objective_rates(book, lessons) if rate.failed],
        rules=rule_rates(book),
        findings=finding_rates(book),
        levels=sorted({r["jail"] for each in book for r in each.lessons.values()}),
        cells=[[_cell(each, lesson) for lesson in lessons] for each in book],
    )


@dataclass(frozen=True)
class _Cell:
    kind: str
    text: str
    title: str


def _cell(each: Graded, lesson: Lesson) -> _Cell:
    result = each.lessons.get(lesson.name)
    if result is None:
        return _Cell("none", "", "not graded")
    met, of = sum(result["objectives"].values()), len(lesson.objectives)
    kind = "done" if result["passed"] else "part" if met else "open"
    codes = ", ".join(result["codes"])
    title = f"{codes}: {result['first']}" if codes else f"{result['seconds']:.1f} s"
    return _Cell(kind, f"{met}/{of}", title)
