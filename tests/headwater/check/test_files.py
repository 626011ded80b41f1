"""Whatever stands in a file, the checker answers with findings and never with a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from headwater.check import check_project
from headwater.check.sources import MAX_FILE_BYTES
from headwater.rules import Finding

from .backends import findings, write_backend


def only(root: Path, content: bytes) -> Finding:
    """The one finding about a file of these bytes."""
    path = root / "backend" / "odd.py"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    (finding,) = check_project(root)
    assert (finding.code, finding.path) == ("HW000", "backend/odd.py")
    return finding


def test_a_syntax_error_is_one_finding_at_its_place(tmp_path: Path) -> None:
    """Line, column and Python's own words."""
    finding = only(tmp_path, b"x = 1\ndef broken(:\n")
    assert finding.heading() == "HW000 backend/odd.py:2:12"
    assert finding.what == "backend/odd.py does not parse: invalid syntax"


def test_a_file_that_is_not_utf8_is_one_finding(tmp_path: Path) -> None:
    """It says so, with the line."""
    finding = only(tmp_path, b"x = 1\ny = '\xff\xfe'\n")
    assert (finding.line, finding.fix) == (2, "save the file as UTF-8")
    assert finding.what == "backend/odd.py is not UTF-8"


def test_null_bytes_are_one_finding(tmp_path: Path) -> None:
    """A binary file that got the wrong name."""
    assert "null bytes" in only(tmp_path, b"x = 1\x00\n").what


def test_a_huge_file_is_a_warning(tmp_path: Path) -> None:
    """It is data, so it is not checked, and that is said."""
    finding = only(tmp_path, b"#" * (MAX_FILE_BYTES + 1))
    assert finding.severity == "warning"
    assert "was not checked" in finding.what


def test_a_file_at_the_limit_is_checked(tmp_path: Path) -> None:
    """The limit itself is allowed."""
    write_backend(tmp_path, {"full.py": "#" * MAX_FILE_BYTES})
    assert check_project(tmp_path) == []


@pytest.mark.parametrize("depth", [1500, 5000, 50_000])
@pytest.mark.parametrize("shape", ["x = {}1", "x = a{}", "x = 1{}", "def f():\n    a{}"])
def test_deep_nesting_is_a_warning(tmp_path: Path, shape: str, depth: int) -> None:
    """Too deep for Python's own parser, or only for the walk: one warning either way."""
    step = {"x = {}1": "-", "x = 1{}": "+1"}.get(shape, ".b()")
    finding = only(tmp_path, shape.format(step * depth).encode())
    assert finding.severity == "warning"
    assert finding.what == "backend/odd.py nests expressions too deeply and was not checked"


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xef\xbb\xbfx = 1\n", b"# coding: latin-1\nx = '\xe9'\n"]
)
def test_unusual_but_readable_files_are_right(tmp_path: Path, content: bytes) -> None:
    """Empty, blank, with a byte order mark, in another declared encoding."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "odd.py").write_bytes(content)
    assert check_project(tmp_path) == []


def test_invalid_escapes_do_not_warn(tmp_path: Path) -> None:
    """Python's own warnings about a learner's file are not ours to print."""
    assert findings(tmp_path, {"odd.py": "pattern = '\\d'\n"}) == []


def test_a_broken_file_does_not_hide_findings_elsewhere(tmp_path: Path) -> None:
    """The others are checked all the same."""
    found = findings(tmp_path, {"a.py": "def (", "b.py": "import flask\n"})
    assert [finding.code for finding in found] == ["HW000", "HW101"]


def test_generated_and_hidden_folders_are_not_read(tmp_path: Path) -> None:
    """`_generated`, caches and hidden folders are nobody's handwriting."""
    files = {f"{folder}/a.py": "def (" for folder in ("_generated", "__pycache__", ".hidden")}
    assert findings(tmp_path, files) == []


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_links_that_lead_nowhere_are_findings(tmp_path: Path) -> None:
    """A dangling link cannot be imported either."""
    (tmp_path / "backend").mkdir()
    os.symlink(tmp_path / "gone.py", tmp_path / "backend" / "odd.py")
    (finding,) = check_project(tmp_path)
    assert finding.what == "backend/odd.py is not a regular file"


def test_no_backend_has_no_findings(tmp_path: Path) -> None:
    """The command line says that the folder is missing; the checker has nothing to say."""
    assert check_project(tmp_path) == []


def test_the_app_is_never_imported(tmp_path: Path) -> None:
    """A module that would end the process when imported is only read."""
    write_backend(tmp_path, {"bomb.py": "import os\n\nos._exit(7)\n"})
    before = set(sys.modules)
    assert check_project(tmp_path) == []
    assert not any(name.startswith("backend.") for name in set(sys.modules) - before)
