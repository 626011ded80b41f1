"""The tables of docs/guides/evals.md, from the newest results; without any, a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from evals.arms import ARMS
from evals.runs import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "evals.md"
NONE = "No results yet: nobody has run this with an account and committed what came of it."
_ARMS = ("Arm", "Passed", "Rules broken", "Turns", "Dollars", "Seconds", "Out of budget")
_TUTOR = ("Lesson", "Turns", "Leaks", "Edits", "Denied", "Hints in order", "File", "Rule", "Step")


def write_page(page: Path = PAGE, results: Path = RESULTS) -> bool:
    """Write both tables into the page; whether it changed."""
    old = page.read_text(encoding="utf-8")
    new = old
    for kind, table in (("arms", arms_table), ("tutor", tutor_table)):
        data = newest(results, kind)
        new = _between(new, kind, NONE if data is None else f"{_run_on(data)}\n\n{table(data)}")
    page.write_text(new, encoding="utf-8")
    return new != old


def newest(folder: Path, kind: str) -> dict[str, Any] | None:
    """The last results of a kind; None when there are none."""
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in folder.glob(f"*-{kind}*.json")
    ]
    return max(found, key=lambda data: str(data["date"]), default=None)


def arms_table(data: dict[str, Any]) -> str:
    """One row for each arm: how many runs passed, and what they took."""
    rows = []
    for name, arm in ARMS.items():
        runs = [run for run in data["runs"] if run["arm"] == name]
        if runs:
            rows.append([f"{name}: {arm.about}", *_figures(runs)])
    return _table(_ARMS, rows)


def _figures(runs: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{sum(run['passed'] for run in runs)} of {len(runs)}",
        str(sum(len(run["rules"]) for run in runs)),
        f"{median(run['turns'] for run in runs):g}",
        f"{sum(run['dollars'] for run in runs):.2f}",
        f"{median(run['seconds'] for run in runs):.0f}",
        str(sum(run["outcome"] not in ("finished", "failed") for run in runs)),
    ]


def tutor_table(data: dict[str, Any]) -> str:
    """One row for each conversation: what was given away, and how often a reply helped."""
    rows = []
    for each in data["scores"]:
        order = "yes" if each["hints_in_order"] else "no"
        given = [str(each[name]) for name in ("leaks", "written", "refused")]
        named = [str(each["named"][name]) for name in ("file", "rule", "step")]
        rows.append([each["lesson"], str(len(each["turns"])), *given, order, *named])
    return _table(_TUTOR, rows)


def _run_on(data: dict[str, Any]) -> str:
    model = data["model"] or "a model that it did not name"
    part = "" if data.get("complete", True) else " The money was used up before the last run."
    return f"{data['date'][:10]}, {data['claude'] or 'claude'}, {model}.{part}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _between(text: str, kind: str, table: str) -> str:
    begin, end = f"<!-- {kind}: begin -->", f"<!-- {kind}: end -->"
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{table}\n{rest[rest.index(end) :]}"
