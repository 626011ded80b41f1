"""Commands that the pages name exist, with the options they are given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from .commands import (
    headwater_commands,
    make_targets,
    npm_scripts,
    parse_headwater,
    project_targets,
)
from .pages import ROOT, blocks, pages, words_in_code

PROGRAMS = {"git", "cd", "copier", "python", "pip"}
UV_WORDS = {"run", "venv", "pip"}


def name_of(page: Path) -> str:
    """A page's path, as the id of its tests."""
    return str(page.relative_to(ROOT))


def check(words: list[str]) -> None:
    """Raise unless the command exists; `uv run x` is `x`, and so it is in a container."""
    for prefix in (["uv", "run"], ["docker", "compose", "exec", "app"]):
        if words[: len(prefix)] == prefix:
            words = words[len(prefix) :]
    program = words[0].removeprefix(".venv/bin/")
    if program == "make":
        assert set(words[1:]) <= make_targets(), words
    elif program == "headwater":
        parse_headwater(words[1:])
    elif program == "pytest" or program == "mypy":
        assert all((ROOT / word).exists() for word in words[1:] if "/" in word), words
    elif program == "npm":
        assert words[1:] == ["ci"] or (words[1] == "run" and words[2] in npm_scripts()), words
    elif program == "docker":
        assert words[1:3] == ["compose", "up"], words
    elif program == "uv":
        assert words[1] in UV_WORDS, words
    else:
        assert program in PROGRAMS, words


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_console_blocks_hold_commands_that_exist(page: Path) -> None:
    """A reader can type each line after `$`: the target, the command and its options are there."""
    for block in blocks(page):
        if block.language == "console":
            assert block.commands, f"{block.place}: no line begins with `$ `"
            for command in block.commands:
                check(shlex.split(command))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_named_in_prose_exist(page: Path) -> None:
    """`make test` and `headwater dev` in a sentence are commands, a project's targets too."""
    for code in words_in_code(page.read_text(encoding="utf-8")):
        target = re.match(r"make ([a-z-]+)", code)
        if target:
            assert target[1] in make_targets() | project_targets(), f"{page.name}: {code}"
        command = re.match(r"(?:uv run )?headwater ([a-z-]+)", code)
        if command:
            assert command[1] in headwater_commands(), f"{page.name}: {code}"
