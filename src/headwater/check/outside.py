"""HW203: no I/O in queries and mutations, nor in the helpers they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check import outside_calls
from headwater.check.facts import Facts
from headwater.check.offences import Offence
from headwater.check.project import FunctionInfo

_WHY = {
    "query": "a query is run again whenever what it read changes and must not do I/O",
    "mutation": "a mutation may be retried and must not do I/O",
}
_DATABASE = (
    "keep the data in a table of backend/schema.py and read it with ctx.db.query(...):\n"
    "no subscription can see what is read past ctx.db, so no client would be updated"
)
_FIX = {
    "query": "fetch it in an @action that stores it by ctx.run_mutation(save, ...);\n"
    "the query then reads what is stored",
    "mutation": "move the call into an @action, and let that run the mutation with the result:\n"
    "await ctx.run_mutation(<name>, ...)",
}
_RUNNERS = ("asyncio.to_thread", "anyio.to_thread.run_sync")


def outside_offences(facts: Facts, function: FunctionInfo) -> Iterator[Offence]:
    """Each call that is I/O."""
    for call, origin in outside_reached(facts, function):
        is_database = outside_calls.is_database(origin)
        fix = dict.fromkeys(_WHY, _DATABASE) if is_database else _FIX
        yield Offence("HW203", call, f"calls {outside_calls.shown(origin)}", _WHY, fix)


def outside_reached(facts: Facts, function: FunctionInfo) -> Iterator[tuple[ast.Call, str]]:
    """The calls that are I/O. A client made and used in one function counts where it is made."""
    found = []
    for call in function.scope.calls:
        for reached in (call.func, *handed_over(facts, function, call)):
            origin = facts.origin(reached, function)
            if origin and outside_calls.is_outside(origin):
                found.append((call, origin))
    made = {origin for _, origin in found if outside_calls.makes_client(origin)}
    for call, origin in found:
        if not (outside_calls.uses_client(origin) and origin.partition("()")[0] in made):
            yield call, origin


def handed_over(facts: Facts, function: FunctionInfo, call: ast.Call) -> list[ast.expr]:
    """The function in `asyncio.to_thread(requests.get, url)` and `run_in_executor(None, f)`."""
    if facts.origin(call.func, function) in _RUNNERS:
        return call.args[:1]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "run_in_executor":
        return call.args[1:2]
    return []
