"""PreToolUse: what is refused, and what goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workshop.hooks.payloads import make, refused, tool

PROTECTED = [
    "frontend/src/_generated/api.ts",
    "backend/_generated/types.py",
    ".headwater/progress.json",
    ".claude/hooks/headwater_hook.py",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".claude/output-styles/tutor.md",
    ".CLAUDE/Settings.json",
    ".copier-answers.yml",
    "lessons/01-schema-and-validators/tests/checks.py",
]
FREE = ["backend/tasks.py", "tests/test_new.py", "README.md", ".claude/skills/mine/SKILL.md"]
WINDOWS = "C:\\Users\\Ana Maria\\my app"
SHELL = [
    "sed -i 's/x/y/' .claude/hooks/headwater_hook.py",
    "cat > frontend/src/_generated/api.ts <<'EOF'\nexport {}\nEOF",
    "echo '{}' | tee .claude/settings.json",
    "cd .headwater && rm -f progress.json",
    "rm -rf .headwater",
    "mv .claude /tmp/away",
    "cp /tmp/easy.py lessons/01-schema-and-validators/tests/checks.py",
    "python3 -c \"open('.headwater/mode', 'w').write('pair')\"",
    "rm .claude/hooks/*.py",
    'echo x > "$CLAUDE_PROJECT_DIR/.claude/settings.json"',
]
HARMLESS = [
    "cat .claude/settings.json",
    "uv run headwater codegen",
    "sed -n 1,40p frontend/src/_generated/api.ts > /tmp/x",
    "rm -f reports/old.pdf; git status",
    "grep -r '_generated' . | tee /tmp/found",
    "find . -name '*.pyc' -delete; rm -rf build dist",
    "uv run pytest -q 2>&1 | tail -5",
    "git add -A && git commit -m 'Edit .claude/settings.json > by hand'",
    "cp -r . /tmp/backup",
]


def edits(project: Path | str, path: str) -> list[dict[str, Any]]:
    """Both tools that write, on one file."""
    wrote = tool(project, "Write", file_path=path, content="x = 1\n")
    return [wrote, tool(project, "Edit", file_path=path, old_string="x", new_string="y")]


@pytest.mark.parametrize("name", PROTECTED)
def test_what_is_written_by_others_is_not_edited(tmp_path: Path, name: str) -> None:
    """Generated files, the machine's own, lessons' tests and what steers the session: HW504."""
    project = make(tmp_path)
    for payload in edits(project, f"{project}/{name}"):
        reason = refused(payload)
        assert reason.startswith(f"HW504 {name}\n  What: ")
        assert "\n  Fix:  " in reason


@pytest.mark.parametrize("name", FREE)
def test_the_rest_is_free(tmp_path: Path, name: str) -> None:
    """Code, new tests, text, and skills of one's own."""
    project = make(tmp_path)
    assert not any(refused(payload) for payload in edits(project, f"{project}/{name}"))


@pytest.mark.parametrize("name", PROTECTED)
def test_windows_separators_hide_nothing(name: str) -> None:
    """The same files, as Windows writes them."""
    path = f"{WINDOWS}\\{name}".replace("/", "\\")
    assert all(refused(payload).startswith("HW504") for payload in edits(WINDOWS, path))


@pytest.mark.parametrize("command", SHELL)
def test_a_command_is_no_way_around(tmp_path: Path, command: str) -> None:
    """An edit by the shell is seen where it can be."""
    project = make(tmp_path)
    (project / ".claude" / "hooks").mkdir(parents=True)
    (project / ".claude" / "hooks" / "headwater_hook.py").touch()
    assert refused(tool(project, "Bash", command=command)).startswith("HW504"), command


@pytest.mark.parametrize("command", HARMLESS)
def test_a_command_that_only_reads_goes_on(tmp_path: Path, command: str) -> None:
    """Looking at a protected file is no edit of it."""
    assert not refused(tool(make(tmp_path), "Bash", command=command))


