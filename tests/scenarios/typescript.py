"""TypeScript's own compiler over a frontend, strict, and the errors it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.official_clients import CLIENTS

_ERROR = re.compile(r"(?m)^(\S+?)\((\d+),\d+\): error (TS\d+): (.*)$")


def node_modules() -> Path:
    """Where the npm packages of the tests are; skips without them, but never on CI."""
    found = CLIENTS / "node_modules"
    if shutil.which("node") is None or not (found / "typescript").is_dir():
        reason = "needs node, and `npm ci` in tests/clients"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass(frozen=True)
class Wrong:
    """One error: where and which."""

    file: str
    line: int
    code: str
    text: str


@dataclass(frozen=True)
class Compiled:
    """How a run of `tsc` ended."""

    exit_code: int
    output: str

    @property
    def errors(self) -> list[Wrong]:
        """All errors, in order."""
        found = _ERROR.findall(self.output)
        return [Wrong(file, int(line), code, text) for file, line, code, text in found]


def compile_frontend(frontend: Path, *options: str) -> Compiled:
    """Runs `tsc -p` on a frontend, with the packages of tests/clients as its node_modules."""
    packages = frontend / "node_modules"
    if not packages.exists():
        packages.symlink_to(node_modules(), target_is_directory=True)
    command = ["node", str(node_modules() / "typescript/bin/tsc"), "-p", ".", "--pretty", "false"]
    ended = subprocess.run(
        [*command, *options],
        cwd=frontend,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Compiled(ended.returncode, ended.stdout + ended.stderr)
