"""The files for Claude Code: settings, hooks' launcher, skills, agent, output styles."""

from __future__ import annotations

import ast
import copy as copies
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from headwater.check import check_project
from headwater_workshop.cli import PLACES, register
from headwater_workshop.hooks import EVENTS
from headwater_workshop.mode import STYLES
from headwater_workshop.stages import stage, write
from tests.docs.commands import headwater_commands, parse_headwater
from tests.scenarios.typescript import compile_frontend
from tests.template.kits import ROOT, ROWS, Row, copy, files, make_kit
from tests.template.schemas import BY_NAME
from tests.workshop.hooks.payloads import BAD, tool

CLAUDE = ROOT / "template" / "{% if 'claude' in assistants %}.claude{% endif %}"
LAUNCHER = CLAUDE / "hooks" / "headwater_hook.py"
SKILLS = sorted(CLAUDE.glob("skills/*/SKILL.md"))
MARKDOWN = sorted(CLAUDE.rglob("*.md"))
VENV = Path(sys.prefix)
STRICT = {"strict": True, "noEmit": True, "types": []}
TYPED = """import type { ClaudeCodeSettings } from "@schemastore/claude-code-settings";
export const settings: ClaudeCodeSettings = """


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit with one commit, read only by these tests."""
    return make_kit(tmp_path_factory.mktemp("kits") / "kit")


@pytest.fixture(scope="module")
def made(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], Path]:
    """The project of a row of answers, made once."""
    folder = tmp_path_factory.mktemp("rows")
    return cache(lambda row: copy(kit, folder / str(row), project_name="my-app", **row.answers))


@pytest.fixture(scope="module")
def project(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as the defaults make it, in a folder with a space."""
    return copy(kit, tmp_path_factory.mktemp("made") / "my app", project_name="my-app")


def head(path: Path) -> dict[str, Any]:
    """A Markdown file's frontmatter."""
    found = yaml.safe_load(path.read_text("utf-8").split("---\n")[1])
    assert isinstance(found, dict)
    return found


def handlers(project: Path) -> dict[str, dict[str, Any]]:
    """Each event's one handler in the project's settings."""
    settings = json.loads((project / ".claude" / "settings.json").read_text("utf-8"))
    found = {event: entries[0]["hooks"][0] for event, entries in settings["hooks"].items()}
    assert all(
        len(entries) == len(entries[0]["hooks"]) == 1 for entries in [*settings["hooks"].values()]
    )
    return found


# --- JSON, for every answer set ---


@pytest.mark.parametrize("row", ROWS)
def test_every_json_file_holds_what_its_schema_says(made: Callable[[Row], Path], row: Row) -> None:
    """For each set of answers; a JSON file without a schema here is one too many."""
    project = made(row)
    names = {name for name in files(project) if name.endswith(".json")}
    assert names <= set(BY_NAME)
    assert (".claude/settings.json" in names) is row.claude
    for name in names:
        jsonschema.validate(json.loads((project / name).read_text("utf-8")), BY_NAME[name])
    if row.claude:
        settings = json.loads((project / ".claude" / "settings.json").read_text("utf-8"))
        assert settings["outputStyle"] == STYLES[row.assistant_mode]


@pytest.mark.parametrize("mode", ["pair", pytest.param("tutor", marks=pytest.mark.prove)])
def test_the_published_schema_agrees(kit: Path, tmp_path: Path, mode: str) -> None:
    """As types, strictly, which a package makes of the schema that Claude Code's editors use; a
    list as matcher is refused.
    """
    project = copy(kit, tmp_path / "my-app", project_name="my-app", assistant_mode=mode)
    text = (project / ".claude" / "settings.json").read_text("utf-8")
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT}))
    (folder / "right.ts").write_text(TYPED + text)
    (folder / "wrong.ts").write_text(TYPED + text.replace('"Edit|Write"', '["Edit", "Write"]'))
    errors = compile_frontend(folder).errors
    assert [(error.file, error.code) for error in errors] == [("wrong.ts", "TS2322")]


SPOILS = {
    "a list as matcher": lambda s: s["hooks"]["PreToolUse"][0].update(matcher=["Edit"]),
    "an unknown event": lambda s: s["hooks"].update(PreTool=s["hooks"]["Stop"]),
    "a misspelt key": lambda s: s["hooks"]["Stop"][0]["hooks"][0].update(timeOut=3),
    "a rule of no tool": lambda s: s["permissions"]["deny"].append("Erase(/x)"),
    "servers in settings": lambda s: s.update(mcpServers={}),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_the_schema_refuses_what_claude_code_would_drop(project: Path, spoil: str) -> None:
    """Each mistake that is known to be dropped in silence."""
    settings = json.loads((project / ".claude" / "settings.json").read_text("utf-8"))
    spoiled = copies.deepcopy(settings)
    SPOILS[spoil](spoiled)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoiled, BY_NAME[".claude/settings.json"])


