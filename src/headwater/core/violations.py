"""A broken rule as the loader and the running server word it: by the registry of rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater.core.callsite import Spot, user_trace
from headwater.errors import (
    BackendRefused,
    HeadwaterError,
    RegistrationError,
    RuleViolation,
)
from headwater.rules import RULES, Finding, Stage, through

_FIXES = {"HW103": "call it with what its signature says"}


def found(code: str, what: str, stage: Stage, where: str = "", **more: Any) -> Finding:
    """A finding that stops a load or a call.

    Args:
        code: of the rule, which has why and fix unless `more` says more.
        what: what was seen, without a full stop.
        stage: R for the load of a backend, T for a run of a function.
        where: such as `backend/tasks.py:12`, as much of it as is known.
        more: `why`, `fix`, `function`, `kind`, `via`.
    """
    path, _, line = where.rpartition(":")
    number = int(line) if line.isdecimal() else 0
    return RULES[code].finding(
        what, stage=stage, severity="error", path=path if number else where, line=number, **more
    )


def finding_of(
    error: BaseException,
    root: Path | None = None,
    function: str = "",
    kind: str = "",
    stage: Stage = "T",
) -> Finding | None:
    """The finding behind what failed, with all that its trace knows; None for other failures.

    Args:
        error: what a call or a load ended with.
        root: the project's folder.
        function: the path of the function that was called.
        kind: query, mutation or action.
        stage: R for the load of a backend.
    """
    known = _known(error, stage)
    if known is None:
        return None
    finding = replace(
        known,
        function=known.function or function,
        kind=known.kind or kind,
        stage=stage,
    )
    spots = _from(user_trace(error, root), finding)
    if not spots or finding.via:
        return finding
    _, path, line, col = spots[0]
    return replace(finding, path=path, line=line, col=col, via=via(spots))


def as_refusal(error: HeadwaterError, root: Path) -> HeadwaterError:
    """An error of a load as what it is by the rulebook, or the error itself."""
    if not isinstance(error, RegistrationError | RuleViolation):
        return error
    finding = finding_of(error, root, stage="R")
    return error if finding is None else BackendRefused(finding)


def _known(error: BaseException, stage: Stage) -> Finding | None:
    """What an error says by itself."""
    known: Finding | None = None
    if isinstance(error, RuleViolation):
        known = error.finding
    elif type(error) is AttributeError:  # of something that is not there by a rule
        ask = getattr(type(error.obj), "_absent_member", None)
        known = ask(error.obj, error.name) if ask else None
    if known is not None or not (isinstance(error, HeadwaterError) and error.rule in RULES):
        return known
    what = str(error).removeprefix(f"{error.where}: ").rstrip(".")
    fix = error.fix or _FIXES.get(error.rule)
    return found(error.rule, what, stage, error.where, why="" if fix else None, fix=fix)


def _from(spots: list[Spot], known: Finding) -> list[Spot]:
    """The trace from the finding's own line on; all of it when no line is known."""
    places = [(path, line) for _, path, line, _ in spots]
    if not known.line:
        return spots
    place = (known.path, known.line)
    return spots[places.index(place) :] if place in places else []


def via(spots: list[Spot]) -> str:
    """How the innermost line was reached, as findings say it; empty where nobody else called."""
    if len(spots) < 2:
        return ""
    *helpers, (_, path, line, _) = spots
    names = [name.rpartition(".")[2] for name, *_ in reversed(helpers)]
    return through(names, line, "" if path == spots[0][1] else path)
