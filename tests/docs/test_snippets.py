"""Every fenced block of the pages runs, or parses, or names a command that exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.check import check_project
from headwater.codegen import write
from headwater.loader import load
from headwater.testing import Backend
from tests.scenarios.typescript import compile_frontend

from .pages import ROOT, Block, blocks, pages

LANGUAGES = {"python", "console", "json", "js", "tsx", "text"}
AT_ITS_END = ", at its end"
TEMPLATE = ROOT / "template" / "{% if start == 'complete' %}backend{% endif %}"


def with_language(*languages: str) -> list[Path]:
    """The pages that have such blocks."""
    return [page for page in pages() if any(b.language in languages for b in blocks(page))]


def name_of(page: Path) -> str:
    """A page's path, as the id of its tests."""
    return str(page.relative_to(ROOT))


@pytest.fixture(autouse=True)
def _no_backend_stays_behind() -> Iterator[None]:
    """A page's backend is gone when its test ends: the next page has another of that name."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "backend"]:
        del sys.modules[name]


class PageProject:
    """The project that a page writes as it goes: its titled blocks are the files."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.folder = folder
        self.changed = True
        self.names: dict[str, Any] = {"__name__": "page"}
        (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
        if "<!-- project: template -->" in page.read_text(encoding="utf-8"):
            shutil.copytree(TEMPLATE, folder / "backend")

    def take(self, block: Block) -> None:
        """Write the block into its file, and run it if it is a test; run it if it has no file."""
        if not block.title:
            self.run(block)
            return
        path = self.folder / block.title.removesuffix(AT_ITS_END)
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "a" if block.title.endswith(AT_ITS_END) else "w"
        with path.open(mode, encoding="utf-8") as file:
            file.write(f"\n\n{block.code}" if mode == "a" else block.code)
        self.changed = True
        if path.parent.name == "tests":
            self.test(path, block)

    def run(self, block: Block) -> None:
        """Execute a block in the page's names; a failure shows the page's own line."""
        if self.changed and (self.folder / "backend").exists():
            self.names["backend"] = Backend.load(self.folder)
            self.changed = False
        code = "\n" * block.line + block.code
        exec(compile(code, str(block.page), "exec"), self.names)

    def test(self, path: Path, block: Block) -> None:
        """Run pytest on one file, as a reader would."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
        ended = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        assert ended.returncode == 0, f"{block.place}\n{ended.stdout}{ended.stderr}"

    def hold(self) -> None:
        """The files together are a backend that loads and breaks no rule."""
        if (self.folder / "backend").exists():
            Backend.load(self.folder)
            assert not check_project(self.folder)


@pytest.mark.parametrize("page", with_language("python"), ids=name_of)
def test_python_blocks_run_in_page_order(page: Path, tmp_path: Path) -> None:
    """A reader who types a page in gets what the page says, and code that breaks no rule."""
    project = PageProject(page, tmp_path)
    for block in blocks(page):
        if block.language == "python":
            project.take(block)
    project.hold()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    """A block in a language that nothing checks would rot unseen."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block.place}: {block.language}"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_json_blocks_parse(page: Path) -> None:
    """What a page shows as JSON is JSON."""
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.code)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("page", with_language("js"), ids=name_of)
def test_javascript_blocks_parse(page: Path, tmp_path: Path) -> None:
    """What a page shows as JavaScript is a module, and imports what our client exports."""
    client = (ROOT / "src" / "headwater" / "browser" / "headwater.js").read_text()
    for block in blocks(page):
        if block.language == "js":
            for name in re.findall(r'import \{ (\w+) \} from "/headwater.js"', block.code):
                assert f"export class {name} " in client, f"{block.place}: {name}"
            path = tmp_path / f"line{block.line}.mjs"
            path.write_text(block.code)
            subprocess.run(["node", "--check", str(path)], check=True, timeout=60)


@pytest.mark.parametrize("page", with_language("tsx"), ids=name_of)
def test_typescript_blocks_compile(page: Path, tmp_path: Path) -> None:
    """What a page shows as TypeScript is right by `tsc --strict`, with the types of its backend."""
    settings = ROOT / "tests/apps/typed/frontend/tsconfig.json"
    PageProject(page, tmp_path)
    for block in (block for block in blocks(page) if block.title):
        (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / block.title).write_text(block.code)
    shutil.copy(settings, tmp_path / "frontend")
    write(tmp_path / "frontend/src/_generated", load(tmp_path).manifest)
    compiled = compile_frontend(tmp_path / "frontend")
    assert compiled.exit_code == 0, compiled.output
