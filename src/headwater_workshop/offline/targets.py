"""What a machine in a room can install: tags of wheels, and what a lock's markers say there."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms, sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from ..kit import KitError

HERE = "this machine"
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Platform:
    """A kind of machine: how pip, Python and npm name it."""

    wheels: tuple[str, ...]
    """Platform tags of wheels that run there, the best first."""
    sys_platform: str
    system: str
    machine: str
    npm: tuple[str, str]
    """What npm calls its system and its processor."""


def _manylinux(machine: str) -> tuple[str, ...]:
    """Wheels for glibc 2.34 and older, which Debian 12, Ubuntu 22.04 and RHEL 9 can run."""
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(34, 4, -1)]
    return (*numbered, *(f"manylinux{each}_{machine}" for each in ("2014", "2010", "1")))


PLATFORMS: Mapping[str, Platform] = {
    "linux-x86_64": Platform(_manylinux("x86_64"), "linux", "Linux", "x86_64", ("linux", "x64")),
    "linux-aarch64": Platform(
        _manylinux("aarch64"), "linux", "Linux", "aarch64", ("linux", "arm64")
    ),
    "macos-arm64": Platform(
        tuple(mac_platforms((14, 0), "arm64")), "darwin", "Darwin", "arm64", ("darwin", "arm64")
    ),
    "macos-x86_64": Platform(
        tuple(mac_platforms((14, 0), "x86_64")), "darwin", "Darwin", "x86_64", ("darwin", "x64")
    ),
    "windows-x86_64": Platform(("win_amd64",), "win32", "Windows", "AMD64", ("win32", "x64")),
}
"""The kinds of machine that a wheelhouse can be filled for."""


@dataclass(frozen=True)
class Target:
    """A kind of machine with a version of Python."""

    platform: str
    python: str
    tags: frozenset[Tag]
    environment: Mapping[str, str]
    """What the markers of a requirement are judged by."""

    @property
    def is_here(self) -> bool:
        """Whether it is this machine with this Python."""
        return self.platform == HERE

    @property
    def pip_words(self) -> list[str]:
        """The options that make pip choose wheels for it."""
        if self.is_here:
            return []
        named = [word for tag in PLATFORMS[self.platform].wheels for word in ("--platform", tag)]
        return [*named, "--python-version", self.python, "--implementation", "cp"]

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform}"


def target(name: str | None, python: str | None) -> Target:
    """The machine of that name with that Python; this one where neither is given.

    Args:
        name: a key of `PLATFORMS`, or None for the kind that this machine is.
        python: as in `3.12`, or None for the version that runs this.

    Raises:
        KitError: there is no such platform or version, or this machine is of no known kind.
    """
    if name is None and python is None:
        here = {key: str(value) for key, value in default_environment().items()}
        return Target(HERE, _own_python(), frozenset(sys_tags()), here)
    name, python = name or own_platform(), python or _own_python()
    if name not in PLATFORMS:
        raise KitError(
            f"There is no platform {name!r}.",
            where="--platform",
            fix=f"name one of {', '.join(PLATFORMS)}",
        )
    version = _version(python)
    wheels = PLATFORMS[name].wheels
    interpreter = f"cp{version[0]}{version[1]}"
    tags = {
        *cpython_tags(version, platforms=wheels),
        *compatible_tags(version, interpreter, wheels),
    }
    return Target(name, python, frozenset(tags), _environment(PLATFORMS[name], python))


def own_platform() -> str:
    """The name of this kind of machine, or what it says of itself when it has none."""
    own = (sys.platform, platform.machine())
    known = {(each.sys_platform, each.machine): name for name, each in PLATFORMS.items()}
    return known.get(own, "-".join(own))


@dataclass(frozen=True)
class Pin:
    """One requirement of a lock file: a version, where it is wanted, and what its files hash to."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]

    def wanted_by(self, target: Target) -> bool:
        """Whether that machine needs it."""
        return not self.marker or Marker(self.marker).evaluate(dict(target.environment))

    def fits(self, wheel: Path, target: Target) -> bool:
        """Whether a file, by its name, is this version for that machine."""
        try:
            name, version, _, tags = parse_wheel_filename(wheel.name)
        except InvalidWheelFilename:
            return False
        same = (name, str(version)) == (canonicalize_name(self.name), self.version)
        return same and not tags.isdisjoint(target.tags)

    @property
    def line(self) -> str:
        """The requirement as pip reads it, without its marker: that has been judged."""
        hashes = [f"--hash={each}" for each in sorted(self.hashes)]
        return " ".join([f"{self.name}=={self.version}", *hashes])


_PIN = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))?(?= --hash|$)",
)


def pins(lock: str) -> Iterator[Pin]:
    """What a lock file holds, as `uv pip compile --generate-hashes` writes it."""
    joined = re.sub(r"\s*\\\n\s*", " ", lock)
    for line in joined.splitlines():
        if found := _PIN.match(line):
            hashes = frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line))
            marker = (found["marker"] or "").strip()
            yield Pin(found["name"], found["version"], marker, hashes)


def _version(python: str) -> tuple[int, int]:
    found = re.fullmatch(r"(3)\.(\d+)", python)
    if found and (version := (int(found[1]), int(found[2]))) >= OLDEST_PYTHON:
        return version
    raise KitError(
        f"Headwater needs Python 3.11 or newer, and {python!r} is not a version of it.",
        where="--python",
        fix="name it as in 3.12",
    )


def _environment(kind: Platform, python: str) -> dict[str, str]:
    own = {key: str(value) for key, value in default_environment().items()}
    return own | {
        "os_name": "nt" if kind.sys_platform == "win32" else "posix",
        "sys_platform": kind.sys_platform,
        "platform_system": kind.system,
        "platform_machine": kind.machine,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
