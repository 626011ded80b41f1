"""The rules' pages are made from the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.rules import RULES, rule
from headwater.rules_docs import docs_page, docs_pages, main


def test_a_page_holds_all_of_its_rule() -> None:
    """Title, rule, why, mistake, stages, lesson, both examples and the way to allow it."""
    page = docs_page(rule("HW401"))
    entry = rule("HW401")
    assert page.startswith("# HW401: Index, then filter\n\n" + entry.rule)
    for text in (entry.bad, entry.good, entry.fix, "Lesson L2", "allow HW401 --"):
        assert text in page
    assert "by `headwater check`, without running your code; when the backend is loaded" in page


@pytest.mark.parametrize("code", ["HW000"])
def test_what_the_checker_does_not_find_cannot_be_allowed(code: str) -> None:
    """A comment has no power over the running server, nor over comments."""
    assert "Where it does not hold" not in docs_page(rule(code))


def test_every_rule_has_a_page_and_a_line_in_the_list() -> None:
    """One page each, linked from the index."""
    pages = docs_pages()
    assert set(pages) == {"index.md", *(f"{code}.md" for code in RULES)}
    assert all(f"[{code}]({code}.md)" in pages["index.md"] for code in RULES)


def test_writing_gives_exactly_these_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages of rules that are gone are removed; what is written is said."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "HW998.md").write_text("gone")
    main([str(folder)])
    assert {path.name for path in folder.iterdir()} == set(docs_pages())
    assert (folder / "HW203.md").read_text(encoding="utf-8") == docs_page(rule("HW203"))
    assert str(folder / "HW203.md") in capsys.readouterr().out
