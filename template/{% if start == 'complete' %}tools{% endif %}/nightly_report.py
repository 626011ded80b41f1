"""The nightly report: `daily_statistics` as an HTML page and a PDF, each with charts.

    uv run python -m tools.nightly_report --days 30 --out reports

It reads what the nightly cron has counted, through `headwater data`: from the running server, from
one at another address (--url), or from the database itself when none runs.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import FontFace
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TABLE: Final = "daily_statistics"
COLOURS: Final = ("#2f6fde", "#2b9d6a", "#d9822b", "#8a5cd6")
STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 1.5rem 0; background: #fff; border-radius: .5rem; padding: .5rem; }
figure svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
"""


@dataclass(frozen=True)
class Day:
    """What happened on one day."""

    day: str
    tasks_created: int
    tasks_completed: int
    messages: int
    active_users: int


Chart = tuple[str, Sequence[tuple[str, Callable[[Day], int]]]]
CHARTS: Final[Sequence[Chart]] = (
    (
        "Tasks",
        (
            ("created", lambda day: day.tasks_created),
            ("completed", lambda day: day.tasks_completed),
        ),
    ),
    ("Messages", (("messages", lambda day: day.messages),)),
    ("People", (("active", lambda day: day.active_users),)),
)
COLUMNS: Final = ("Day", "Created", "Completed", "Messages", "Active")


def fetched(days: int, url: str | None = None) -> list[Day]:
    """The newest days, oldest first.

    Raises:
        SystemExit: `headwater data` could not read them; it has said why.
    """
    headwater = Path(sys.executable).with_name("headwater")
    command = [str(headwater), "data", TABLE, "--json", "--order", "desc", "--limit", str(days)]
    done = subprocess.run(
        [*command, *(["--url", url] if url else [])], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    return read(done.stdout)


def read(text: str) -> list[Day]:
    """The days in what `headwater data --json` printed, oldest first."""
    found = [
        Day(
            str(document["day"]),
            *(
                int(document[n])
                for n in ("tasksCreated", "tasksCompleted", "messages", "activeUsers")
            ),
        )
        for document in json.loads(text)
    ]
    return sorted(found, key=lambda day: day.day)


def drawn(chart: Chart, days: Sequence[Day]) -> Figure:
    """One chart: bars per day, side by side."""
    title, series = chart
    made = Figure(figsize=(8, 2.6), layout="constrained")
    axes: Axes = made.subplots()
    width = 0.8 / len(series)
    for place, (name, value) in enumerate(series):
        at = [number + (place - (len(series) - 1) / 2) * width for number in range(len(days))]
        axes.bar(at, [value(day) for day in days], width, label=name, color=COLOURS[place])
    step = max(1, len(days) // 10)
    axes.set_xticks(range(0, len(days), step), [day.day[5:] for day in days[::step]])
    axes.set_title(title, loc="left", fontweight="bold")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        axes.legend(frameon=False, ncols=len(series), loc="lower right", bbox_to_anchor=(1, 1))
    return made


def picture(drawing: Figure, form: str) -> bytes:
    """A chart as `svg` or `png`."""
    out = io.BytesIO()
    drawing.savefig(out, format=form, dpi=200, metadata={"Date": None} if form == "svg" else None)
    return out.getvalue()


def heading(project: str, days: Sequence[Day]) -> str:
    """What the report is of."""
    return (
        f"{project}: {days[0].day} to {days[-1].day}" if days else f"{project}: no days counted yet"
    )


def rows(days: Sequence[Day]) -> list[list[str]]:
    """The table's rows, newest first."""
    return [
        [
            day.day,
            *(
                f"{n:,}"
                for n in (day.tasks_created, day.tasks_completed, day.messages, day.active_users)
            ),
        ]
        for day in reversed(days)
    ]


def figure(chart: Chart, days: Sequence[Day]) -> str:
    """A chart inside the page, with its name for those who do not see it."""
    svg = picture(drawn(chart, days), "svg").decode()
    return f"<figure role=img aria-label={chart[0]}>{svg[svg.index('<svg') :]}</figure>"


def html(project: str, days: Sequence[Day]) -> str:
    """The page: one file, nothing loaded from elsewhere."""
    title = escape(heading(project, days))
    figures = "".join(figure(chart, days) for chart in CHARTS if days)
    head = "".join(f"<th scope=col>{name}</th>" for name in COLUMNS)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows(days)
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>"
        f"<h1>{title}</h1>{figures}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></html>\n"
    )


def pdf(project: str, days: Sequence[Day]) -> bytes:
    """The same on A4."""
    paper = FPDF()
    paper.set_title(heading(project, days))
    paper.add_page()
    paper.set_font("helvetica", "B", 16)
    paper.cell(text=heading(project, days), new_x="LMARGIN", new_y="NEXT")
    paper.set_font("helvetica", size=9)
    for chart in CHARTS if days else ():
        paper.image(io.BytesIO(picture(drawn(chart, days), "png")), w=paper.epw)
    paper.ln(3)
    with paper.table(
        text_align=("LEFT", *["RIGHT"] * 4),
        headings_style=FontFace(emphasis="B"),
        borders_layout="HORIZONTAL_LINES",
    ) as table:
        for cells in [list(COLUMNS), *rows(days)]:
            table.row(cells)
    return bytes(paper.output())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both files; says where they are."""
    parser = argparse.ArgumentParser(
        description="The statistics of the last days, as HTML and PDF."
    )
    parser.add_argument("--days", type=int, default=30, help="how many days (30)")
    parser.add_argument("--out", type=Path, default=Path("reports"), help="the folder to write to")
    parser.add_argument("--url", help="the server; the project's own if not given")
    options = parser.parse_args(arguments)
    project, days = Path.cwd().name, fetched(options.days, options.url)
    name = days[-1].day if days else "empty"
    options.out.mkdir(parents=True, exist_ok=True)
    for suffix, content in ((".html", html(project, days).encode()), (".pdf", pdf(project, days))):
        file = options.out / f"{name}{suffix}"
        file.write_bytes(content)
        print(f"wrote {file} ({len(content):,} bytes, {len(days)} days)")


if __name__ == "__main__":
    main()
