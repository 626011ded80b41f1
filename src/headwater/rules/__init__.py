"""The numbered rules: id, message, examples, page. Rulebook, docs and `explain` are made from them.

A rule is written here once. `headwater check` (stage S), registration (R) and the running server
(T) word their findings by it: what was seen comes from them, why and how to mend it from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from headwater.rules import callers, data, determinism, edges, functions, judging
from headwater.rules.model import STAGES, Finding, Rule, Severity, Stage, through

__all__ = ["RULES", "STAGES", "Finding", "Rule", "Severity", "Stage", "rule", "through"]

_HUNDREDS = (judging, functions, determinism, callers, data, edges)

RULES: Mapping[str, Rule] = {entry.id: entry for part in _HUNDREDS for entry in part.RULES}
"""Every rule by its id, in order."""


def rule(id: str) -> Rule:
    """The rule of this id.

    Raises:
        KeyError: there is none.
    """
    return RULES[id]
