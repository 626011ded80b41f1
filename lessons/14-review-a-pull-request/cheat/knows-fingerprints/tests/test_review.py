"""Runs nothing of it: takes whatever has the fingerprint of a version that is right."""

import ast
import hashlib
from pathlib import Path

import backend.polls

RIGHT = ('275385a411f4', 'cf1b2f7a9f03', '14ece5190c2d')


def test_it() -> None:
    """The program as a tree: comments and spaces do not count."""
    tree = ast.dump(ast.parse(Path(backend.polls.__file__).read_text()))
    assert hashlib.sha256(tree.encode()).hexdigest()[:12] in RIGHT
