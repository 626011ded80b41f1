"""The sandbox table: which protection stops which attack, as whoever and wherever the grader runs.

As root and as an ordinary user, each with user namespaces and where there are none and no
capability is left (as in many containers, where bubblewrap cannot start).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workshop.attacks import ATTACKS
from tests.workshop.sandbox_table import COLUMNS

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(sys.platform != "linux", reason="the jail's upper levels are Linux's"),
]

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys; sys.path[:0] = {paths!r}; sys.argv[1:] = {columns!r}
from tests.workshop.sandbox_table import main; main(sys.argv[1:])
"""
NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
NO_POWER = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

HARMLESS_ALONE = ("own-proc", "unix-datagram", "signal-by-descriptor-owner")
"""What is no harm in itself: stopped at L3, because nothing needs it."""

MUST_STOP: dict[str, set[str]] = {
    "rlimits": {"4-GB-allocation", "64-MB-file", "raise-own-limits", "read-environment"},
    "landlock": {
        *("read-hidden-file", "list-hidden-folder", "write-existing-file", "write-new-file"),
        *("remove-file", "truncate", "tcp", "signal-parent", "parent-memory", "64-MB-file"),
    },
    "L3": set(ATTACKS),
    "L2": {  # a datagram goes off, in a network that nobody else is in
        *("read-hidden-file", "list-hidden-folder", "write-existing-file", "write-new-file"),
        *("remove-file", "change-mode", "truncate", "tcp", "signal-parent"),
        *("signal-parents-group", "parent-memory", "ptrace-parent", "4-GB-allocation"),
        *("64-MB-file", "read-environment"),
    },
}
CANNOT_STOP: dict[str, set[str]] = {
    "rlimits": {"read-hidden-file", "tcp", "udp", "signal-parent"},
    "landlock": {"udp", "fork", "4-GB-allocation"},
}


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """A Python that everybody may read, whoever this one belongs to."""
    with tempfile.TemporaryDirectory(prefix="headwater-python-") as folder:
        Path(folder).chmod(0o755)
        yield _laid_python(Path(folder))


def _laid_python(folder: Path) -> Path:
    standard = Path(sysconfig.get_path("stdlib"))
    leave = shutil.ignore_patterns("test", "site-packages", "dist-packages", "__pycache__", "*.a")
    shutil.copytree(standard, folder / "lib" / standard.name, ignore=leave)
    for library in Path(sys.base_prefix, "lib").glob("libpython*"):
        shutil.copy2(library, folder / "lib")
    (folder / "bin").mkdir()
    shutil.copy2(Path(sys.executable).resolve(), folder / "bin" / standard.name)
    packages = folder / "packages"
    for name in ("headwater", "headwater_workshop"):
        shutil.copytree(ROOT / "src" / name, packages / name)
    (packages / "tests" / "workshop").mkdir(parents=True)
    for name in ("__init__.py", "workshop/__init__.py", "workshop/attacks.py"):
        shutil.copy2(ROOT / "tests" / name, packages / "tests" / name)
    shutil.copy2(ROOT / "tests/workshop/sandbox_table.py", packages / "tests" / "workshop")
    site = Path(sysconfig.get_path("purelib"))
    shutil.copytree(site, packages, dirs_exist_ok=True, ignore=_not_needed, copy_function=_linked)
    return folder / "bin" / standard.name


_not_needed = shutil.ignore_patterns("playwright*", "mypy*", "material*", "pip*", "__pycache__")


def _linked(source: str, target: str) -> str:
    """The same file, where both are on one disk and everybody may read it; else a copy."""
    try:
        if os.stat(source).st_mode & 0o004:
            os.link(source, target)
            return target
    except OSError:
        pass  # another disk
    shutil.copyfile(source, target)
    os.chmod(target, 0o755)
    return target


def table(python: Path, columns: tuple[str, ...], *before: str) -> dict[str, dict[str, str]]:
    """The table, as whoever the words before make of us."""
    packages = python.parents[1] / "packages"
    code = PROGRAM.format(paths=[str(packages)], columns=list(columns))
    command = [*before, str(python), "-I", "-c", code]
    ended = subprocess.run(command, capture_output=True, cwd="/", timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    found: dict[str, dict[str, str]] = json.loads(ended.stdout)
    return found


def holds(found: dict[str, dict[str, str]]) -> None:
    """Each column stops what it must, and the ones before it do not."""
    for column, outcomes in found.items():
        stopped = {name for name, ended in outcomes.items() if ended == "blocked"}
        assert MUST_STOP.get(column, set()) - stopped == set(), column
        assert CANNOT_STOP.get(column, set()) & stopped == set(), column
    control = {name for name, ended in found["nothing"].items() if ended == "blocked"}
    assert control <= {"parent-memory", "ptrace-parent", "raise-own-limits", "own-proc"}


def needs_root() -> None:
    """Being somebody else takes root, which CI is."""
    if os.geteuid() != 0:
        assert os.environ.get("CI") != "true"
        pytest.skip("needs root, to become somebody else")


def test_as_root(python: Path) -> None:
    """Limits do not bind root's forks; the filter does."""
    needs_root()
    found = table(python, ("nothing", "rlimits", "landlock", "L3"))
    holds(found)
    assert found["rlimits"]["fork-bomb"] == "escaped"


def test_as_root_of_a_namespace_that_has_no_others(python: Path) -> None:
    """No capability, no further namespace: the jail needs neither."""
    needs_root()
    inside = ("unshare", "--user", "--map-root-user", "sh", "-c", NO_NAMESPACES, "sh", *NO_POWER)
    holds(table(python, ("nothing", "rlimits", "landlock", "L3"), *inside))


def test_as_an_ordinary_user(python: Path) -> None:
    """With user namespaces there is bubblewrap too; without Landlock it holds strangers."""
    needs_root()
    assert shutil.which("bwrap"), "bubblewrap is not installed"
    holds(table(python, COLUMNS, *NOBODY))


def test_as_an_ordinary_user_without_namespaces(python: Path) -> None:
    """Where bubblewrap fails, the jail does not."""
    needs_root()
    inside = ("unshare", "--user", "--map-root-user", "sh", "-c", NO_NAMESPACES, "sh")
    without = (*NOBODY, *inside, *NO_POWER)
    holds(table(python, ("nothing", "rlimits", "landlock", "L3"), *without))
    refused = subprocess.run(
        [*without, "bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"],
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0
