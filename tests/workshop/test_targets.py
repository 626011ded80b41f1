"""What another machine can install: tags of wheels, markers of a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.kit import KitError
from headwater_workshop.offline.targets import HERE, PLATFORMS, Pin, pins, target
from tests.template.kits import ROOT

LOCK = """\
# by a compiler
anyio==4.9.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via httpx
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:{c}
""".format(a="a" * 64, b="b" * 64, c="c" * 64)


def test_a_lock_is_read_with_markers_and_hashes() -> None:
    """Each pin has its version, where it is wanted, and every hash it may have."""
    anyio, pywin32 = pins(LOCK)
    assert (anyio.name, anyio.version, anyio.marker) == ("anyio", "4.9.0", "")
    assert anyio.hashes == {f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"}
    assert pywin32.marker == "sys_platform == 'win32'"
    assert anyio.line == f"anyio==4.9.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}"


def test_the_template_s_lock_is_read_whole() -> None:
    """No pin is missed, and none is without a hash."""
    text = (ROOT / "template" / "requirements.lock").read_text("utf-8")
    found = list(pins(text))
    assert len(found) == sum(1 for line in text.splitlines() if line[:1].isalnum())
    assert all(pin.hashes for pin in found)


@pytest.mark.parametrize("name", PLATFORMS)
def test_markers_are_judged_for_the_other_machine(name: str) -> None:
    """Not for the one that fills the wheelhouse, as pip would."""
    _, pywin32 = pins(LOCK)
    assert pywin32.wanted_by(target(name, "3.12")) is name.startswith("windows")
    young = Pin("numpy", "2.5", "python_full_version >= '3.12'", frozenset())
    assert young.wanted_by(target(name, "3.12"))
    assert not young.wanted_by(target(name, "3.11"))


@pytest.mark.parametrize(
    ("wheel", "fitting"),
    [
        ("orjson-3.11-cp312-cp312-win_amd64.whl", {"windows-x86_64"}),
        ("orjson-3.11-cp312-cp312-manylinux_2_28_aarch64.whl", {"linux-aarch64"}),
        ("orjson-3.11-cp312-cp312-manylinux2014_x86_64.whl", {"linux-x86_64"}),
        ("orjson-3.11-cp312-cp312-macosx_10_15_universal2.whl", {"macos-arm64", "macos-x86_64"}),
        ("orjson-3.11-cp39-abi3-macosx_11_0_arm64.whl", {"macos-arm64"}),
        ("orjson-3.11-py3-none-any.whl", set(PLATFORMS)),
        ("orjson-3.11-cp311-cp311-win_amd64.whl", set[str]()),
        ("orjson-3.10-py3-none-any.whl", set[str]()),
        ("rjson-3.11-py3-none-any.whl", set[str]()),
        ("half.whl", set[str]()),
    ],
)
def test_a_wheel_fits_by_its_tags(wheel: str, fitting: set[str]) -> None:
    """Version, Python, system and processor, as the file's name says."""
    pin = Pin("orjson", "3.11", "", frozenset())
    assert {name for name in PLATFORMS if pin.fits(Path(wheel), target(name, "3.12"))} == fitting


def test_without_names_it_is_this_machine() -> None:
    """pip needs no options then; a name alone takes this Python."""
    assert (target(None, None).platform, target(None, None).pip_words) == (HERE, [])
    words = target("windows-x86_64", "3.13").pip_words
    assert words == [
        *("--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp")
    ]


@pytest.mark.parametrize(
    ("name", "python", "what"),
    [
        ("amiga", None, "no platform 'amiga'"),
        (None, "3.10", "3.11 or newer"),
        (None, "2.7", "3.11 or newer"),
        ("linux-x86_64", "three", "3.11 or newer"),
    ],
)
def test_what_there_is_not_is_refused(name: str | None, python: str | None, what: str) -> None:
    """With the names that there are."""
    with pytest.raises(KitError, match=what):
        target(name, python)
