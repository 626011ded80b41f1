"""Links resolve, and the navigation has every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .pages import DOCS, ROOT, headings, is_generated, links, pages


def anchor(heading: str) -> str:
    """The anchor a heading gets in the built site."""
    plain = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[\s-]+", "-", plain)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_a_page_and_its_heading(page: Path) -> None:
    """Every relative link names a file that exists or is generated, and a heading it has."""
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        made = goal.is_relative_to(DOCS) and is_generated(goal)
        assert made or goal.exists(), f"{page.name}: {target} leads nowhere"
        if fragment and not made:
            assert fragment in map(anchor, headings(goal)), f"{page.name}: no heading for {target}"


def test_the_navigation_lists_every_page_written_by_hand() -> None:
    """A page that mkdocs.yml does not list cannot be found, and a listed one must exist."""
    listed = set(_pages_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    written = {path.relative_to(DOCS).as_posix() for path in pages() if path.is_relative_to(DOCS)}
    by_hand = {name for name in listed if not is_generated(DOCS / name)}
    assert by_hand == written


def test_nothing_is_fetched_from_elsewhere_when_a_page_is_opened() -> None:
    """The site works offline: no font server, no script or picture from another host."""
    theme = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["theme"]
    assert theme["font"] is False
    for page in pages():
        assert not re.search(r"(src=|!\[[^\]]*\]\()\"?https?:", page.read_text()), page


def _pages_of(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    assert not isinstance(parts, str)
    return [name for part in parts for name in _pages_of(part)]  # type: ignore[attr-defined]
