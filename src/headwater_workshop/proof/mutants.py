"""Mutants of a lesson's solution: one small change each, in what the learner writes only.

A check that no mutant can fail checks nothing; a mutant that no check fails is a mistake that a
learner could make and not be told.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from headwater_workshop.kit import Tree
from headwater_workshop.lessons import Lesson
from headwater_workshop.proof.operators import Definition, changes, late_checks
from headwater_workshop.stages import stage, started

_SHOWN: Final = 60
_Located = ast.stmt | ast.expr | ast.keyword | ast.arg


@dataclass(frozen=True)
class Mutant:
    """The solution with one change.

    Attributes:
        name: says where and what, the same in each run: `tasks move_task 7: number: 1 -> 2`.
        tree: the project's files with the change.
    """

    name: str
    tree: Tree


def mutants(lesson: Lesson, lessons: tuple[Lesson, ...] | None = None) -> list[Mutant]:
    """Every mutant of what the solution adds to the lesson's beginning, in `backend/` and in other
    files of the learner's part.
    """
    part = {target.partition(":")[0] for target in lesson.targets}
    before, solved = started(lesson, lessons), stage(lesson.number, lessons)
    found: dict[str, Mutant] = {}
    for path in sorted(lesson.overlay("solution")):
        if path.startswith("backend/") or path in part:
            source = solved[path].decode()
            for label, text in _of_module(before.get(path, b"").decode(), source):
                name = f"{path.removeprefix('backend/').removesuffix('.py')} {label}"
                while name in found:
                    name += " (again)"
                found[name] = Mutant(name, {**solved, path: text.encode()})
    return list(found.values())


def _of_module(before: str, source: str) -> Iterator[tuple[str, str]]:
    """The mutated texts of one module, each by what was changed in it."""
    added, lines = _added_lines(before, source), source.splitlines(keepends=True)
    for definition in ast.parse(source).body:
        if not isinstance(definition, Definition) or not added & _lines_of(definition):
            continue
        first = min(_lines_of(definition))
        head, tail = "".join(lines[: first - 1]), "".join(lines[definition.end_lineno :])
        seen = {ast.unparse(definition)}
        for label, changed in _changed(definition, first, added):
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text not in seen:
                seen.add(text)
                yield f"{definition.name} {label}", f"{head}{text}\n{tail}"


def _added_lines(before: str, after: str) -> set[int]:
    """Numbers of the lines of `after` that `before` does not have."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    spans = (op for op in matcher.get_opcodes() if op[0] != "equal")
    return {number + 1 for _, _, _, start, end in spans for number in range(start, end)}


def _lines_of(node: _Located) -> set[int]:
    decorators = getattr(node, "decorator_list", ())
    first = min(each.lineno for each in (node, *decorators))
    return set(range(first, (node.end_lineno or first) + 1))


def _changed(
    definition: Definition, first: int, added: set[int]
) -> Iterator[tuple[str, Definition]]:
    for index, node in enumerate(ast.walk(definition)):
        if not isinstance(node, _Located) or not added & _lines_of(node):
            continue
        for operator, new in changes(node, definition):
            made = copy.deepcopy(definition)
            twin = next(each for at, each in enumerate(ast.walk(made)) if at == index)
            _put(made, twin, copy.deepcopy(new))
            yield f"{node.lineno - first + 1}: {operator}: {_difference(node, new)}", made
    for step, made in late_checks(definition):
        text = _short(" ".join(ast.unparse(step).split()))
        yield f"{step.lineno - first + 1}: check after the write: {text}", made


def _put(root: ast.AST, old: ast.AST, new: ast.AST | None) -> None:
    """Set `new` in the place of `old`; None takes it out of the list it stands in."""
    for parent in ast.walk(root):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list) and any(each is old for each in value):
                value[:] = [
                    new if each is old else each for each in value if each is not old or new
                ]
                if not value and field == "body":
                    value.append(ast.Pass())


def _difference(node: ast.AST, new: ast.AST | None) -> str:
    """What stood there and what stands there now; of long texts the part that differs."""
    old, other = _words(node), _words(new)
    start = end = 0
    if sum(map(len, old)) > _SHOWN:
        start = _alike(old, other)
        end = min(_alike(old[::-1], other[::-1]), len(old) - start, len(other) - start)
    parts = ("".join(text[start : len(text) - end]).strip(" ,") for text in (old, other))
    return " -> ".join(_short(part) or "nothing" for part in parts)


def _words(node: ast.AST | None) -> list[str]:
    """The text of some code in words and signs, spaces with what they follow."""
    text = "" if node is None else " ".join(ast.unparse(node).split())
    return re.findall(r"(?:\w+|\W) *", text)


def _alike(one: list[str], other: list[str]) -> int:
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
