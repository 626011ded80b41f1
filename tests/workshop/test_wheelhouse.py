"""Filling a wheelhouse, from an index that is a folder of small wheels."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from headwater_workshop.cli.wheelhouse import wheelhouse
from headwater_workshop.kit import KitError
from headwater_workshop.offline import room
from headwater_workshop.offline.targets import Pin, target
from headwater_workshop.offline.wheelhouse import fetch, fetch_npm

YOURS = target(None, None)
PYTHON = Path(sys.executable)
APP = typer.Typer()
APP.command("wheelhouse")(wheelhouse)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip can reach, empty at first."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """The folder to fill."""
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


def publish(index: Path, name: str, tag: str = "py3-none-any", text: str = "") -> Pin:
    """Put a wheel of version 1.0 into the index; the pin of it."""
    wheel = index / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        info = f"{name}-1.0.dist-info"
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", text)
    return Pin(name, "1.0", "", frozenset([digest(wheel)]))


def digest(path: Path) -> str:
    """A file's hash as a lock has it."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def names(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_only_what_is_missing_is_fetched(index: Path, wheels: Path) -> None:
    """After an interruption it goes on: what is there and right is not asked for again."""
    pins = [publish(index, name) for name in ("one", "two")]
    seen: list[tuple[int, int]] = []
    first = fetch(wheels, pins[:1], [YOURS], PYTHON, lambda *told: seen.append(told))
    (index / "one-1.0-py3-none-any.whl").unlink()
    second = fetch(wheels, pins, [YOURS], PYTHON, lambda *told: seen.append(told))
    assert (first.fetched, second.fetched, second.wheels) == (1, 1, 2)
    assert names(wheels) == ["one-1.0-py3-none-any.whl", "two-1.0-py3-none-any.whl"]
    assert seen == [(0, 1), (1, 1), (1, 2), (2, 2)]


def test_a_damaged_wheel_is_fetched_again(index: Path, wheels: Path) -> None:
    """Half a file hashes to nothing that the lock knows."""
    pin = publish(index, "one")
    (wheels / "one-1.0-py3-none-any.whl").write_bytes(b"PK half")
    assert fetch(wheels, [pin], [YOURS], PYTHON, lambda *_: None).fetched == 1
    assert digest(wheels / "one-1.0-py3-none-any.whl") in pin.hashes


def test_another_file_than_the_pinned_one_is_refused(index: Path, wheels: Path) -> None:
    """An index that gives something else is told, and nothing of it stays."""
    pin = publish(index, "one")
    publish(index, "one", text="something else")
    with pytest.raises(KitError, match=r"(?s)Not everything.*one") as refused:
        fetch(wheels, [pin], [YOURS], PYTHON, lambda *_: None)
    assert "what is there is kept" in refused.value.fix
    assert names(wheels) == []


def test_each_machine_gets_its_wheels(index: Path, wheels: Path) -> None:
    """Two machines, two files; a pin that a machine does not want is not fetched for it."""
    tags = {
        "windows-x86_64": "cp312-cp312-win_amd64",
        "macos-arm64": "cp312-abi3-macosx_11_0_arm64",
    }
    hashes = {tag: publish(index, "fast", tag).hashes for tag in tags.values()}
    fast = Pin("fast", "1.0", "", frozenset().union(*hashes.values()))
    only = publish(index, "only")
    marked = Pin("only", "1.0", "sys_platform == 'darwin'", only.hashes)
    windows, mac = (target(name, "3.12") for name in tags)
    assert fetch(wheels, [fast, marked], [windows], PYTHON, lambda *_: None).wheels == 1
    assert names(wheels) == [f"fast-1.0-{tags['windows-x86_64']}.whl"]
    assert fetch(wheels, [fast, marked], [windows, mac], PYTHON, lambda *_: None).fetched == 2
    assert len(names(wheels)) == 3


def test_a_wheel_that_no_index_has_is_told_with_pip_s_words(index: Path, wheels: Path) -> None:
    """What was fetched before stays, and the sentence names the package."""
    here = publish(index, "here")
    gone = Pin("gone", "1.0", "", frozenset([f"sha256:{'0' * 64}"]))
    with pytest.raises(KitError, match=r"gone==1\.0"):
        fetch(wheels, [here] * 8 + [gone], [YOURS], PYTHON, lambda *_: None)
    assert names(wheels) == ["here-1.0-py3-none-any.whl"]


def test_a_kit_without_the_frontend_says_so(tmp_path: Path) -> None:
    """npm is not asked for packages that nobody has named."""
    with pytest.raises(KitError, match=r"React|npm is not installed") as refused:
        fetch_npm(tmp_path / "npm", tmp_path / "frontend", [YOURS])
    assert "leave out" in refused.value.fix


def test_a_wrong_platform_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2 before anything is fetched or written."""
    words = [str(tmp_path / "house"), "--platform", "amiga"]
    done = CliRunner().invoke(APP, words)
    assert done.exit_code == 2
    assert "windows-x86_64" in done.stderr
    assert not (tmp_path / "house").exists()


def test_start_refuses_what_it_would_write_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with something in it, a file, no name at all: exit code 2 and nothing is written."""
    (tmp_path / "thesis.txt").write_text("years of work")
    for words in ([str(tmp_path)], [str(tmp_path / "thesis.txt")], [], ["--defaults"]):
        assert room.main(words) == 2
    said = capsys.readouterr().err
    assert (said.count("is there already"), said.count("usage:")) == (2, 2)
    assert names(tmp_path) == ["thesis.txt"]
