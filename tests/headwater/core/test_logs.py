"""Log lines of a call."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from headwater import MutationCtx, QueryCtx, mutation, query
from headwater.core.logs import (
    CallLog,
    CallLogHandler,
    current_log,
    install_log_handler,
    logged_print,
)
from headwater.settings import Limits
from headwater.testing import FunctionFailed
from tests.headwater.core.things import backend_of


@query
async def talk(ctx: QueryCtx) -> None:
    """Prints and logs."""
    logged_print("hello", 3, {"a": 1})
    logging.getLogger("things").warning("careful %s", "now")


@mutation
async def fail(ctx: MutationCtx) -> None:
    """Prints, then fails."""
    logged_print("before")
    raise ValueError("no")


def test_print_and_logging_are_lines_of_the_call() -> None:
    """Texts are quoted, levels named."""
    backend = backend_of(talk)
    backend.query(talk)
    assert backend.log_lines == ["[LOG] 'hello' 3 {'a': 1}", "[WARN] 'careful now'"]


@query
async def talk_at_every_level(ctx: QueryCtx) -> None:
    """Logs at each level, by the root and by a logger of its own; a library logs too."""
    logging.info("to the root")
    own = logging.getLogger("things")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        own.log(level, "at %s", level)
    library = compile("log.debug('small')\nlog.error('large')", json.__file__, "exec")
    exec(library, {"log": logging.getLogger("library")})
    try:
        raise ValueError("no")
    except ValueError:
        own.exception("lost")


def test_every_level_has_its_name() -> None:
    """Also below a warning, save where a library says it; a traceback is part of the line."""
    backend = backend_of(talk_at_every_level)
    backend.query(talk_at_every_level)
    *lines, traced = backend.log_lines
    assert lines == [
        "[INFO] 'to the root'",
        "[DEBUG] 'at 10'",
        "[INFO] 'at 20'",
        "[WARN] 'at 30'",
        "[ERROR] 'at 40'",
        "[ERROR] 'at 50'",
        "[ERROR] 'large'",
    ]
    assert traced.startswith("[ERROR] 'lost\\nTraceback")
    assert "ValueError: no" in traced


@query
async def print_in_every_way(ctx: QueryCtx) -> None:
    """Prints with the options that print has."""
    logged_print("a", "b", sep="")
    logged_print("a", 1, None, sep=", ", end="", flush=True)
    logged_print("to", "stdout", file=sys.stdout)
    logged_print()
    logged_print(ValueError("it's"), [1.5, "x"], "it's", "line\nbreak")


def test_each_print_is_a_line() -> None:
    """Joined by its separator, whatever it ends with; texts quoted, other objects as repr."""
    backend = backend_of(print_in_every_way)
    backend.query(print_in_every_way)
    assert backend.log_lines == [
        "[LOG] 'a''b'",
        "[LOG] 'a', 1, None",
        "[LOG] 'to' 'stdout'",
        "[LOG] ",
        """[LOG] ValueError("it's") [1.5, 'x'] "it's" 'line\\nbreak'""",
    ]


def test_lines_are_kept_on_failure() -> None:
    """They say how far it came."""
    backend = backend_of(fail)
    with pytest.raises(FunctionFailed):
        backend.mutation(fail)
    assert backend.log_lines == ["[LOG] 'before'"]


def test_log_lines_is_a_limit() -> None:
    """Two of two are kept; the third is counted in a last line."""
    log = CallLog(Limits(log_lines=2))
    for number in range(2):
        log.add("LOG", str(number))
    assert log.lines == ["[LOG] 0", "[LOG] 1"]
    log.add("LOG", "2")
    assert log.lines[2:] == ["[WARN] '1 more log lines were left out'"]


@pytest.mark.parametrize("text", ["x" * 14, "é" * 7])
def test_log_line_bytes_is_a_limit(text: str) -> None:
    """Twenty bytes pass; of a longer line the first ones are kept, in whole characters."""
    log = CallLog(Limits(log_line_bytes=20))
    log.add("LOG", text)
    log.add("LOG", text + "é")
    assert log.lines[0] == f"[LOG] {text}"
    assert log.lines[1].endswith("...")
    assert 18 <= len(log.lines[1].encode()) <= 20


def test_print_outside_a_call_is_print(capsys: pytest.CaptureFixture[str]) -> None:
    """So is one to a file of its own."""
    logged_print("a", "b", sep="-")
    token = current_log.set(CallLog(Limits()))
    logged_print("c", file=sys.stderr)
    current_log.reset(token)
    assert capsys.readouterr() == ("a-b\n", "c\n")


def test_the_log_handler_is_installed_once() -> None:
    """However many backends a process has."""
    install_log_handler()
    install_log_handler()
    ours = [h for h in logging.getLogger().handlers if isinstance(h, CallLogHandler)]
    assert len(ours) == 1
