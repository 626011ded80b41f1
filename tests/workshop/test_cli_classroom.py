"""The room board: its backend, a learner's seat at it, and both with a real server and browser."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from headwater.errors import AppError
from headwater.testing import Backend, FunctionFailed
from headwater_workshop.classroom import opening, preflight, seat
from headwater_workshop.classroom.app.backend import board
from headwater_workshop.cli.classroom import app
from headwater_workshop.kit import KitError
from headwater_workshop.lessons import load_lessons
from headwater_workshop.progress import record_grade
from headwater_workshop.report import CheckResult, Finding, GradeResult, ObjectiveResult
from headwater_workshop.stages import stage, write
from headwater_workshop.start import address as address_of
from tests.scenarios.chromium import chromium

RUN = CliRunner()
CODE = "QWERTZ"
SEAT = "a" * 22
FIRST = load_lessons()[0]
FAILED = GradeResult(
    lesson=FIRST.name,
    title=FIRST.title,
    seed=1,
    jail="L3",
    objectives=(ObjectiveResult("L1.1", "", True), ObjectiveResult("L1.2", "", False)),
    checks=(
        CheckResult(
            "x", "L1.2", "X", "failed", Finding("V001", "my own text", "", ""), rule="HW103"
        ),
    ),
    seconds=1.0,
    sources="",
)


@pytest.fixture
def room() -> Iterator[Backend]:
    """The board's backend."""
    with resources.as_file(resources.files("headwater_workshop.classroom") / "app") as folder:
        backend = Backend.load(folder)
    backend.set_env(ROOM_CODE=CODE)
    yield backend
    backend.close()


def work(**changes: Any) -> dict[str, Any]:
    """What a grader reports: lesson 2, one of three objectives, a finding."""
    facts = {"lesson": 2, "title": "Queries", "met": 1, "of": 3, "finding": "Q101"}
    return {**facts, "rule": "HW401", "hints": 0, "passed": [1], **changes}


def told(room: Backend, name: str = "Ana", key: str = SEAT, **changes: Any) -> None:
    """One report."""
    words = {"code": CODE, "seat": key, "name": name, "work": work(**changes)}
    room.mutation("board:report", words)


def rows(room: Backend) -> list[dict[str, Any]]:
    """Everybody on the board."""
    found: list[dict[str, Any]] = room.query("board:room", {"code": CODE})
    return found


def test_the_board_is_live(room: Backend) -> None:
    """A report is pushed to whoever looks."""
    seen = room.subscribe("board:room", {"code": CODE})
    told(room)
    (row,) = seen.value
    assert (row["name"], row["lesson"], row["finding"], row["trust"]) == ("Ana", 2, "Q101", "local")


def test_how_long_somebody_is_stuck_goes_on_while_the_finding_is_the_same(room: Backend) -> None:
    """Another finding, or none, begins anew."""
    told(room)
    since = rows(room)[0]["stuckSince"]
    room.advance(minutes=7)
    told(room, met=2)
    assert rows(room)[0]["stuckSince"] == since
    told(room, finding="Q103")
    assert rows(room)[0]["stuckSince"] == since + 7 * 60_000
    told(room, finding=None)
    assert rows(room)[0]["stuckSince"] is None


def test_a_hand_stays_up_until_it_is_taken_down(room: Backend) -> None:
    """Since when it is up does not change when it is raised again."""
    words = {"code": CODE, "seat": SEAT, "name": "Ana"}
    room.mutation("board:hand", {**words, "up": True})
    since = rows(room)[0]["handSince"]
    room.advance(minutes=1)
    room.mutation("board:hand", {**words, "up": True})
    told(room)
    assert rows(room)[0]["handSince"] == since
    room.mutation("board:hand", {**words, "up": False})
    assert rows(room)[0]["handSince"] is None


def test_a_seat_is_whose_secret_it_has(room: Backend) -> None:
    """Another secret is another seat, whatever its name; no secret is on the board or stored."""
    told(room)
    told(room, key="b" * 22)
    assert [row["name"] for row in rows(room)] == ["Ana", "Ana"]
    assert SEAT not in json.dumps(rows(room))
    room.mutation("board:leave", {"code": CODE, "seat": "b" * 22})
    room.mutation("board:leave", {"code": CODE, "seat": "c" * 22})
    assert len(rows(room)) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("board:report", {"seat": SEAT, "name": "x", "work": work()}),
        ("board:hand", {"seat": SEAT, "name": "x", "up": True}),
        ("board:leave", {"seat": SEAT}),
    ],
)
def test_nothing_goes_without_the_rooms_code(
    path: str, words: dict[str, Any], room: Backend
) -> None:
    """Not to look, not to tell."""
    with pytest.raises(AppError, match="not the room's code"):
        room.mutation(path, {"code": "GUESSED", **words})
    with pytest.raises(AppError, match="not the room's code"):
        room.query("board:room", {"code": "GUESSED"})
    assert rows(room) == []


@pytest.mark.parametrize(
    "changes",
    [{"lesson": 1000}, {"title": "x" * 200}, {"finding": "x" * 30}, {"passed": [1] * 60}],
)
def test_nobody_can_put_a_book_on_the_board(changes: dict[str, Any], room: Backend) -> None:
    """Everything that is told has a bound."""
    with pytest.raises(FunctionFailed):
        told(room, **changes)
    with pytest.raises(FunctionFailed):
        told(room, name="x" * 41)


