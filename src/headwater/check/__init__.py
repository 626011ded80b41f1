"""`headwater check`: the rules that can be judged by reading the code, without importing it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headwater.check.actions import check_actions
from headwater.check.awaits import check_awaits
from headwater.check.bounds import check_bounds
from headwater.check.clients import check_clients
from headwater.check.crons import check_crons
from headwater.check.declared import check_declared
from headwater.check.direct_calls import check_direct_calls
from headwater.check.facts import Facts
from headwater.check.field_types import check_types
from headwater.check.indexes import check_indexes
from headwater.check.invented import check_invented
from headwater.check.missing import check_missing
from headwater.check.places import check_places
from headwater.check.project import Project
from headwater.check.routes import check_routes
from headwater.check.scheduled import check_scheduled
from headwater.check.secrets import check_secrets
from headwater.check.signatures import check_signatures
from headwater.check.suppress import apply_allowances
from headwater.check.transactions import check_transactions
from headwater.check.webhooks import check_webhooks
from headwater.rules import Finding

__all__ = ["check_project", "repair_project"]


def check_project(root: Path, kept: list[Any] | None = None) -> list[Finding]:
    """Every finding in the backend of the project at `root`, in the order of the files.

    Never imports the project and never raises for what stands in its files.

    Args:
        root: the project's folder.
        kept: is given what was parsed, by whom who ends at once and need not free it.
    """
    with _without_gc():
        found = _checked(root, kept)  # the project is gone before the collector would walk it
    return sorted(found, key=lambda f: (f.path, f.line, f.col, f.code, f.what))


def repair_project(root: Path, wanted: Callable[[str], bool] = lambda path: True) -> list[str]:
    """Mend in place what needs no judgement; gives the changes, a diff for each file.

    Args:
        root: the project's folder.
        wanted: says of a path, relative to the root, whether its file may be changed.
    """
    with _without_gc():
        return _repaired(root, wanted)


def _checked(root: Path, kept: list[Any] | None) -> list[Finding]:
    project = Project.read(root)
    if kept is not None:
        kept.append(project)
    return _allowed(project, _found(project, root))


def _repaired(root: Path, wanted: Callable[[str], bool]) -> list[str]:
    from headwater.check.repairs import repair  # seldom asked for

    project = Project.read(root)
    found = _allowed(project, _found(project, root))
    diffs = []
    for module in project.modules.values():
        path = module.source.path
        own = [finding for finding in found if finding.path == path]
        diffs.append(repair(root, module.source, own) if own and wanted(path) else "")
    return [diff for diff in diffs if diff]


def _found(project: Project, root: Path) -> list[Finding]:
    facts = Facts.of(project)
    registered = facts.registered
    return [
        *check_routes(facts),
        *check_signatures(project, registered),
        *check_direct_calls(facts),
        *check_transactions(facts),
        *check_awaits(facts),
        *check_scheduled(project, registered),
        *check_indexes(facts),
        *check_bounds(facts),
        *check_invented(facts),
        *check_actions(facts),
        *check_crons(facts),
        *check_secrets(facts),
        *check_places(facts, root),
        *check_missing(facts, root),
        *check_declared(facts),
        *check_types(facts),
        *check_clients(facts),
        *check_webhooks(facts),
    ]


def _allowed(project: Project, found: list[Finding]) -> list[Finding]:
    """The findings that no comment allows, those about comments, and those about whole files."""
    by_path: dict[str, list[Finding]] = {}
    for finding in found:
        by_path.setdefault(finding.path, []).append(finding)
    kept = list(project.unreadable)
    for module in project.modules.values():
        kept += apply_allowances(module.source, by_path.pop(module.source.path, []))
    return kept + [finding for rest in by_path.values() for finding in rest]


@contextmanager
def _without_gc() -> Iterator[None]:
    """Parsing makes many objects and no garbage: the collector would take a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
