"""Eight mistakes of common guides, typed into a generated project with an assistant's tools.

What `headwater check` says of them is in tests/headwater/check/test_common_mistakes.py; here the
edit hook says it. `python -m benchmarks.edit_hook` measures how long that takes.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from tests.headwater.check.test_common_mistakes import MISTAKES
from tests.template.kits import copy, make_kit
from tests.workshop.hooks.payloads import asked, refused, tool


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete project as Copier makes it."""
    folder = tmp_path_factory.mktemp("edits")
    return copy(make_kit(folder / "kit"), folder / "my app", project_name="my-app")


@pytest.fixture(autouse=True)
def _told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(project))


def typed(project: Path, name: str, code: str) -> str:
    """Write a file as the tool `Write` does, between both hooks; what is said afterwards."""
    path, text = project / name, dedent(code).lstrip()
    given = {"file_path": str(path), "content": text}
    assert not refused(tool(project, "Write", **given))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    answer = asked("post-tool-use", tool(project, "Write", "PostToolUse", **given))
    return str(answer.get("hookSpecificOutput", {}).get("additionalContext", ""))


@pytest.mark.parametrize("name", MISTAKES)
def test_the_edit_hook_catches_it_and_lets_the_repair_pass(project: Path, name: str) -> None:
    """With file, line, reason and repair; the repaired code is met with silence."""
    mistake = MISTAKES[name]
    lines = dedent(mistake.wrong).lstrip().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "# here" in text)
    try:
        said = typed(project, mistake.path, mistake.wrong)
        assert re.search(rf"^{mistake.code} {mistake.path}:{line}:\d+", said, re.M), said
        plain = re.sub(r"\n +", " ", said)
        assert mistake.reason in plain
        assert mistake.fix in said
        (project / mistake.path).unlink()
        assert typed(project, mistake.right_path or mistake.path, mistake.right) == ""
    finally:
        for path in {mistake.path, mistake.right_path or mistake.path}:
            (project / path).unlink(missing_ok=True)
