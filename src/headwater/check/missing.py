"""HW000: a module imports from the backend what is not there, so that nothing can be loaded.

Only imports at a module's own level are judged, and only where all names of the other module are
seen: one with a star import from elsewhere, or that makes names while it runs, may have any.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

from headwater.check.facts import Facts
from headwater.check.project import Module, Project
from headwater.check.scopes import import_bindings
from headwater.rules import Finding

_MAKES_NAMES = ("__getattr__", "globals()", "vars()", "setattr(", "exec(", "sys.modules", "global ")
_WHY = "the backend cannot be loaded with this import"


def check_missing(facts: Facts, root: Path) -> list[Finding]:
    """A finding for each import of a name, or of a module with a name close to one that exists."""
    return [
        finding
        for module in facts.project.modules.values()
        for node in module.source.tree.body
        if isinstance(node, ast.ImportFrom)
        for finding in _import(facts, root, module, node)
    ]


def _import(facts: Facts, root: Path, module: Module, node: ast.ImportFrom) -> Iterator[Finding]:
    for _, dotted in import_bindings(node, module.name, module.source.is_package):
        base, _, name = dotted.rpartition(".")
        if not dotted.startswith("backend.") or "_generated" in dotted or name.startswith("__"):
            continue
        what, fix = _problem(facts.project, root, base, name)
        if what:
            yield facts.finding("HW000", what, module, node, why=_WHY, fix=fix)


def _problem(project: Project, root: Path, base: str, name: str) -> tuple[str, str]:
    """What is wrong with `from base import name` and how to mend it; empty if nothing surely is."""
    home = project.modules.get(base)
    if home is None:
        wanted = f"{base}.{name}" if base == "backend" else base
        return _no_module(project, root, wanted)
    if name in home.scope.names or _exists(project, root, f"{base}.{name}"):
        return "", ""
    names = _names(project, home)
    if names is None or name in names:
        return "", ""
    close = difflib.get_close_matches(name, sorted(names), n=1)
    fix = f'did you mean "{close[0]}"? Or define {name} there' if close else f"define {name} there"
    return f"{home.source.path} has no {name}", fix


def _no_module(project: Project, root: Path, wanted: str) -> tuple[str, str]:
    """A module that is not there, told where one of nearly that name is: a slip of the keyboard."""
    package, _, last = wanted.rpartition(".")
    if not package or _exists(project, root, wanted):
        return "", ""
    siblings = [n.rpartition(".")[2] for n in project.modules if n.rpartition(".")[0] == package]
    close = difflib.get_close_matches(last, siblings, n=1)
    return (
        (f"there is no module {wanted}", f'did you mean "{package}.{close[0]}"?')
        if close
        else (
            "",
            "",
        )
    )


def _exists(project: Project, root: Path, dotted: str) -> bool:
    """Whether a module or package is there, also one that could not be read."""
    if dotted in project.modules or any(n.startswith(f"{dotted}.") for n in project.modules):
        return True
    place = root.joinpath(*dotted.split("."))
    return place.is_dir() or any(place.parent.glob(f"{place.name}.*"))


def _names(project: Project, home: Module, depth: int = 0) -> set[str] | None:
    """Every name a module has; None where it may have others."""
    if depth > 20 or any(word in home.source.text for word in _MAKES_NAMES):
        return None
    found = set(home.scope.names)
    for star in home.scope.stars:
        other = project.modules.get(star)
        further = _names(project, other, depth + 1) if other else None
        if further is None:
            return None
        found |= further
    return found
