"""The reference is complete: errors, limits, commands, rules, messages and public names."""

from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import fields
from typing import Any

import pytest
import yaml

import headwater
from headwater import errors
from headwater.core import protocol
from headwater.rules import RULES
from headwater.settings import Limits
from headwater_workshop import reference_docs
from headwater_workshop.lessons import load_lessons

from .commands import headwater_commands
from .pages import DOCS, ROOT, headings


def text_of(*names: str) -> str:
    """The pages, one after another."""
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


def test_every_error_has_a_heading() -> None:
    """Each class of headwater.errors has its heading, and each heading of a class its class."""
    classes = {
        name
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if member.__module__ == errors.__name__
    }
    named = {heading for heading in headings(DOCS / "reference/errors.md") if " " not in heading}
    assert classes == named - {"Errors", "Limits", "Server"}


def test_every_limit_has_its_default_and_reason_on_the_page() -> None:
    """The page made from the limits has a heading, the default and the reason of each."""
    page = reference_docs.settings_page()
    for limit in fields(Limits):
        _, _, section = page.partition(f"\n## {limit.name}\n")
        assert f"**{limit.default:,}**" in section, limit.name
        assert limit.metadata["reason"][1:] in section, limit.name


def test_every_command_has_a_heading() -> None:
    """The page made from the program has a heading for each command, and its options."""
    page = reference_docs.cli_page()
    for name, command in headwater_commands().items():
        if not getattr(command, "hidden", False):
            assert f"\n## {name}\n" in page
            assert all(option in page for option in _options(command)), name


def _options(command: Any) -> list[str]:
    parameters = [part for part in command.params if part.param_type_name == "option"]
    return [part.opts[0] for part in parameters if not part.hidden and part.name != "help"]


def listed(section: str) -> list[str]:
    """The pages that mkdocs.yml lists in a section, after its first."""
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    entries = next(entry[section] for entry in navigation if section in entry)
    return [next(iter(entry.values())) for entry in entries[1:]]


def test_every_rule_is_in_the_navigation() -> None:
    """mkdocs.yml lists a page for each rule, in the registry's order."""
    assert listed("Rules") == [rule.page for rule in RULES.values()]


def test_every_lesson_is_in_the_navigation() -> None:
    """mkdocs.yml lists a page for each lesson, in their order."""
    assert listed("Lessons") == [f"lessons/{lesson.name}.md" for lesson in load_lessons()]


def test_every_public_name_is_in_the_reference() -> None:
    """What `from headwater import` can give stands on a page of the reference."""
    names = ("functions.md", "database.md", "errors.md", "testing.md", "wire.md")
    text = text_of(*(f"reference/{name}" for name in names))
    missing = [name for name in headwater.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_the_changelog_ends_at_the_package_version() -> None:
    """The newest version of the changelog is the one pyproject.toml has."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert headings(DOCS / "changelog.md")[1] == version


def test_every_client_message_is_on_the_wire_page() -> None:
    """The messages that the parser says it knows are the rows of the page's first table."""
    with pytest.raises(errors.ProtocolError) as refused:
        protocol.parse('{"type": "?"}')
    known = str(refused.value).partition("known: ")[2].split(", ")
    wire = text_of("reference/wire.md")
    assert len(known) >= 6
    assert all(f"| `{name}` |" in wire for name in known)
