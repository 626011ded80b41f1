"""The log writer: what it writes, and that nobody waits for it."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Sequence

from rich.console import Console

from headwater.log_writer import JsonLines, LogWriter, Terminal, json_lines
from headwater.records import Record, Records
from headwater.redaction import Redactor
from headwater.settings import Limits
from tests.headwater.test_records import add


class Stuck:
    """An output that takes nothing until it is let go, as a full pipe does."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.missed = 0
        self.functions: list[str] = []

    def write(self, records: Sequence[Record], missed: int) -> None:
        """Takes them, some time."""
        assert self.let_go.wait(20)
        self.missed += missed
        self.functions += [record.function for record in records]


def test_json_lines_are_one_object_each() -> None:
    """Also where a record holds line breaks; whole lines, however little the pipe takes."""
    records = Records(Limits())
    add(records, "a", "b", log_lines=["[LOG] 'x\ny' é"])
    read, write = os.pipe()
    JsonLines(write, Redactor()).write(records.since(0, 9).records, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        lines = [json.loads(line) for line in pipe]
    assert [line["function"] for line in lines] == ["a", "b"]
    assert lines[0]["log_lines"] == ["[LOG] 'x\ny' é"]


def test_dropped_records_are_said_in_a_line() -> None:
    """Before those that came after them."""
    records = Records(Limits())
    add(records, "a")
    first, second = json_lines(records.since(0, 9).records, 3, str).splitlines()
    assert json.loads(first)["dropped"] == 3
    assert json.loads(second)["function"] == "a"


def test_a_stuck_output_holds_nobody_up() -> None:
    """Ten thousand records are added while it takes nothing; what it has missed is counted."""
    records, output = Records(Limits(log_records=100)), Stuck()
    writer = LogWriter(records, output)
    for number in range(10_000):
        add(records, str(number))
    output.let_go.set()
    writer.stop()
    assert output.functions[-1] == "9999"
    assert len(output.functions) + output.missed == 10_000
    assert writer.dropped == output.missed > 0


def test_a_terminal_shows_what_has_something_to_say() -> None:
    """Every call where that is asked for."""
    records = Records(Limits())
    add(records, "quiet:one")
    add(records, "loud:one", log_lines=["[LOG] 'sk_live_1'"])
    for every, shown in ((False, False), (True, True)):
        file = io.StringIO()
        redact = Redactor(lambda: frozenset({"sk_live_1"}))
        Terminal(Console(file=file), redact, every=every).write(records.since(0, 9).records, 2)
        text = file.getvalue()
        assert "1.0 ms query loud:one [LOG] '[redacted]'" in text
        assert "2 calls are not shown" in text
        assert ("quiet:one" in text) is shown