def test_a_full_room_takes_nobody_else(room: Backend) -> None:
    """Who has a seat keeps it."""
    for number in range(board.SEATS_AT_MOST):
        told(room, key=f"{number:022}")
    with pytest.raises(AppError, match="200 seats"):
        told(room)
    told(room, key=f"{7:022}", finding=None)


# A learner's seat


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that has done lesson 1, and stands in it."""
    write(stage(1), tmp_path / "project")
    record_grade(tmp_path / "project", FIRST, {"L1.1": True}, "2026-01-01T00:00:00Z")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def test_without_a_seat_nothing_is_sent(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking part is a choice: no file, no call."""
    monkeypatch.setattr(seat, "_tell", lambda *_: pytest.fail("it was told"))
    assert seat.report(project, FIRST, FAILED) == ""
    (project / ".headwater" / "classroom.json").write_text("{broken")
    assert seat.report(project, FIRST, FAILED) == ""
    ended = RUN.invoke(app, ["hand"])
    assert (ended.exit_code, "headwater classroom join" in ended.stderr) == (2, True)


def test_what_is_told_is_where_one_is_and_never_what_one_wrote(project: Path) -> None:
    """Codes, numbers and the lesson's title; no message's text."""
    said = seat.work_of(project, FIRST, FAILED)
    assert (said["lesson"], said["met"], said["finding"], said["rule"]) == (1, 1, "V001", "HW103")
    assert "my own text" not in json.dumps(said)
    assert set(said) == set(board.Work.model_fields)


@pytest.mark.parametrize(
    ("url", "name", "said"),
    [
        ("ftp://x", "Ana", "no address of a room"),
        ("192.168.1.20", "Ana", "no address of a room"),
        ("http://127.0.0.1:1", "x" * 41, "does not fit"),
        ("http://127.0.0.1:1", "\x1b[2J", "does not fit"),
        ("http://127.0.0.1:1", "Ana", "does not answer"),
    ],
)
def test_a_seat_that_cannot_be_taken_is_said(url: str, name: str, said: str, project: Path) -> None:
    """And no seat is kept that would be told of later."""
    with pytest.raises(KitError, match=said):
        seat.join(project, url, CODE, name)
    assert seat.seat_of(project) is None


def test_grading_goes_on_when_the_board_is_gone(project: Path) -> None:
    """What is wrong with the board is a word, and no failure."""
    kept = {"url": "http://127.0.0.1:1", "code": CODE, "name": "Ana", "seat": SEAT}
    (project / ".headwater" / "classroom.json").write_text(json.dumps(kept))
    assert "does not answer" in seat.report(project, FIRST, FAILED)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    """The same room opens again with the same code."""
    (tmp_path / "notes.txt").write_text("mine")
    ended = RUN.invoke(app, ["--dir", str(tmp_path)])
    assert (ended.exit_code, "holds something else" in ended.stderr) == (2, True)
    code = opening.lay_app(tmp_path / "room")
    assert opening.lay_app(tmp_path / "room") == code


def test_the_preflight_says_what_to_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A taken port is a fault, a missing wheelhouse a note; each with what to do."""
    monkeypatch.setattr(preflight, "_demo", lambda: iter(()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tried = {each.name: each for each in preflight.preflight(port, tmp_path / "none")}
        ended = RUN.invoke(app, ["preflight", "--port", str(port)])
    assert (tried[f"port {port}"].good, tried["wheelhouse"].good) == (False, None)
    assert "--port" in tried[f"port {port}"].fix
    assert "headwater wheelhouse" in tried["wheelhouse"].fix
    assert ended.exit_code == 1
    assert "mend" in ended.stdout


@pytest.mark.prove
def test_the_preflight_grades_a_demo() -> None:
    """As learners will have it graded: a right solution passes, the beginning does not."""
    assert [each.good for each in preflight._demo()] == [True, True]


def free_port() -> int:
    """A port that nobody listens on, nor on the next one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.prove
def test_forty_graders_are_seen_in_a_browser(project: Path, tmp_path: Path) -> None:
    """The real server, the real page, forty seats; names are text, hands come first."""
    folder, port = tmp_path / "room", free_port()
    code = opening.lay_app(folder)
    server = opening.serve(folder, code, lan=None, port=port)
    try:
        url = address_of(server, folder)
        seat.join(project, url, code, "<b>Zoe</b>")
        for number in range(39):
            mine = seat.Seat(url, code, f"Learner {number:02}", f"{number:02}" * 11)
            words = {"name": mine.name, "work": work(finding="Q101" if number % 2 else None)}
            seat._tell(mine, "board:report", words)
        assert RUN.invoke(app, ["hand"]).exit_code == 0
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"{url}/#{code}")
            expect(page.locator("#summary")).to_have_text("40 here, 1 with a hand up, 19 stuck")
            names = page.locator("#seats .name").all_inner_texts()
            assert (len(names), names[0]) == (40, "<b>Zoe</b>")
        assert RUN.invoke(app, ["leave"]).exit_code == 0
        assert seat.seat_of(project) is None
    finally:
        server.terminate()
        server.wait()
