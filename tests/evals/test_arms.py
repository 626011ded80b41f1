"""What an assistant finds in a project in each arm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from evals.arms import ARMS, dress, options
from evals.claude import surroundings
from evals.tasks import base_project, begin

from headwater_workshop.lessons import load_lessons

GUIDANCE = {
    *("AGENTS.md", "CLAUDE.md", ".mcp.json", ".claude/settings.json", ".claude/launcher.py"),
    *(".claude/skills/hint/SKILL.md", ".claude/agents/rule-reviewer.md"),
}
BOOK = {"AGENTS.md", "CLAUDE.md"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("none", set[str]()),
        ("rulebook", BOOK),
        ("check", BOOK),
        ("hooks", BOOK | {".claude/settings.json", ".claude/launcher.py"}),
        ("mcp", GUIDANCE),
    ],
)
def test_an_arm_has_what_it_says(tmp_path: Path, name: str, found: set[str]) -> None:
    """Each has what the one before has, and more; the code is there in all."""
    for file in (*GUIDANCE, ".cursor/rules/headwater.mdc", "backend/tasks.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("a\n`uv run headwater check`\n")
    dress(tmp_path, ARMS[name])
    files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert files == found | {"backend/tasks.py"}
    for file in BOOK & found:
        spoken_of = "headwater check" in (tmp_path / file).read_text()
        assert spoken_of is ARMS[name].check


@pytest.mark.prove
def test_a_generated_project_is_dressed_for_every_arm(tmp_path: Path) -> None:
    """Each arm has more files than the one before, and only the arms with the checker name it."""
    base, lesson = base_project(tmp_path / "base"), load_lessons()[0]
    sizes = {}
    for name, arm in ARMS.items():
        project = begin(base, tmp_path / name, lesson)
        dress(project, arm)
        spoken_of = any("headwater check" in p.read_text("utf-8") for p in project.glob("*.md"))
        assert spoken_of is arm.check
        files = [path for path in project.rglob("*") if ".venv" not in path.parts]
        sizes[name] = sum(path.is_file() for path in files)
    assert list(sizes.values()) == sorted(sizes.values())
    assert sizes["none"] < sizes["rulebook"] == sizes["check"] < sizes["hooks"] < sizes["mcp"]


@pytest.mark.prove
def test_hooks_and_commands_work_in_a_task(tmp_path: Path) -> None:
    """The launcher finds headwater, and so does `uv run`: an arm has what it says."""
    project = begin(base_project(tmp_path / "base"), tmp_path / "my app", load_lessons()[0])
    launcher = project / ".claude" / "hooks" / "headwater_hook.py"
    for words in (
        [sys.executable, str(launcher), "session-start"],
        ["uv", "run", "--quiet", "headwater", "lesson", "list", "--json"],
    ):
        payload = json.dumps({"hook_event_name": "SessionStart", "cwd": str(project)})
        done = subprocess.run(
            words, input=payload, cwd=project, env=surroundings(), capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "01-schema-and-validators" in json.dumps(json.loads(done.stdout))


@pytest.mark.parametrize("name", ARMS)
def test_nothing_of_the_user_is_taken_along(name: str) -> None:
    """Their settings and servers stay out, or two machines measure two things."""
    words = options(ARMS[name])
    assert words[words.index("--setting-sources") + 1] == "project,local"
    assert "--strict-mcp-config" in words
    assert ("--mcp-config" in words) is (name == "mcp")
    assert ("--disallowedTools" in words) is not ARMS[name].check
