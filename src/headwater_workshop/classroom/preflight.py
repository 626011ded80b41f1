"""The evening before: what a workshop needs, tried on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headwater_workshop.classroom.opening import is_free, lan_address
from headwater_workshop.grader.grader import grade
from headwater_workshop.lessons import load_lessons
from headwater_workshop.sandbox.jail import jail_report
from headwater_workshop.stages import stage, started, write


@dataclass(frozen=True)
class Tried:
    """One thing that was tried.

    Attributes:
        good: True, False, or None for what one should know but may do without.
        fix: what to do about it; empty when nothing is to be done.
    """

    name: str
    good: bool | None
    said: str
    fix: str = ""


def preflight(port: int, wheelhouse: Path | None) -> Iterator[Tried]:
    """Try everything, one after the other."""
    yield from _ports(port)
    yield _network(port)
    yield _wheels(wheelhouse)
    yield _sandbox()
    yield from _demo()


def _ports(port: int) -> Iterator[Tried]:
    for each, what in (
        (3210, "learners' own servers"),
        (port, "the board"),
        (port + 1, "its site"),
    ):
        good = is_free("127.0.0.1", each)
        fix = "" if good else f"end what listens there, or give another --port than {each}"
        word = "is free" if good else "is taken"
        yield Tried(f"port {each}", good, f"{word}: {what}", fix)


def _network(port: int) -> Tried:
    address = lan_address()
    if address is None:
        fix = "join the room's network; without one the board is for this machine alone"
        return Tried("network", None, "this machine has no address in a local network", fix)
    fix = f"from a laptop of a learner, open http://{address}:{port} once the board is open"
    return Tried("network", True, f"{address} is this machine's address", fix)


def _wheels(folder: Path | None) -> Tried:
    make = "headwater wheelhouse wheelhouse"
    if folder is None or not folder.is_dir():
        where = "none was named" if folder is None else f"{folder} is not there"
        return Tried("wheelhouse", None, f"{where}: a room without network cannot install", make)
    found = len(list(folder.glob("wheels/*.whl")))
    own = list(folder.glob("wheels/headwater-*.whl"))
    if not own:
        return Tried("wheelhouse", False, f"{folder} holds no wheel of headwater", make)
    return Tried("wheelhouse", True, f"{found} wheels in {folder}")


def _sandbox() -> Tried:
    report = jail_report()
    missing = f", without {', '.join(report.missing)}" if report.missing else ""
    fix = "strangers' submissions need L2 or better" if report.level == "L1" else ""
    return Tried("sandbox", True if not fix else None, f"level {report.level}{missing}", fix)


def _demo() -> Iterator[Tried]:
    """Lesson 1, right and not yet begun, as learners will have it graded."""
    first = load_lessons()[0]
    for what, tree, passes in (
        ("a right solution passes", stage(1), True),
        ("the beginning does not", started(first), False),
    ):
        with tempfile.TemporaryDirectory() as folder:
            write(tree, Path(folder))
            result = grade(Path(folder), first)
        good = result.passed is passes
        fix = "" if good else "run `headwater lesson verify 1`, and tell us what it says"
        yield Tried("grading lesson 1", good, f"{what}, {result.seconds:.1f} s", fix)
