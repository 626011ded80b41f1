"""A new complete project with its page in React built, as `headwater serve` gives it to people."""

import hashlib
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import (
    CACHE,
    ROOT,
    BenchmarkFailed,
    environment,
    free_port,
    run_folder,
    running,
)
from headwater_workshop.new import new_project

COMMAND = Path(sysconfig.get_path("scripts")) / "headwater"
STEP_LIMIT_S = 300


class Project:
    """A generated project, and the server it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.frontend = folder / "frontend"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def build(self) -> None:
        """Make it from the template and build its page, as its guide says."""
        new_project(self.folder, start="complete", frontend="react", defaults=True, root=ROOT)
        (self.frontend / "node_modules").symlink_to(packages(self.frontend) / "node_modules")
        self.run("codegen")
        finish(["npm", "run", "build"], self.frontend)

    def run(self, *words: str) -> str:
        """What a headwater command prints in the project."""
        return finish([str(COMMAND), *words], self.folder)


@contextmanager
def serving_project() -> Iterator[Project]:
    """Serve a new complete project with its sample data, in which ana and ben share a project."""
    with run_folder() as folder:
        project = Project(folder / "project")
        project.build()
        ports = ["--port", str(project.port), "--site-port", "0"]
        command = [str(COMMAND), "serve", "--dev-tokens", *ports]
        with running(command, folder, f"{project.url}/version", project.folder):
            project.run("run", "seed:sample_data")
            yield project


def packages(frontend: Path) -> Path:
    """The folder that has the packages of a lock file; installed once."""
    lock = (frontend / "package-lock.json").read_bytes()
    folder = CACHE / f"packages-{hashlib.sha256(lock).hexdigest()[:16]}"
    whole = folder / "whole"  # `npm ci` that was broken off leaves a part behind
    if not whole.exists():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(frontend / name, folder)
        finish(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"], folder)
        whole.touch()
    return folder


def finish(command: list[str], folder: Path) -> str:
    """What a command prints; it must succeed."""
    program = shutil.which(command[0])
    if program is None:
        raise BenchmarkFailed(f"the measure of two windows needs {command[0]}")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=environment() | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=STEP_LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkFailed(f"{' '.join(command)} in {folder}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
