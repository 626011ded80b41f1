"""The project's Dockerfile and compose file, step by step, on a machine without a container engine.

What is of the image's own system (its packages, its user) is left out; every other step is run as
it is written, in a folder that stands for the image's root.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from headwater_workshop.new import new_project
from tests.scenarios.server_process import foreign, free_port, wait_for
from tests.template.kits import ROOT

pytestmark = pytest.mark.prove

SYSTEM = ("apt-get", "useradd", "chown")
STEP = re.compile(r"([A-Z]+)\s+(.*)")


def steps(dockerfile: Path) -> list[tuple[str, str]]:
    """Its instructions, in order."""
    lines = [line for line in dockerfile.read_text("utf-8").splitlines() if line]
    found = [STEP.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(found), "an instruction of a form this test does not know"
    return [(step[1], step[2]) for step in found if step]


@dataclass
class Image:
    """An image, as its Dockerfile makes it."""

    context: Path
    root: Path
    folder: str = "/"
    path: str = ""
    said: dict[str, str] = field(default_factory=dict)

    def place(self, path: str) -> Path:
        """A path of the image, on this machine."""
        inside = path if path.startswith("/") else f"{self.folder.rstrip('/')}/{path}"
        return self.root / inside.lstrip("/")

    def here(self, text: str) -> str:
        """A command of the image, on this machine."""
        return re.sub(r"(?<![\w.])/(venv|app)\b", lambda found: f"{self.root}/{found[1]}", text)

    @property
    def environment(self) -> dict[str, str]:
        """What its commands see."""
        kept = {name: value for name, value in os.environ.items() if not foreign(name)}
        kept |= {"PATH": f"{self.here(self.path)}{os.pathsep}{kept['PATH']}"}
        return {n: v for n, v in kept.items() if n not in ("VIRTUAL_ENV", "PYTHONPATH")}

    def take(self, instruction: str, rest: str) -> None:
        """One instruction."""
        getattr(self, f"_{instruction.lower()}", self._keep(instruction))(rest)

    def _keep(self, instruction: str) -> Any:
        return lambda rest: self.said.update({instruction: rest})

    def _from(self, rest: str) -> None:
        self.folder, self.said = "/", {"FROM": rest}

    def _env(self, rest: str) -> None:
        settings = dict(part.split("=", 1) for part in shlex.split(rest))
        self.path = settings["PATH"].split(":")[0]

    def _workdir(self, rest: str) -> None:
        self.folder = rest
        self.place("").mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        words = shlex.split(rest)
        if words[0].startswith("--from="):  # all stages share this root
            assert self.place(words[1]).exists()
            return
        *sources, target = words
        for name in sources:
            source, goal = self.context / name, self.place(target)
            if source.is_dir():
                shutil.copytree(source, goal, dirs_exist_ok=True)
            else:
                goal.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, goal)

    def _run(self, rest: str) -> None:
        mine = [part for part in rest.split(" && ") if not part.strip().startswith(SYSTEM)]
        if mine:
            command = self.here(" && ".join(mine)).replace(
                "python -m venv", f"{sys.executable} -m venv"
            )
            done = subprocess.run(
                ["bash", "-ec", command],
                cwd=self.place(""),
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def words(self, instruction: str) -> list[str]:
        """The words of a CMD or HEALTHCHECK, which are JSON."""
        text = self.said[instruction]
        words: list[str] = json.loads(text[text.index("[") :])
        return words


@dataclass
class Container:
    """A container of the image: what its CMD starts, with a volume that outlives it."""

    image: Image
    environment: dict[str, str]
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        words = [*self.image.words("CMD"), "--port", str(self.port), "--site-port", "0"]
        self.process = subprocess.Popen(
            words,
            cwd=self.image.place("/app"),
            env=self.image.environment | self.environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            executable=self.image.place(f"/venv/bin/{words[0]}"),
        )
        wait_for(self.healthy, "the container is healthy")

    def healthy(self) -> bool:
        """What the HEALTHCHECK says."""
        assert self.process.poll() is None, "it ended by itself"
        command = [word.replace("3210", str(self.port)) for word in self.image.words("HEALTHCHECK")]
        done = subprocess.run(command, env=self.image.environment, capture_output=True, check=False)
        return done.returncode == 0

    def get(self, host: str) -> bytes:
        """The page, asked for by a name."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=10) as reply:
            content: bytes = reply.read()
            return content

    def run(self, *words: str) -> str:
        """`docker compose exec app headwater ...`."""
        done = subprocess.run(
            [self.image.place("/venv/bin/headwater"), *words],
            cwd=self.image.place("/app"),
            env=self.image.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def stop(self, grace_s: float) -> int:
        """As an engine stops it; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(grace_s)

    def end(self) -> None:
        """Whatever happened: nothing of it is left running."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the plain page."""
    folder = tmp_path_factory.mktemp("container") / "my-app"
    new_project(folder, frontend="plain", defaults=True, root=ROOT)
    return folder


@pytest.fixture(scope="module")
def image(project: Path) -> Image:
    """Its image."""
    image = Image(project, project.parent / "image")
    image.root.mkdir()
    for instruction, rest in steps(project / "Dockerfile"):
        image.take(instruction, rest)
    return image


@pytest.fixture
def compose(project: Path) -> dict[str, Any]:
    """The service of the compose file."""
    found = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))
    service: dict[str, Any] = found["services"]["app"]
    assert list(found["volumes"]) == ["data"]
    return service


@pytest.fixture
def container(image: Image, compose: dict[str, Any]) -> Iterator[Container]:
    """A container of it, with what the compose file sets; a name in front of its default."""
    given = {name: "shop.example" if "HOST" in name else "" for name in compose["environment"]}
    made = Container(image, given)
    yield made
    made.end()


def test_the_image_serves_and_is_healthy(container: Container) -> None:
    """The page too, under the name that the compose file lets in."""
    assert b"<html" in container.get("shop.example")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        container.get("other.example")


def test_data_outlives_the_container(
    container: Container, image: Image, compose: dict[str, Any]
) -> None:
    """It is in the volume; a stop is graceful and within the compose file's time."""
    assert compose["volumes"] == [f"data:{image.said['VOLUME']}"]
    container.run("run", "seed:sample_data")
    assert container.stop(float(compose["stop_grace_period"].rstrip("s"))) == 0
    following = Container(image, {})
    try:
        assert following.run("run", "seed:sample_data").strip() == "false"  # it is there already
    finally:
        following.end()


def test_the_backup_is_a_command_of_the_container(container: Container, image: Image) -> None:
    """As the guide says it."""
    backup = image.root / "backup.zip"
    container.run("export", "--path", str(backup), "--include-file-storage")
    assert backup.stat().st_size > 0


def test_the_ports_are_those_of_the_image(image: Image, compose: dict[str, Any]) -> None:
    """Open to this machine alone: a proxy with HTTPS stands in front."""
    exposed = image.said["EXPOSE"].split()
    assert compose["ports"] == [f"127.0.0.1:{port}:{port}" for port in exposed]
    assert image.said["USER"] == "app"
