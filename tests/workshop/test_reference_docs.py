"""The reference pages made from code."""

from __future__ import annotations

from pathlib import Path

from headwater_workshop import reference_docs


def test_both_pages_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    """The folder is made, and has the two pages."""
    reference_docs.write(tmp_path / "reference")
    assert {path.name for path in (tmp_path / "reference").iterdir()} == {"settings.md", "cli.md"}


def test_commands_of_other_packages_are_on_the_page() -> None:
    """A command that joins by the entry-point group has its heading, with its own commands."""
    page = reference_docs.cli_page()
    assert "\n## new\n" in page
    assert "\n## lesson start\n" in page


def test_completion_is_the_program_s_and_no_command_s() -> None:
    """A group of commands does not offer to install it."""
    assert "--install-completion" not in reference_docs.cli_page()


def test_a_limit_says_its_variable() -> None:
    """A reader sees which variable sets a limit."""
    assert "`HEADWATER_FUNCTION_LIMIT_S`" in reference_docs.settings_page()