@pytest.mark.parametrize("row", ROWS)
def test_skillsaw_finds_no_error(made: Callable[[Row], Path], row: Row) -> None:
    """The linter of assistants' files, over all that a project has for them."""
    project = made(row)
    command = [sys.executable, "-m", "skillsaw", "lint", "--no-progress", "--no-plugins", "."]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Errors: +0\n +Warnings: 0\n", done.stdout), done.stdout


# --- hooks ---


def test_every_event_goes_through_the_launcher(project: Path) -> None:
    """In exec form; what stops the launcher is longer than what the launcher waits."""
    found = handlers(project)
    assert [handler["args"][-1] for handler in found.values()] == list(EVENTS)
    seconds = runpy.run_path(str(LAUNCHER), run_name="launcher")
    for handler in found.values():
        event = handler["args"][-1]
        assert handler["args"][-2] == "${CLAUDE_PROJECT_DIR}/.claude/hooks/headwater_hook.py"
        assert handler["timeout"] > seconds["SECONDS"].get(event, seconds["LONGEST"])
    told = json.loads((project / ".claude" / "settings.json").read_text("utf-8"))["hooks"]
    assert told["PreToolUse"][0]["matcher"] == "Edit|Write|Bash|PowerShell"
    assert told["PostToolUse"][0]["matcher"] == "Edit|Write"


def fire(project: Path, event: str, payload: dict[str, Any], **env: str) -> Any:
    """Start an event's handler as Claude Code does; what it answers, None for nothing."""
    handler = handlers(project)[event]
    words = [handler["command"], *handler["args"]]
    command = [word.replace("${CLAUDE_PROJECT_DIR}", str(project)) for word in words]
    surroundings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "CLAUDE_PROJECT_DIR": str(project)}
    done = subprocess.run(
        command,
        input=json.dumps(payload).encode(),
        capture_output=True,
        cwd=project,
        env=surroundings | env,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout) if done.stdout else None


def test_an_edit_is_answered_through_the_launcher(project: Path, tmp_path: Path) -> None:
    """Before: refused by JSON. After: what check finds. The project's own headwater answers."""
    project = shutil.copytree(project, tmp_path / "my app")
    (project / ".venv").symlink_to(VENV)
    guarded = tool(project, "Write", file_path=f"{project}/.claude/settings.json", content="{}")
    told = fire(project, "PreToolUse", guarded)["hookSpecificOutput"]
    assert told["permissionDecision"] == "deny"
    (project / "backend" / "clocks.py").write_text(BAD)
    path = f"{project}/backend/clocks.py"
    told = fire(project, "PostToolUse", tool(project, "Write", "PostToolUse", file_path=path))
    assert "HW201 backend/clocks.py:10:12" in told["hookSpecificOutput"]["additionalContext"]


@pytest.mark.parametrize("event", EVENTS)
def test_without_an_environment_nothing_is_stopped(project: Path, event: str) -> None:
    """Exit code 0, no refusal, and the fact that nothing was checked."""
    name = next(n for n, handler in handlers(project).items() if handler["args"][-1] == event)
    told = fire(project, name, tool(project, "Edit", name, file_path=f"{project}/backend/x.py"))
    assert "there is no headwater in .venv" in told["systemMessage"]
    output = told.get("hookSpecificOutput", {})
    assert "permissionDecision" not in output
    assert ("additionalContext" in output) is (event != "stop")


FAKES = {
    "ends with 2": ("exit 2", "headwater ended with 2: it said nothing"),
    "says why": ("echo 'No module named x' >&2; exit 1", "ended with 1: No module named x"),
    "prints no JSON": ("echo hello", "JSONDecodeError"),
    "prints a list": ("echo '[]'", "no JSON object"),
    "hangs": ("exec sleep 60", "no answer within 1 seconds"),
    "cannot be started": ("", "Error"),
}


@pytest.mark.parametrize("fake", FAKES)
def test_a_headwater_that_fails_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: str
) -> None:
    """Whatever it does: the launcher answers that nothing was checked, and why."""
    script, expected = FAKES[fake]
    program = tmp_path / ".venv" / "bin" / "headwater"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n" if script else "#!/nowhere/python\n")
    program.chmod(0o755)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(tmp_path))
    launcher = runpy.run_path(str(LAUNCHER), run_name="launcher")
    launcher["SECONDS"]["pre-tool-use"] = 1
    try:
        told = launcher["answer"]("pre-tool-use", b"{}")
    except Exception as error:  # as its main does
        told = launcher["fact"]("pre-tool-use", f"{type(error).__name__}: {error}")
    assert expected in told["systemMessage"]
    assert told["hookSpecificOutput"]["hookEventName"] == "PreToolUse"


