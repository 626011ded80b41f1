"""HW303, HW304: who calls is asked of ctx, and what costs money has a limit. Warnings."""

from __future__ import annotations

import ast

from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.outside import outside_reached
from headwater.check.owners import Field, identity_fields, stored_owner
from headwater.check.registered import Registered
from headwater.rules import Finding
from headwater.rules.callers import PAID

_CALLERS = {
    "user_id",
    "userId",
    "current_user",
    "current_user_id",
    "caller_id",
    "owner_id",
    "author_id",
    "acting_user_id",
    "token_identifier",
}
_PAID = tuple(f"{package}." for package in PAID)


def check_clients(facts: Facts) -> list[Finding]:
    """Findings of public functions."""
    found: list[Finding] = []
    uses_auth = any(_mentions_auth(m.source.text) for m in facts.project.modules.values())
    owned = identity_fields(facts) if uses_auth else set()
    for entry in facts.registered.values():
        if entry.is_internal:
            continue
        if uses_auth and entry.kind != "query":
            found += _identity(facts, entry, owned)
        if entry.kind == "action":
            found += _limit(facts, entry)
    return found


def _mentions_auth(text: str) -> bool:
    return ".auth." in text


def _identity(facts: Facts, entry: Registered, owned: set[Field]) -> list[Finding]:
    """An argument that says who calls, by its name or by where it goes, and nobody asks."""
    args = entry.function.node.args
    named = [a for a in (*args.posonlyargs, *args.args, *args.kwonlyargs) if a.arg in _CALLERS]
    told = named[0] if named else stored_owner(facts, entry.function, owned)
    if told is None or _reaches(facts, entry, "auth"):
        return []
    return [
        facts.finding(
            "HW303",
            f"{told.arg} is an argument, and nobody asks who calls",
            entry.function,
            told,
            fix="identity = await ctx.auth.require_identity()\n"
            "and key on identity.token_identifier; leave the argument out",
        )
    ]


def _limit(facts: Facts, entry: Registered) -> list[Finding]:
    """A public action that reaches what is paid for by the call, and notes nothing of it."""
    if _reaches(facts, entry, "run_mutation"):
        return []
    for step in facts.reached(entry):
        for call, origin in outside_reached(facts, step.function):
            if origin.startswith(_PAID):
                return [
                    facts.finding(
                        "HW304",
                        f"any client may call {origin.partition('.')[0]} as often as it likes",
                        entry.function,
                        call if step.function is entry.function else entry.function.node,
                        fix="take a token first, in a transaction: "
                        "await ctx.run_mutation(take_token, ...)",
                    )
                ]
    return []


def _reaches(facts: Facts, entry: Registered, name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == name
        for step in facts.reached(entry)
        for node in walk(step.function.node)
    )
