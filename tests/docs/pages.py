"""Reads pages: fenced blocks, headings, links. docs/contributing.md says what a block means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = ("lessons", "rules", "reference/cli.md", "reference/settings.md")
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<rest>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block, with the line it starts at."""

    page: Path
    line: int
    language: str
    title: str
    code: str

    @property
    def place(self) -> str:
        """`docs/quickstart.md:12`, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines after `$`, without their comments."""
        lines = (line for line in self.code.splitlines() if line.startswith("$ "))
        return [re.split(r"\s{2,}#", line[2:])[0] for line in lines]


def pages() -> list[Path]:
    """The pages written by hand, with README.md and CLAUDE.md."""
    found = [path for path in sorted(DOCS.rglob("*.md")) if not is_generated(path)]
    return [ROOT / "README.md", ROOT / "CLAUDE.md", *found]


def is_generated(page: Path) -> bool:
    """Whether `make docs-pages` writes this page."""
    name = page.relative_to(DOCS).as_posix()
    return any(name == part or name.startswith(f"{part}/") for part in GENERATED)


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, match) for match in _FENCE.finditer(text)]


def _block(page: Path, text: str, match: re.Match[str]) -> Block:
    title = re.search(r'title="([^"]+)"', match["rest"])
    return Block(
        page=page,
        line=text.count("\n", 0, match.start()) + 1,
        language=match["language"],
        title=title[1] if title else "",
        code=match["body"],
    )


def without_blocks(text: str) -> str:
    """A page's prose: its text with the fenced blocks taken out."""
    return _FENCE.sub("", text)


def headings(page: Path) -> list[str]:
    """The heading lines of a page, without their marks."""
    text = without_blocks(page.read_text(encoding="utf-8"))
    return [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]


def links(page: Path) -> list[str]:
    """The targets of a page's links."""
    text = without_blocks(page.read_text(encoding="utf-8"))
    return [match["target"] for match in _LINK.finditer(text)]


def words_in_code(text: str) -> list[str]:
    """What stands between backticks in prose."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))
