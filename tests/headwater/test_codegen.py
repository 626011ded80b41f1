"""Where generated types go, and that they are written whole, and only when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headwater.codegen import FreshTypes, kept_folder, output_folder, stale, write
from headwater.core.manifest import FunctionSpec, Manifest
from headwater.core.validators import Null, Object
from headwater.errors import CodegenError
from tests.scenarios.server_process import wait_for

ONE = Manifest({}, {"a:b": FunctionSpec("a:b", "query", "public", Object(), Null())})
TWO = Manifest({}, {"a:c": FunctionSpec("a:c", "query", "public", Object(), Null())})
NAMES = ["api.js", "api.d.ts", "dataModel.d.ts"]


def make(root: Path, *files: str) -> Path:
    """A project with these files, empty."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return root


@pytest.mark.parametrize(
    ("files", "folder", "kept"),
    [
        ((), "frontend/_generated", False),
        (("frontend/index.html",), "frontend/_generated", False),
        (("frontend/package.json",), "frontend/_generated", True),
        (("frontend/package.json", "frontend/src/main.tsx"), "frontend/src/_generated", True),
        (("frontend/_generated/api.d.ts",), "frontend/_generated", True),
    ],
)
def test_the_usual_folder(tmp_path: Path, files: tuple[str, ...], folder: str, kept: bool) -> None:
    """In the frontend; kept fresh where npm is used, or where there has been one before."""
    make(tmp_path, *files)
    assert output_folder(tmp_path) == tmp_path / folder
    assert kept_folder(tmp_path) == (tmp_path / folder if kept else None)


def test_pyproject_names_another_folder(tmp_path: Path) -> None:
    """`[tool.headwater.codegen] out` comes before all else, also outside of the project."""
    make(tmp_path, "frontend/package.json")
    (tmp_path / "pyproject.toml").write_text('[tool.headwater.codegen]\nout = "../web/_generated"')
    assert output_folder(tmp_path) == tmp_path / "../web/_generated"
    assert kept_folder(tmp_path) == tmp_path / "../web/_generated"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.headwater.codegen]\nout = 5", "is a folder in quotes"),
        ('[tool.headwater.codegen]\nout = ""', "is a folder in quotes"),
        ("[tool", "pyproject.toml does not read"),
    ],
)
def test_a_wrong_pyproject_is_said(tmp_path: Path, text: str, said: str) -> None:
    """Instead of types in a place nobody looks at."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(CodegenError, match=said):
        kept_folder(tmp_path)


@pytest.mark.parametrize("text", ["[project]\nname = 'x'", "tool = 5", "[tool.headwater]\n"])
def test_other_tables_of_pyproject_do_not_matter(tmp_path: Path, text: str) -> None:
    """Most have nothing for us."""
    (tmp_path / "pyproject.toml").write_text(text)
    assert kept_folder(tmp_path) is None


def test_what_is_current_keeps_its_time(tmp_path: Path) -> None:
    """A second writing touches nothing; a change touches what it changes."""
    assert write(tmp_path / "deep/_generated", ONE) == NAMES
    for name in NAMES:
        os.utime(tmp_path / "deep/_generated" / name, (1, 1))
    assert write(tmp_path / "deep/_generated", ONE) == []
    assert write(tmp_path / "deep/_generated", TWO) == ["api.d.ts"]
    times = {name: (tmp_path / "deep/_generated" / name).stat().st_mtime for name in NAMES}
    assert times.pop("api.d.ts") > 1
    assert set(times.values()) == {1}
    assert sorted(os.listdir(tmp_path / "deep/_generated")) == sorted(NAMES)


def test_nothing_is_written_to_look(tmp_path: Path) -> None:
    """`stale` names what is missing or old, and leaves it so."""
    assert list(stale(tmp_path / "new", ONE)) == NAMES
    assert not (tmp_path / "new").exists()
    write(tmp_path, ONE)
    assert list(stale(tmp_path, TWO)) == ["api.d.ts"]


def test_a_file_of_somebody_s_own_is_left_alone(tmp_path: Path) -> None:
    """Nothing at all is written beside it; an empty one and Convex's own may be replaced."""
    own = tmp_path / "api.js"
    own.write_text("export const mine = 1;")
    with pytest.raises(CodegenError, match="was not generated"):
        write(tmp_path, ONE)
    assert os.listdir(tmp_path) == ["api.js"]
    for text in ("", "/* THIS CODE IS AUTOMATICALLY GENERATED. */"):
        own.write_text(text)
        assert "api.js" in write(tmp_path, ONE)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    """As where a file is in the way."""
    make(tmp_path, "frontend")
    with pytest.raises(CodegenError, match="cannot"):
        write(tmp_path / "frontend/_generated", ONE)
    (tmp_path / "api.js").write_bytes(b"\xff\xfe")
    with pytest.raises(CodegenError, match="cannot read"):
        write(tmp_path, ONE)


def test_the_newest_backend_counts_and_trouble_is_told(tmp_path: Path) -> None:
    """In a thread of its own, which outlives a project that cannot have types just now."""
    told: list[tuple[str, bool]] = []
    types = FreshTypes(tmp_path, lambda text, trouble: told.append((text, trouble)))
    settings = tmp_path / "pyproject.toml"
    settings.write_text("[tool")
    types.put(ONE)
    wait_for(lambda: told, "the trouble is told")
    assert told[0][1]
    settings.write_text('[tool.headwater.codegen]\nout = "types"')
    types.put(ONE)
    types.put(TWO)
    wait_for(lambda: not stale(tmp_path / "types", TWO), "the types are there")
    wait_for(lambda: len(told) > 1, "it is told")
    assert told[1][0].startswith("types: api.js")
    assert not told[1][1]