def test_git_bash_has_paths_of_its_own() -> None:
    """On Windows the shell says /c/Users for what the tools call C:\\Users."""
    command = "echo x > '/c/Users/Ana Maria/my app/.claude/settings.json'"
    assert refused(tool(WINDOWS, "Bash", command=command)).startswith("HW504")


def test_powershell_is_read_too(tmp_path: Path) -> None:
    """With its own words and separators."""
    command = "Set-Content -Path .claude\\settings.json -Value '{}'"
    assert refused(tool(make(tmp_path), "PowerShell", command=command)).startswith("HW504")


def test_a_lesson_s_tests_stay_while_it_is_in_hand(tmp_path: Path) -> None:
    """Those that came with it, by tool or by shell; a new file is welcome, and later all are."""
    project = make(tmp_path, lesson="1")
    test = f"{project}/tests/test_tasks.py"
    assert "is a test of the lesson" in refused(edits(project, test)[0])
    assert "is a test" in refused(tool(project, "Bash", command="sed -i d tests/test_tasks.py"))
    assert not refused(edits(project, f"{project}/tests/test_mine.py")[0])
    assert not refused(edits(make(tmp_path / "free"), test.replace(str(tmp_path), "x"))[0])


FUNCTION = "async def create_task("


@pytest.fixture
def tutored(tmp_path: Path) -> Path:
    """A project in tutor mode, in lesson 1."""
    return make(tmp_path, mode="tutor", lesson="1")


def test_in_tutor_mode_the_learner_s_functions_are_the_learner_s(tutored: Path) -> None:
    """An edit or a rewrite of what the lesson is about is refused; the reason has a way on."""
    path = tutored / "backend" / "tasks.py"
    edit = tool(
        tutored, "Edit", file_path=str(path), old_string=FUNCTION, new_string="async def x("
    )
    reason = refused(edit)
    assert reason.startswith("HW504 backend/tasks.py")
    assert 'More: AGENTS.md, "Lessons: tutor mode"' in reason
    assert "create_task is the learner's part of lesson 1 in tutor mode" in reason
    assert "headwater lesson hint" in reason
    assert refused(tool(tutored, "Write", file_path=str(path), content=""))
    shell = tool(tutored, "Bash", command=f"cat > '{path}' <<'EOF'\nx = 1\nEOF")
    assert "tutor mode" in refused(shell)


def test_a_mark_for_the_human_may_be_set(tutored: Path) -> None:
    """One comment line with TODO(human), and nothing else: no code hidden in it, no second one."""
    path = tutored / "backend" / "tasks.py"
    line = next(x for x in path.read_text().splitlines() if FUNCTION in x)

    def marked(*marks: str) -> str:
        text = "\n".join([*marks, line])
        return refused(tool(tutored, "Edit", file_path=str(path), old_string=line, new_string=text))

    assert not marked("# TODO(human): which annotation says this?")
    assert marked("# TODO(human): one", "# TODO(human): two")
    assert marked(f"# TODO(human): {'x' * 200}")


def test_other_functions_are_open_in_tutor_mode(tutored: Path) -> None:
    """Outside of the lesson the assistant works as usual; so it does in pair mode."""
    path = tutored / "backend" / "messages.py"
    assert not refused(tool(tutored, "Write", file_path=str(path), content="x = 1\n"))
    (tutored / ".copier-answers.yml").write_text("assistant_mode: pair\n")
    path = tutored / "backend" / "tasks.py"
    assert not refused(tool(tutored, "Write", file_path=str(path), content=""))


@pytest.mark.parametrize(
    "command", ["uv run headwater lesson diff 1 --solution", "headwater lesson goto 2; ls"]
)
def test_a_solution_is_asked_for_by_the_human(tutored: Path, command: str) -> None:
    """In tutor mode the assistant does not fetch it; in pair mode it is a command as any other."""
    assert "the learner's to type" in refused(tool(tutored, "Bash", command=command))
    (tutored / ".copier-answers.yml").write_text("assistant_mode: pair\n")
    assert not refused(tool(tutored, "Bash", command=command))
