"""The project's Vite as a child: when it can run, where it listens, how it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater import vite
from headwater.vite import Vite, uses_vite
from tests.headwater.fake_vite import make_frontend
from tests.scenarios.server_process import wait_for

Make = Callable[..., Vite]

node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture
def said() -> list[str]:
    """What was told to whoever watches."""
    return []


@pytest.fixture
def make(said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a child that is started again at once; all are ended after the test."""
    made: list[Vite] = []
    monkeypatch.setattr(vite, "_PAUSE_S", 0)

    def make_(frontend: Path) -> Vite:
        made.append(Vite(frontend, lambda text, _trouble: said.append(text)))
        return made[-1]

    yield make_
    for one in made:
        one.end()


def ask(port: int | None, path: str = "/") -> int:
    """The status of an answer."""
    assert port is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
        return int(reply.status)


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ('{"devDependencies": {"vite": "8"}}', True),
        ('{"dependencies": {"vite": "8"}}', True),
        ('{"devDependencies": {"esbuild": "1"}}', False),
        ('{"devDependencies": ["vite"]}', False),
        ("[]", False),
        ("{", False),
        (None, False),
    ],
)
def test_a_frontend_that_names_vite_uses_it(
    tmp_path: Path, package: str | None, expected: bool
) -> None:
    """package.json says so; one that is missing or broken does not."""
    if package is not None:
        (tmp_path / "package.json").write_text(package)
    assert uses_vite(tmp_path) is expected


def test_what_is_not_installed_is_named_and_not_started(tmp_path: Path, make: Make) -> None:
    """Without node_modules there is no port, and the command that mends it is said."""
    frontend = make_frontend(tmp_path)
    shutil.rmtree(frontend / "node_modules")
    child = make(frontend)
    assert "npm ci" in str(child.lacks())
    assert child.port().result(5) is None


def test_without_node_it_is_said(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed packages alone do not run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    child = make(make_frontend(tmp_path / "frontend"))
    assert "install Node.js" in str(child.lacks())
    assert child.port().result(5) is None


@node
def test_it_listens_and_ends_with_us(tmp_path: Path, make: Make, said: list[str]) -> None:
    """One child for all who ask; what it says is passed on; its end is silent, and final."""
    child = make(make_frontend(tmp_path))
    port = child.port().result(20)
    assert child.port().result(20) == port
    assert ask(port) == 200
    assert said == ["hello from vite"]
    child.end()
    with pytest.raises(OSError, match="refused"):
        ask(port)
    assert child.port().result(5) == port  # the old answer: nothing was started again
    assert said == ["hello from vite"]


@node
def test_one_that_ended_is_started_again(tmp_path: Path, make: Make, said: list[str]) -> None:
    """The end is told with its code; the next who asks gets another child."""
    child = make(make_frontend(tmp_path))
    with contextlib.suppress(OSError):  # it ends while it answers
        ask(child.port().result(20), "/end")
    wait_for(lambda: any("exit code 3" in text for text in said), "the end is told")
    assert ask(child.port().result(20)) == 200


@node
def test_one_that_cannot_start_says_why(tmp_path: Path, make: Make, said: list[str]) -> None:
    """Its own words are passed on, and there is no port."""
    broken = "export async function createServer() { throw new Error('bad config'); }"
    child = make(make_frontend(tmp_path, broken))
    assert child.port().result(20) is None
    assert any("bad config" in text for text in said)


PARENT = """
import os, signal, sys
from pathlib import Path
from headwater.vite import Vite
print(Vite(Path(sys.argv[1]), lambda *_: None).port().result(20), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@node
@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    """After kill -9 of its parent nothing listens any more."""
    command = [sys.executable, "-c", PARENT, str(make_frontend(tmp_path))]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    port = int(killed.stdout)

    def gone() -> bool:
        try:
            ask(port)
        except OSError:
            return True
        return False

    wait_for(gone, "the child is gone")
