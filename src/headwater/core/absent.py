"""What a rule keeps off ctx, `ctx.db` and queries: the finding behind an AttributeError.

The classes are plain ones, without `__getattr__`, which would make each access to them slower.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from headwater.core.equivalents import WRITES, instead_of
from headwater.core.violations import found
from headwater.rules import Finding

_READS = "the ctx of a query only reads"
_NO_ACTION = (
    "let an action do it, and run it after this commit:\n"
    "await ctx.scheduler.run_after(0, send, ...)"
)


class _Absent(NamedTuple):
    code: str
    what: str
    fix: str | None = None
    why: str | None = None


_CTX: Final[dict[tuple[str, str], _Absent]] = {
    ("action", "db"): _Absent("HW301", "an action uses ctx.db"),
    ("query", "now"): _Absent(
        "HW201",
        "a query asks for the time",
        "take the time as an argument, or store a flag that a scheduled mutation sets",
    ),
    ("query", "random"): _Absent(
        "HW202",
        "a query draws chance",
        "make the value in a mutation by ctx.random and store it; the query reads it",
    ),
    ("query", "scheduler"): _Absent(
        "HW204", "a query schedules a call", "schedule it in a mutation", _READS
    ),
    ("query", "run_mutation"): _Absent(
        "HW403", "a query runs a mutation", "make it a @mutation, with ctx: MutationCtx", _READS
    ),
    ("query", "run_action"): _Absent("HW203", "a query runs an action", _NO_ACTION),
    ("mutation", "run_action"): _Absent("HW203", "a mutation runs an action", _NO_ACTION),
}


def absent_from_ctx(kind: str, name: str) -> Finding | None:
    """What is wrong with a member that a function's ctx has not; None for any other name.

    Args:
        kind: query, mutation or action.
        name: what was asked for.
    """
    told = _CTX.get((kind, name))
    return told and found(told.code, told.what, "T", why=told.why, fix=told.fix)


def absent_from_db(name: str, *, writer: bool) -> Finding | None:
    """What is wrong with a method that `ctx.db` has not, or has in mutations only."""
    if name.startswith("_"):
        return None
    if name in WRITES and not writer:
        fix = "make the function a @mutation, with ctx: MutationCtx"
        return found("HW403", f"a query writes: ctx.db.{name}()", "T", why=_READS, fix=fix)
    fix = instead_of(name, query=False)
    return found("HW403", f"ctx.db has no method {name}()", "T", fix=fix)


def absent_from_query(name: str) -> Finding | None:
    """What is wrong with a method that a query has not."""
    if name.startswith("_"):
        return None
    fix = instead_of(name, query=True)
    return found("HW403", f"a query has no method {name}()", "T", fix=fix)