def test_a_missing_launcher_blocks_no_edit(project: Path, tmp_path: Path) -> None:
    """Exit code 1, which Claude Code shows; 2, which Python gives for a missing file, blocks."""
    project = shutil.copytree(project, tmp_path / "my-app")
    (project / ".claude" / "hooks" / "headwater_hook.py").unlink()
    handler = handlers(project)["PreToolUse"]
    words = [handler["command"], *handler["args"]]
    command = [word.replace("${CLAUDE_PROJECT_DIR}", str(project)) for word in words]
    done = subprocess.run(command, input=b"{}", capture_output=True, check=False)
    assert done.returncode == 1


def test_the_launcher_runs_on_an_old_python() -> None:
    """Old syntax, standard library only: which Python a machine starts is not ours to say."""
    tree = ast.parse(LAUNCHER.read_text("utf-8"), feature_version=(3, 7))
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    assert set(names) <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_windows_has_its_own_python() -> None:
    """A project that is made there starts `py`, because `python3` is a shop window there."""
    text = (CLAUDE / "settings.json.jinja").read_text("utf-8")
    assert "'py' if _copier_conf.os == 'windows' else 'python3'" in text


# --- skills, agent, output styles ---


def test_the_skills_are_these() -> None:
    """Each with the name of its folder, and a description that says when to use it."""
    wanted = "add-cron frontend hint lesson memory new-table report solution tdd"
    assert [path.parent.name for path in SKILLS] == wanted.split()
    for path in SKILLS:
        about = head(path)
        assert about["name"] == path.parent.name
        assert len(about["description"]) < 1024
        assert " Use " in about["description"] or about["name"] == "solution"


def test_only_the_human_starts_the_solution() -> None:
    """It is the one skill that no assistant can begin by itself."""
    human = [path.parent.name for path in SKILLS if head(path).get("disable-model-invocation")]
    assert human == ["solution"]


def test_a_tutor_keeps_its_rule_where_styles_do_not_reach() -> None:
    """Output styles do not apply to subagents, so the agent's own text has the rule too."""
    agent = CLAUDE / "agents" / "rule-reviewer.md"
    assert head(agent)["name"] == "rule-reviewer"
    assert "tutor mode" in agent.read_text("utf-8")
    for mode, name in STYLES.items():
        style = head(CLAUDE / "output-styles" / f"{mode}.md")
        assert (style["name"], style["keep-coding-instructions"]) == (name, True)


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_commands_in_them_exist(path: Path) -> None:
    """What an assistant is told to type, with its options; and paths are a project's."""
    register(None)  # type: ignore[arg-type]  # the program of these tests has joined already
    assert set(PLACES) <= set(headwater_commands())
    text = path.read_text("utf-8")
    for words in re.findall(r"`uv run (?:--quiet )?headwater ([^`]*)`", text):
        parse_headwater(words.replace("$ARGUMENTS", "").split())
    assert "{{" not in text
    assert "{%" not in text


def snippets(path: Path) -> list[str]:
    """A page's blocks of Python, without their indentation."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", path.read_text("utf-8"), re.S | re.M)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


def test_code_in_skills_is_right(tmp_path: Path) -> None:
    """A table, its functions, a cron and a test: laid into a project, no rule is broken."""
    table, functions = snippets(CLAUDE / "skills" / "new-table" / "SKILL.md")
    work, crons = snippets(CLAUDE / "skills" / "add-cron" / "SKILL.md")
    write(stage(0), tmp_path)
    backend = tmp_path / "backend"
    with (backend / "schema.py").open("a") as schema:
        schema.write(f"\n\n{table}")
    (backend / "boards.py").write_text(functions)
    messages = (backend / "messages.py").read_text()
    messages = messages.replace(
        "from headwater import ", "from headwater import internal_mutation, "
    )
    (backend / "messages.py").write_text(f"{messages}\n\n{work}")
    (backend / "crons.py").write_text(crons)
    (test,) = snippets(CLAUDE / "skills" / "tdd" / "SKILL.md")
    (tmp_path / "tests" / "test_more.py").write_text(test)
    assert [found.render() for found in check_project(tmp_path)] == []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_more.py"]
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
