"""What a lesson's `tests/checks.py` is written with.

    @check(objective="L1.1", title="An unknown field is refused", needs=("createTask_exists",))
    def unknown_field(lab: Lab) -> None:
        attempt = lab.person("ana").attempt("tasks:createTask", {"title": "x", "colour": "red"})
        if not attempt.refused:
            lab.fail("V001", seen="...", fix="...", more="HW103")

A check passes when it returns. It asks the learner's functions as a client would, by wire path and
wire arguments, and compares what comes back here, in the grader's own process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from headwater_workshop.lab.lab import Attempt, Caller, CheckFailed, Lab
from headwater_workshop.lab.pages import PageBroken

__all__ = ["Attempt", "Caller", "Check", "CheckFailed", "Lab", "PageBroken", "check", "load_checks"]

CheckFunction = Callable[[Lab], None]


@dataclass(frozen=True)
class Check:
    """One check of a lesson.

    Attributes:
        needs: names of checks before it without which it would say nothing new; when one of them
            did not pass, this one is skipped.
        place: where a learner looks first when it fails: `backend/tasks.py create_task`.
        rule: the id of the rule it is about; empty where there is none.
    """

    name: str
    objective: str
    title: str
    needs: tuple[str, ...]
    run: CheckFunction
    place: str = ""
    rule: str = ""


def check(
    *, objective: str, title: str, needs: tuple[str, ...] = (), place: str = "", rule: str = ""
) -> Callable[[CheckFunction], Check]:
    """Make a function that takes a Lab a check of the lesson."""

    def made(function: CheckFunction) -> Check:
        return Check(function.__name__, objective, title, needs, function, place, rule)

    return made


def load_checks(source: str, name: str) -> tuple[Check, ...]:
    """The checks of a lesson's `tests/checks.py`, in the order they are written.

    Raises:
        ValueError: a check needs one that does not stand before it.
    """
    module = ModuleType(f"headwater_lesson_{name.replace('-', '_')}")
    code = compile(source, f"lessons/{name}/tests/checks.py", "exec")
    exec(code, module.__dict__)
    found = tuple(value for value in vars(module).values() if isinstance(value, Check))
    known: set[str] = set()
    for each in found:
        unknown = set(each.needs) - known
        if unknown:
            missing = ", ".join(sorted(unknown))
            raise ValueError(f"{name}: check {each.name} needs {missing}, not seen before it")
        known.add(each.name)
    return found
