"""What a query or mutation may not do, wherever it stands: found once per function."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from headwater.rules import Severity

TRANSACTIONS = frozenset({"query", "mutation"})


@dataclass(frozen=True)
class Offence:
    """Something a function does that is wrong once a query or mutation reaches it.

    Attributes:
        why, fix: by kind of function; `<name>` stands for the function's name. A kind that is
            missing takes the rule's own.
    """

    code: str
    node: ast.expr | ast.stmt
    what: str
    why: Mapping[str, str]
    fix: Mapping[str, str]
    kinds: frozenset[str] = TRANSACTIONS
    severity: Severity | None = None
