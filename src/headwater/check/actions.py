"""HW301 and HW406: what actions do with data, which they only reach by reference."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.contexts import Contexts
from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo
from headwater.rules import Finding

_NO_DB = (
    "read with await ctx.run_query(get_task, ...), write with\n"
    "await ctx.run_mutation(save, ...), an @internal_mutation"
)
_MERGE = (
    "let one function do all of it, in one transaction:\n"
    "await ctx.run_mutation(save_all, items=items)"
)
_SPLIT = "let one @internal_mutation read and write: what is read is then still true when it writes"

_Run = tuple[str, ast.Call]


def check_actions(facts: Facts) -> list[Finding]:
    """Findings of every function whose ctx certainly is an action's."""
    found: list[Finding] = []
    for function in facts.project.functions.values():
        contexts = facts.contexts(function)
        if contexts.kinds and all(kinds == {"action"} for kinds in contexts.kinds.values()):
            found += _database(facts, function, contexts)
            found += _calls_in_a_row(facts, function, contexts)
    return found


def _database(facts: Facts, function: FunctionInfo, contexts: Contexts) -> Iterator[Finding]:
    for node in walk(function.node):
        if isinstance(node, ast.Attribute) and node.attr == "db" and contexts.path(node) == ("db",):
            yield facts.finding("HW301", "an action uses ctx.db", function, node, fix=_NO_DB)


def _calls_in_a_row(facts: Facts, function: FunctionInfo, contexts: Contexts) -> Iterator[Finding]:
    for block in _blocks(function.node):
        runs = [_run(statement, contexts) for statement in block]
        for statement, before, after in zip(block, runs, runs[1:], strict=False):
            if before and after:
                yield from _pair(facts, function, statement, before, after)
    for loop in walk(function.node):
        if isinstance(loop, ast.For) and len(loop.body) == 1:
            run = _run(loop.body[0], contexts)
            if run:
                method, call = run
                what = f"ctx.{method}() runs once for each round of a loop"
                why = "each call is a transaction of its own, and others come between"
                yield facts.finding(
                    "HW301", what, function, call, why=why, fix=_MERGE, severity="warning"
                )


def _pair(
    facts: Facts, function: FunctionInfo, statement: ast.stmt, before: _Run, after: _Run
) -> Iterator[Finding]:
    """Two calls one after the other, with nothing from outside between them."""
    if (before[0], after[0]) == ("run_query", "run_mutation"):
        if not _bound_names(statement) & {getattr(n, "id", "") for n in walk(after[1])}:
            return
        what = "reads in one call and writes in another"
        why = "what was read may have changed before it is written"
        yield facts.finding("HW406", what, function, after[1], why=why, fix=_SPLIT)
    elif before[0] == after[0] == "run_mutation":
        what = "two ctx.run_mutation() in a row"
        why = "if the second one fails, the first one has happened"
        yield facts.finding(
            "HW301", what, function, after[1], why=why, fix=_MERGE, severity="warning"
        )
    elif before[0] == after[0] == "run_query":
        what = "two ctx.run_query() in a row"
        why = "each sees the data of another moment"
        yield facts.finding(
            "HW301", what, function, after[1], why=why, fix=_MERGE, severity="warning"
        )


def _bound_names(statement: ast.stmt) -> set[str]:
    stored = [n for n in walk(statement) if isinstance(n, ast.Name)]
    return {name.id for name in stored if isinstance(name.ctx, ast.Store)}


def _run(statement: ast.stmt, contexts: Contexts) -> _Run | None:
    """The one ctx.run_... of a plain statement that awaits nothing else."""
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return):
        return None
    awaits = [node for node in walk(statement) if isinstance(node, ast.Await)]
    call = awaits[0].value if len(awaits) == 1 else None
    if statement.value is not (awaits[0] if awaits else None) or not isinstance(call, ast.Call):
        return None
    path = contexts.path(call.func)
    return (path[0], call) if path in (("run_query",), ("run_mutation",)) else None


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for inner in walk(node):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(inner, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block
