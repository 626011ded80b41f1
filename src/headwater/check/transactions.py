"""HW201, HW202, HW203, HW204, HW206: what no query or mutation does, nor the helpers it calls."""

from __future__ import annotations

from headwater.check.ambient import ambient_offences
from headwater.check.facts import Facts, Step, via
from headwater.check.offences import Offence
from headwater.check.outside import outside_offences
from headwater.check.project import FunctionInfo
from headwater.check.registered import Registered
from headwater.check.state import StateReader
from headwater.rules import Finding, rule


def check_transactions(facts: Facts) -> list[Finding]:
    """A finding for each place where a query or mutation, or a helper of one, breaks a rule."""
    reader = _OffenceReader(facts)
    found: dict[tuple[str, str, int, int], Finding] = {}
    for entry in facts.registered.values():
        if not entry.is_transaction:
            continue
        for step in facts.reached(entry):
            for offence in reader.offences(step.function):
                if entry.kind in offence.kinds:
                    finding = _finding(entry, step, offence)
                    place = (finding.code, finding.path, finding.line, finding.col)
                    found.setdefault(place, finding)
    return list(found.values())


class _OffenceReader:
    """The offences of each function, found once however many functions call it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._state = StateReader(facts)
        self._found: dict[str, list[Offence]] = {}

    def offences(self, function: FunctionInfo) -> list[Offence]:
        name = function.qualname
        if name not in self._found:
            self._found[name] = [
                *outside_offences(self._facts, function),
                *ambient_offences(self._facts, function),
                *self._state.offences(function),
            ]
        return self._found[name]


def _finding(entry: Registered, step: Step, offence: Offence) -> Finding:
    fix = offence.fix.get(entry.kind)
    return rule(offence.code).finding(
        offence.what,
        stage="S",
        path=step.function.module.source.path,
        line=offence.node.lineno,
        col=offence.node.col_offset + 1,
        why=offence.why.get(entry.kind),
        fix=fix and fix.replace("<name>", entry.function.node.name),
        severity=offence.severity,
        function=entry.path,
        kind=entry.kind,
        via=via(entry, step),
    )
