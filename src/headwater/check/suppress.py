"""`# headwater: allow HW401 -- reason`, on a finding's line, above it, or above its statement."""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.check.nodes import walk
from headwater.check.sources import Source
from headwater.rules import RULES, Finding, rule

_MARK = re.compile(
    r"#\s*headwater\s*:\s*allow\b[\s:]*(?P<codes>HW\w+(?:[\s,]+HW\w+)*)?(?P<rest>.*)"
)
_REASON = re.compile(r"\s*(?:--+|—|:)\s*\S")


@dataclass(frozen=True)
class Allowance:
    """One comment that allows some rules at its place."""

    line: int
    col: int
    codes: tuple[str, ...]
    has_reason: bool
    covers: int  # the first line of code at or below the comment


def apply_allowances(source: Source, findings: list[Finding]) -> list[Finding]:
    """The findings that nothing allows, and those about the comments themselves."""
    if "headwater:" not in source.text and "headwater :" not in source.text:
        return findings
    allowances = list(_allowances(source))
    starts = _statement_starts(source.tree)
    kept = [f for f in findings if not any(_covers(a, f, starts) for a in allowances)]
    return kept + [finding for a in allowances for finding in _about(source, a)]


def _allowances(source: Source) -> Iterator[Allowance]:
    lines = source.text.splitlines()
    for token in _comments(source.text):
        match = _MARK.match(token.string)
        if match:
            line = token.start[0]
            codes = tuple(re.findall(r"HW\w+", match["codes"] or ""))
            reason = bool(_REASON.match(match["rest"]))
            covers = _code_line(lines, line)
            yield Allowance(line, token.start[1] + 1, codes, reason, covers)


def _comments(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token
    except (tokenize.TokenError, SyntaxError):
        return


def _code_line(lines: list[str], line: int) -> int:
    """The comment's own line if code stands before it, else the first line below the comments."""
    while line <= len(lines) and lines[line - 1].lstrip().startswith("#"):
        line += 1
    return line


def _statement_starts(tree: ast.Module) -> dict[int, int]:
    """For each line of a statement's own text the line it begins on, decorators included."""
    starts: dict[int, int] = {}
    for node in walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
        for line in range(first, (last or first) + 1):
            starts[line] = first
    return starts


def _covers(allowance: Allowance, finding: Finding, starts: dict[int, int]) -> bool:
    if finding.code not in allowance.codes:
        return False
    return allowance.covers in (finding.line, starts.get(finding.line))


def _about(source: Source, allowance: Allowance) -> Iterator[Finding]:
    for code in allowance.codes:
        if code not in RULES:
            close = difflib.get_close_matches(code, RULES, n=1)
            fix = f"did you mean {close[0]}?" if close else "`headwater explain` lists the rules"
            yield _finding(source, allowance, f"allows {code}, which is no rule", "", fix)
    if not allowance.codes:
        fix = "name the rule: # headwater: allow HW401 -- <reason>"
        yield _finding(source, allowance, "allows nothing: no rule is named", "", fix)
    elif not allowance.has_reason:
        names = ", ".join(allowance.codes)
        fix = f"write it behind two dashes: # headwater: allow {names} -- <reason>"
        yield _finding(source, allowance, f"allows {names} without a reason", None, fix)


def _finding(source: Source, allowance: Allowance, what: str, why: str | None, fix: str) -> Finding:
    return rule("HW000").finding(
        what, stage="S", path=source.path, line=allowance.line, col=allowance.col, why=why, fix=fix
    )
