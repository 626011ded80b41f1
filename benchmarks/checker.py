"""`headwater check` on a large backend, beside a process that only parses the same files."""

import shutil
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.servers import ROOT, BenchmarkFailed

COMPLETE = ROOT / "template" / "{% if start == 'complete' %}backend{% endif %}"
PARSING = """
import ast, pathlib, sys
for file in sorted(pathlib.Path(sys.argv[1]).rglob("*.py")):
    ast.parse(file.read_bytes())
"""
_ONCE = {"schema.py", "crons.py", "routes.py", "settings.py", "auth_config.py"}


def write_large_backend(root: Path, files: int) -> None:
    """A backend of so many files: the complete one, and copies of its modules in folders."""
    sources = sorted(COMPLETE.rglob("*.py"))
    left, folder = files, root / "backend"
    for copy in range(files):
        for source in sources if left else ():
            if left and not (copy and source.name in _ONCE):
                target = folder / (f"part{copy}" if copy else "") / source.relative_to(COMPLETE)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
                left -= 1


def check_s(root: Path) -> float:
    """Seconds of one `headwater check`, its process included; there must be no finding."""
    command = [sys.executable, "-c", "from headwater.cli import main; main()", "check"]
    return _run_s(command, root)


def parse_s(root: Path) -> float:
    """Seconds of a process that parses the files and does nothing with them."""
    return _run_s([sys.executable, "-c", PARSING, str(root / "backend")], root)


def _run_s(command: list[str], folder: Path) -> float:
    started = perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkFailed(done.stdout + done.stderr)
    return perf_counter() - started
