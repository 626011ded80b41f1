"""From a wheelhouse a project is generated, installed, tested and served with the network off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("offline_room.py")
HEADWATER = Path(sysconfig.get_path("scripts")) / "headwater"
ALONE = ["unshare", "--user", "--map-root-user", "--net"]
NAMESPACES = (
    shutil.which("unshare") is not None
    and subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
)
NOWHERE = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheelhouse for this machine, filled from the network."""
    folder = tmp_path_factory.mktemp("room") / "wheelhouse"
    words = ["--frontend", "react"] if shutil.which("npm") else []
    subprocess.run([HEADWATER, "wheelhouse", folder, *words], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("start", "frontend"), [("workshop", "react"), ("complete", "plain"), ("workshop", "none")]
)
def test_a_room_needs_no_network(
    wheelhouse: Path, tmp_path: Path, start: str, frontend: str
) -> None:
    """Two commands, on a machine that has loopback and nothing else, and an empty home.

    Where namespaces are not allowed, every proxy leads nowhere instead.
    """
    home = tmp_path / "home"
    home.mkdir()
    own = {"PATH": os.environ["PATH"], "HOME": str(home)}
    own |= {"IN_NAMESPACE": "1"} if NAMESPACES else NOWHERE
    words = [
        sys.executable,
        str(PROGRAM),
        str(wheelhouse),
        "--start",
        start,
        "--frontend",
        frontend,
    ]
    command = [*ALONE, *words] if NAMESPACES else words
    done = subprocess.run(
        command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    assert " passed" in seen["pytest"]
    # A complete project shows messages to signed-in people only; the answer is what counts here.
    assert seen["people"] == (["ana", "ben"] if start == "workshop" else [])
    if frontend == "react" and shutil.which("npm"):
        assert (tmp_path / "my-app" / "frontend" / "node_modules" / "convex").is_dir()


def test_its_readme_has_the_two_commands(wheelhouse: Path) -> None:
    """Who opens the folder is told what to type, and for which machine it was filled."""
    text = (wheelhouse / "README.md").read_text("utf-8")
    assert "python FOLDER/start.py my-app" in text
    assert "this machine" in text
    assert (wheelhouse / "start.py").is_file()
