"""headwater.js, the browser client: its protocol tests are JavaScript and run in Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent / "browser" / "headwater.test.mjs"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_client_keeps_the_protocol() -> None:
    """Every claim in headwater.test.mjs holds, and there are claims in it."""
    done = subprocess.run(
        ["node", "--test", str(TESTS)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line for line in done.stdout.splitlines() if line.startswith("# pass ")]
    assert passed
    assert int(passed[0].split()[-1]) > 0
