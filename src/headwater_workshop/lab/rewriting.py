"""The same program, written another way each time: its fingerprint is known to nobody before."""

from __future__ import annotations

import ast
import random
from string import ascii_lowercase
from typing import Final

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_PADDING: Final = 3


def rewritten(source: str, chance: random.Random) -> str:
    """A module with its functions in another order, other names for what is local to them, and
    assignments in between that nothing reads.
    """
    module = ast.parse(source)
    places = [place for place, each in enumerate(module.body) if isinstance(each, _FUNCTIONS)]
    functions = [module.body[place] for place in places]
    chance.shuffle(functions)
    for place, function in zip(places, functions, strict=True):
        module.body[place] = function
        _rename(function, chance)
        _pad(function, chance)
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _rename(function: ast.stmt, chance: random.Random) -> None:
    nodes = list(ast.walk(function))
    names = [each for each in nodes if isinstance(each, ast.Name)]
    given = {each.arg for each in nodes if isinstance(each, ast.arg)}
    local = {each.id for each in names if isinstance(each.ctx, ast.Store)} - given
    new = {name: _word(chance) for name in sorted(local)}
    for each in names:
        each.id = new.get(each.id, each.id)


def _pad(function: ast.stmt, chance: random.Random) -> None:
    for node in list(ast.walk(function)):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for _ in range(chance.randint(0, _PADDING)):
                unread = ast.Assign([ast.Name(_word(chance), ast.Store())], _constant(chance))
                body.insert(chance.randint(1, len(body)), unread)  # a docstring stays the first


def _constant(chance: random.Random) -> ast.Constant:
    value: str | int = _word(chance) if chance.random() < 0.5 else chance.randint(0, 1_000)
    return ast.Constant(value)


def _word(chance: random.Random) -> str:
    return "_" + "".join(chance.choices(ascii_lowercase, k=10))
