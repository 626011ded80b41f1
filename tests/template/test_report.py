"""The nightly report of a complete project: made by its own command, from its own database."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headwater_workshop.new import new_project
from tests.template.kits import ROOT

HEADWATER = Path(sys.executable).with_name("headwater")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete project that has counted three days."""
    folder = tmp_path_factory.mktemp("report") / "my-app"
    new_project(folder, frontend="none", defaults=True, root=ROOT)
    counted = {"tasksCompleted": 2.0, "messages": 1200.0, "activeUsers": 3.0}
    days = [
        {"day": f"2026-11-0{number}", "tasksCreated": float(number), **counted}
        for number in (1, 2, 3)
    ]
    (folder / "days.jsonl").write_text("".join(f"{json.dumps(day)}\n" for day in days))
    said(folder, str(HEADWATER), "import", "--table", "daily_statistics", "days.jsonl")
    return folder


def said(folder: Path, *command: str) -> str:
    """What a command in the project prints; it must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_writes_a_page_and_a_pdf(project: Path) -> None:
    """Named by the newest day; the page holds its charts itself and loads nothing."""
    told = said(project, sys.executable, "-m", "tools.nightly_report", "--days", "2")
    assert re.findall(r"reports.(\S+) \(.* (\d) days\)", told) == [
        ("2026-11-03.html", "2"),
        ("2026-11-03.pdf", "2"),
    ]
    page = (project / "reports" / "2026-11-03.html").read_text("utf-8")
    assert "my-app: 2026-11-02 to 2026-11-03" in page
    assert page.count("<svg") == 3
    assert re.findall(r"<td>(.*?)</td>", page)[:5] == ["2026-11-03", "3", "2", "1,200", "3"]
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)
    paper = (project / "reports" / "2026-11-03.pdf").read_bytes()
    assert paper.startswith(b"%PDF-")
    assert paper.count(b"/Subtype /Image") >= 3


@pytest.mark.prove
def test_without_a_counted_day_it_says_why_there_is_none(tmp_path: Path) -> None:
    """In the words of `headwater data`."""
    new_project(tmp_path / "new", frontend="none", defaults=True, root=ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "tools.nightly_report"],
        cwd=tmp_path / "new",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no table 'daily_statistics'" in done.stderr
