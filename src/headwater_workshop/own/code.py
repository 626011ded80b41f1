"""A learner's own tables and functions in the files of a lesson: they stay when those are laid.

A lesson lays whole files. What somebody wrote into them besides, under a name that no lesson knows,
is put at their end: tables and other classes with a base, functions with a decorator, whatever
another file names, and what these use. The rest is in the kept work.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..kit import Tree
from ..lessons import Lesson
from ..stages import template_tree
from .regions import first_line, given, statements

_LINE = 100
_SCHEMA = "backend/schema.py"
_PIECES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Assign, ast.AnnAssign)


@dataclass(frozen=True)
class Broken:
    """An import that finds nothing: where it stands, and what is not there."""

    path: str
    line: int
    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}, which {self.source} does not have"


def lesson_names(lessons: Iterable[Lesson]) -> dict[str, set[str]]:
    """The names that the lessons give at the top level of each file, in any stage."""
    found: dict[str, set[str]] = {}
    overlays = [each.overlay(part) for each in lessons for part in ("starter", "solution")]
    for tree in (template_tree("workshop"), *overlays):
        for path, content in tree.items():
            if path.endswith(".py"):
                found.setdefault(path, set()).update(_bound(ast.parse(content)))
    return found


def with_own_code(
    files: Tree, laid: Tree, known: Mapping[str, set[str]]
) -> tuple[dict[str, bytes], dict[str, list[str]]]:
    """A lesson's files with what of a learner's own code stays, and its names by file.

    Args:
        files: the learner's project.
        laid: the lesson's files.
        known: the names that lessons give, by file.
    """
    result, stays = dict(laid), dict[str, list[str]]()
    others = [text for path, text in files.items() if path not in laid]
    for path in sorted(laid, key=lambda path: (path != _SCHEMA, path)):  # others import from it
        old, new = _parsed(files.get(path)), _parsed(laid[path])
        if old is None or new is None or files[path] == laid[path]:
            continue
        pieces = _own(old, known.get(path, set()) | _bound(new), others)
        there = {name: _parsed(text) for name, text in ({**files, **result}).items()}
        pieces = _whole(pieces, old, new, there)
        merged = _merged(files[path].decode(), old, laid[path].decode(), new, pieces).encode()
        if pieces and _parsed(merged) is not None:
            result[path] = merged
            stays[path] = [name for piece in pieces for name in given(piece)]
    return result, stays


def broken_imports(files: Tree) -> list[Broken]:
    """Imports between files of `backend/`, or from a test, that find no such file or name."""
    trees = {path: _parsed(text) for path, text in files.items() if path.endswith(".py")}
    found = []
    for path, tree in sorted(trees.items()):
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                found += [
                    Broken(path, node.lineno, alias.name, source)
                    for alias in node.names
                    if (source := _lacking(trees, node.module or "", alias.name)) is not None
                ]
    return found


def _lacking(trees: Mapping[str, ast.Module | None], module: str, name: str) -> str | None:
    """The file that does not have a name which is imported from it; None when all is well."""
    folder = module.replace(".", "/")
    if folder.partition("/")[0] != "backend" or any(
        path == f"{folder}/{name}.py" or path.startswith(f"{folder}/{name}/") for path in trees
    ):
        return None
    source = f"{folder}.py"
    if source not in trees:
        package = any(path.startswith(f"{folder}/") for path in trees)
        source = f"{folder}/__init__.py" if package else source
    tree = trees.get(source)
    if source in trees and (tree is None or name == "*" or name in _bound(tree, inside=True)):
        return None  # a file that does not parse says so itself
    return source


def _own(tree: ast.Module, known: set[str], others: list[bytes]) -> list[ast.stmt]:
    """The learner's own statements that stay, in their order."""
    own = [
        node
        for node in tree.body
        if isinstance(node, _PIECES) and (names := set(given(node))) and not names & known
    ]
    text = b"\n".join(others).decode(errors="replace")
    stay = [node for node in own if _stands_alone(node) or _named(node, text)]
    while True:
        used = {name for node in stay for name in _used(node)}
        more = [node for node in own if node not in stay and used & set(given(node))]
        if not more:
            return [node for node in own if node in stay]
        stay += more


