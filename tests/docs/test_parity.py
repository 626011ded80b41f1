"""Parity and bad input: each test that a page names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .pages import DOCS, ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(file: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("page", ["parity", "bad-input"])
def test_every_test_that_is_named_exists(page: str) -> None:
    """By file and function, so that a renamed one is noticed."""
    text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
    named = _NAMED.findall(text)
    assert len(named) > 15
    for file, name in named:
        assert name in names_in(ROOT / file), f"{file}::{name}"


def test_what_works_names_its_test() -> None:
    """No row says so on its word alone."""
    text = (DOCS / "reference" / "parity.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| .* \| works", line)]
    assert len(rows) > 50
    assert [row for row in rows if not _NAMED.search(row)] == []
