"""`headwater check`: the rules that can be judged by reading the code, without importing it."""

from __future__ import annotations

from pathlib import Path

from headwater.check.indexes import check_indexes
from headwater.check.outside import check_outside
from headwater.check.project import Project
from headwater.check.registered import registered_functions
from headwater.check.routes import check_routes
from headwater.check.signatures import check_signatures
from headwater.check.suppress import apply_allowances
from headwater.check.tables import read_tables
from headwater.rules import Finding

__all__ = ["check_project"]


def check_project(root: Path) -> list[Finding]:
    """Every finding in the backend of the project at `root`, in the order of the files.

    Never imports the project and never raises for what stands in its files.
    """
    project = Project.read(root)
    registered = registered_functions(project)
    found = [
        *check_routes(project),
        *check_signatures(project, registered),
        *check_outside(project, registered),
        *check_indexes(project, read_tables(project), registered),
    ]
    for module in project.modules.values():
        path = module.source.path
        here = [finding for finding in found if finding.path == path]
        elsewhere = [finding for finding in found if finding.path != path]
        found = elsewhere + apply_allowances(module.source, here)
    everything = project.unreadable + found
    return sorted(everything, key=lambda f: (f.path, f.line, f.col, f.code, f.what))