def _whole(
    pieces: list[ast.stmt],
    old: ast.Module,
    new: ast.Module,
    there: Mapping[str, ast.Module | None],
) -> list[ast.stmt]:
    """The pieces that find what they use: others would keep the lesson's file from loading."""
    gone = _bound(old) - _bound(new)
    for node in old.body:
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            there_is = (each for each in node.names if _lacking(there, module, each.name) is None)
            gone -= {_local(each) for each in there_is}
        elif isinstance(node, ast.Import):
            gone -= {_local(each) for each in node.names}
    while True:
        lacking = gone - {name for piece in pieces for name in given(piece)}
        whole = [piece for piece in pieces if not lacking.intersection(_used(piece))]
        if len(whole) == len(pieces):
            return whole
        pieces = whole


def _stands_alone(node: ast.stmt) -> bool:
    """Whether it does something though no code names it: a table, a function for clients."""
    if isinstance(node, ast.ClassDef):
        return bool(node.bases)
    return bool(getattr(node, "decorator_list", []))


def _named(node: ast.stmt, text: str) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in given(node))


def _merged(
    old_text: str, old: ast.Module, new_text: str, new: ast.Module, pieces: list[ast.stmt]
) -> str:
    """The new text, what the pieces import, and the pieces at its end."""
    wanted = {name for piece in pieces for name in _used(piece)} - _bound(new)
    lines = new_text.splitlines()
    for node in old.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            aliases = [each for each in node.names if _local(each) in wanted]
            if aliases:
                lines = _with_import(lines, node, aliases)
    parts = ["\n".join(lines).rstrip(), *(_text(piece, old_text.splitlines()) for piece in pieces)]
    return "\n\n\n".join(parts) + "\n"


def _with_import(
    lines: list[str], node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]
) -> list[str]:
    """The lines with these names imported: in the line that has their module, or in a new one."""
    found = ast.parse("\n".join(lines)).body
    body = [each for each in found if isinstance(each, ast.Import | ast.ImportFrom)]
    for each in body:
        if _same_module(each, node):
            both = _import_lines(node, [*each.names, *aliases])
            return [*lines[: each.lineno - 1], *both, *lines[each.end_lineno :]]
    before = [each for each in body if _order(each) < _order(node)]
    at = max((each.end_lineno or 0 for each in before), default=0)
    if not before and body:
        at = body[0].lineno - 1
    gap = [""] if before and _order(before[-1])[0] != _order(node)[0] else []
    return [*lines[:at], *gap, *_import_lines(node, aliases), *lines[at:]]


def _import_lines(node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> list[str]:
    names = sorted({ast.unparse(each) for each in aliases})
    if isinstance(node, ast.Import):
        return [f"import {', '.join(names)}"]
    start = f"from {'.' * node.level}{node.module or ''} import "
    line = start + ", ".join(names)
    if len(line) <= _LINE:
        return [line]
    return [f"{start}(", *(f"    {name}," for name in names), ")"]


def _order(node: ast.stmt) -> tuple[int, bool, str]:
    """Where an import stands: the standard library first, the project's own last."""
    module = node.names[0].name if isinstance(node, ast.Import) else ""
    module = node.module or "" if isinstance(node, ast.ImportFrom) else module
    top = module.partition(".")[0]
    section = 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2
    return (3 if top in ("", "backend") else section), isinstance(node, ast.ImportFrom), module


def _text(node: ast.stmt, lines: list[str]) -> str:
    """A statement as it was written, with its decorators and the comment above it."""
    first = first_line(node)
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return "\n".join(lines[first - 1 : node.end_lineno])


def _same_module(one: ast.stmt, other: ast.stmt) -> bool:
    if not isinstance(one, ast.ImportFrom) or not isinstance(other, ast.ImportFrom):
        return False
    return (one.module, one.level) == (other.module, other.level)


def _local(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _used(node: ast.stmt) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _bound(tree: ast.Module, *, inside: bool = False) -> set[str]:
    """The names a file has at its top level; `inside`: whatever is bound anywhere in it, too."""
    found = {name for node in statements(tree.body) for name in given(node)}
    for node in ast.walk(tree) if inside else statements(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(_local(each) for each in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _parsed(content: bytes | None) -> ast.Module | None:
    try:
        return None if content is None else ast.parse(content)
    except (SyntaxError, ValueError):
        return None
