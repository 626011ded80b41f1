"""Mutants: one small change each, named so that a person knows where to look."""

from __future__ import annotations

import ast

import pytest

from headwater_workshop.lessons import load_lessons
from headwater_workshop.proof.mutants import mutants
from headwater_workshop.proof.operators import Definition, changes, late_checks
from headwater_workshop.stages import stage, started

LESSONS = load_lessons()


def definition(source: str) -> Definition:
    """The one function or class of a source."""
    found = ast.parse(source).body[0]
    assert isinstance(found, Definition)
    return found


def made_of(source: str) -> set[tuple[str, str]]:
    """Every change of a definition's parts: the operator's name, and what is put in."""
    target = definition(source)
    found = [change for node in ast.walk(target) for change in changes(node, target)]
    return {(name, "" if new is None else ast.unparse(new)) for name, new in found}


@pytest.mark.parametrize(
    ("source", "operator", "becomes"),
    [
        ("def f(): return a < b", "comparison", "a <= b"),
        ("def f(): return a < b", "comparison", "a > b"),
        ("def f(): return a and b", "condition dropped", "b"),
        ("def f(): return a and b", "and/or", "a or b"),
        ("def f(): return not a", "not dropped", "a"),
        ("def f(): return a if b else c", "one branch", "c"),
        ("def f(): return 100", "number", "101"),
        ("def f(): return a + b", "arithmetic", "a - b"),
        ("def f(): raise E", "deleted", ""),
        ("def f(): return await g()", "nothing returned", "return None"),
        ("class A:\n    x: int | None = None", "union narrowed", "int"),
        ("class A:\n    x: Annotated[str, Field(max_length=2)]", "constraint dropped", "str"),
        ("class A:\n    x: Literal['a', 'b']", "member dropped", "Literal['a',]"),
        ("class A:\n    by = Index('a', 'b')", "fields turned round", "Index('b', 'a')"),
        ("class A:\n    by = Index('a', 'b')", "last field dropped", "Index('a')"),
        ("def f(): q.with_index('i', a=1, b=2)", "bound dropped", "q.with_index('i', a=1)"),
        ("def f(): db.patch(i, a=1, b=2)", "field dropped", "db.patch(i, b=2)"),
        ("def f(): q.order('desc')", "order", "'asc'"),
        ("def f(): q.filter(g)", "step dropped", "q"),
        ("def f(): q.take(5)", "limit dropped", "q.collect()"),
        ("@query\ndef f(): pass", "visibility", "internal_query"),
        ("@internal_action(name='x')\ndef f(): pass", "visibility", "action(name='x')"),
    ],
)
def test_each_operator_makes_its_change(source: str, operator: str, becomes: str) -> None:
    """The operators of the field, and those of this domain."""
    assert (operator, becomes) in made_of(source)


def test_a_check_is_moved_behind_the_write_it_guards() -> None:
    """Also where the write is what is returned."""
    source = "async def f(ctx):\n    if bad:\n        raise E\n    return await ctx.db.insert(x)"
    ((step, late),) = late_checks(definition(source))
    assert ast.unparse(step).startswith("if bad")
    assert ast.unparse(late).splitlines()[1:] == [
        "    written = await ctx.db.insert(x)",
        "    if bad:",
        "        raise E",
        "    return written",
    ]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.label)
def test_mutants_change_what_the_learner_writes_and_nothing_else(lesson) -> None:  # type: ignore[no-untyped-def]
    """Each differs from the solution in one file of the solution, and from every other mutant."""
    found, solved = mutants(lesson), stage(lesson.number)
    changed = [{path for path in each.tree if each.tree[path] != solved[path]} for each in found]
    assert len(found) >= 5
    assert all(len(paths) == 1 and paths <= set(lesson.overlay("solution")) for paths in changed)
    assert len({each.name for each in found}) == len(found)
    assert all(each.tree != started(lesson) for each in found)
