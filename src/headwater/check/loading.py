"""Stage R: what a load of the backend refuses, as findings. Only here a project is imported."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

from headwater.core.violations import finding_of
from headwater.errors import HeadwaterError
from headwater.loader import load
from headwater.rules import Finding, rule
from headwater.settings import Limits


def load_findings(root: Path) -> list[Finding]:
    """Loads the backend of the project at `root` as a server would; what that ended with, if
    anything. What the project prints meanwhile goes to standard error.
    """
    try:
        with redirect_stdout(sys.stderr):
            load(root, Limits().load_limit_s)
    except HeadwaterError as error:
        return [finding_of(error, root, stage="R") or _unloadable(error)]
    return []


def _unloadable(error: HeadwaterError) -> Finding:
    """A load that failed by no rule: the file does not import."""
    what = str(error).rstrip(".")
    path, _, rest = what.partition(":")
    line, _, told = rest.partition(":")
    known = path.startswith("backend/") and line.isdecimal()
    return rule("HW000").finding(
        told.strip() if known else what,
        stage="R",
        path=path if known else "backend",
        line=int(line) if known else 0,
        why="a server cannot load it",
        fix=error.fix or "mend what the first line says; then run this again",
    )


def with_load(found: list[Finding], root: Path) -> list[Finding]:
    """Findings of the files, and of a load where it says what they do not."""
    told = {(finding.code, finding.path, finding.line) for finding in found}
    further = load_findings(root)
    return found + [one for one in further if (one.code, one.path, one.line) not in told]
