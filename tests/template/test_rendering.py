"""What the template renders: files, answers, and the line that brings headwater."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from headwater_workshop.new import requirement_of
from tests.template.kits import (
    MATRIX,
    ROOT,
    ROWS,
    Row,
    commit,
    copy,
    every_row,
    files,
    git,
    make_kit,
    mark,
    pairs,
    recorded,
)

ALWAYS = {
    ".copier-answers.yml",
    ".dockerignore",
    ".github/workflows/ci.yml",
    ".gitignore",
    "AGENTS.md",
    "Dockerfile",
    "Makefile",
    "README.md",
    "backend/messages.py",
    "backend/projects.py",
    "backend/schema.py",
    "backend/seed.py",
    "backend/tasks.py",
    "compose.yaml",
    "pyproject.toml",
    "requirements-headwater.txt",
    "requirements.lock",
    "tests/test_messages.py",
    "tests/test_projects.py",
    "tests/test_tasks.py",
}
WITH_PAGE = {"requirements-browser.lock", "tests/test_page.py"}
PAGE = {"frontend/app.js", "frontend/index.html", "frontend/style.css"}
POINTERS = {
    "claude": "CLAUDE.md",
    "cursor": ".cursor/rules/headwater.mdc",
    "copilot": ".github/copilot-instructions.md",
}
TOOLS = ".mcp.json"
BROWSER_STEPS = ["playwright install --with-deps chromium", "pytest -m browser"]
FORBIDDEN_ON_WINDOWS = set('<>:"|?*\\')
PORTS = {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
DEVICES = PORTS | {"con", "prn", "aux", "nul"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit with one commit and no tag, read only by these tests."""
    return make_kit(tmp_path_factory.mktemp("kits") / "kit")


def pins(lock: Path) -> dict[str, set[str]]:
    """What a lock file pins, and with which hashes."""
    found: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=[a-zA-Z])", lock.read_text(encoding="utf-8")):
        if pin := re.match(r"[\w.\-]+==\S+", block):
            found[pin.group()] = set(re.findall(r"sha256:[0-9a-f]{64}", block))
    return found


def texts(project: Path) -> Iterator[tuple[str, str]]:
    """Every file of a project with its text."""
    for name in sorted(files(project)):
        yield name, (project / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_answers_renders_its_files(kit: Path, tmp_path: Path, row: Row) -> None:
    """A page and assistants' files come only when wanted; no template syntax is left over."""
    project = copy(kit, tmp_path / "my-app", **row.answers)
    found = files(project)
    wanted = ALWAYS | {POINTERS[name] for name in row.assistants}
    wanted |= {TOOLS} if row.claude else set()
    wanted |= PAGE if row.frontend == "plain" else set()
    wanted |= WITH_PAGE if row.frontend != "none" else set()
    assert wanted <= found
    assert not found & ({*POINTERS.values(), TOOLS, *WITH_PAGE} - wanted)
    assert any(name.startswith("frontend/") for name in found) is (row.frontend != "none")
    for name, text in texts(project):
        assert not re.search(r"\{%|\{\{ ?_?[a-z]", text) or name.endswith((".tsx", ".yml")), name
    readme = (project / "README.md").read_text("utf-8")
    assert ("frontend" in readme) is (row.frontend != "none")
    assert f"headwater:{row.assistant_mode}," in (project / "AGENTS.md").read_text("utf-8")


def test_every_pair_of_answers_is_in_a_row() -> None:
    """Whatever two answers are given together, a row of the matrix has been used with them."""
    everything = set[object]().union(*map(pairs, every_row()))
    assert set[object]().union(*map(pairs, MATRIX)) == everything
    assert len(MATRIX) <= len(every_row()) / 8


def test_every_name_is_a_name_on_windows_too() -> None:
    """Neither the template's folders nor what they render to need a character Windows has not."""
    names = git(ROOT, "ls-files", "-z", "--", "template").strip("\0").split("\0")
    assert len({name.lower() for name in names}) == len(names)
    for part in {part for name in names for part in name.split("/")}:
        assert not FORBIDDEN_ON_WINDOWS & set(part), part
        assert part == part.rstrip(". "), part
        assert part.split(".")[0].lower() not in DEVICES, part


@pytest.mark.parametrize("name", POINTERS.values())
def test_an_assistant_s_file_points_to_agents_md(kit: Path, tmp_path: Path, name: str) -> None:
    """What is to be known is in one file; the others lead there, in the form each tool reads."""
    project = copy(kit, tmp_path / "my-app", assistants=list(POINTERS))
    text = (project / name).read_text("utf-8")
    assert "AGENTS.md" in text
    assert len(text.splitlines()) <= 8
    if name.endswith(".mdc"):
        head = yaml.safe_load(text.split("---")[1])
        assert head["alwaysApply"] is True
        assert set(head) == {"description", "globs", "alwaysApply"}


def test_claude_code_is_given_the_tools(kit: Path, tmp_path: Path) -> None:
    """Its file starts the command, and the extra that it needs is among what is asked for."""
    project = copy(kit, tmp_path / "my-app", assistants=["claude"])
    servers = json.loads((project / TOOLS).read_text("utf-8"))["mcpServers"]
    assert servers["headwater"]["args"][-2:] == ["headwater", "mcp"]
    wanted = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    assert "headwater[workshop,mcp]" in wanted["dependencies"]
    assert any(pin.startswith("mcp==2.") for pin in pins(project / "requirements.lock"))
    without = copy(kit, tmp_path / "alone", assistants=["cursor"])
    assert "headwater[workshop]" in (without / "pyproject.toml").read_text("utf-8")


def test_the_answers_are_recorded(kit: Path, tmp_path: Path) -> None:
    """What was answered, where the kit lay and which commit it was; nothing computed."""
    project = copy(kit, tmp_path / "garden", project_name="garden-2", start="workshop")
    answers = recorded(project)
    assert answers.pop("_commit") in git(kit, "rev-parse", "HEAD")
    assert answers == {
        "_src_path": str(kit),
        "project_name": "garden-2",
        "start": "workshop",
        "frontend": "plain",
        "assistants": ["claude"],
        "assistant_mode": "pair",
    }
    assert (
        tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["name"]
        == "garden-2"
    )


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Garden!", "my-garden"), ("2nd_try", "nd-try"), ("日記", "my-app")],
)
def test_the_name_is_made_from_the_folder(
    kit: Path, tmp_path: Path, folder: str, name: str
) -> None:
    """Whatever a folder is called, the default name of its project is a good one."""
    assert recorded(copy(kit, tmp_path / folder))["project_name"] == name


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("start", "end"),
        ("frontend", "vue"),
        ("assistants", ["clippy"]),
        ("assistant_mode", "solo"),
    ],
)
def test_an_answer_that_is_no_choice_is_refused(
    kit: Path, tmp_path: Path, question: str, answer: str | list[str]
) -> None:
    """Copier names the question, and nothing is written."""
    with pytest.raises(ValueError, match=question):
        copy(kit, tmp_path / "my-app", None, **{question: answer})
    assert not (tmp_path / "my-app").exists()


@pytest.mark.parametrize("name", ["My App", "1app", "app_", "a--b", "x" * 61, "", "a\nb", "app\n"])
def test_a_bad_name_is_refused(kit: Path, tmp_path: Path, name: str) -> None:
    """The validator says what a name looks like, and nothing is written."""
    with pytest.raises(ValueError, match="as in my-app"):
        copy(kit, tmp_path / "my-app", project_name=name)
    assert not (tmp_path / "my-app").exists()


def test_uv_run_needs_no_lock_file(kit: Path, tmp_path: Path) -> None:
    """The project is unmanaged, so that no uv.lock with registry addresses comes to be."""
    project = copy(kit, tmp_path / "my-app")
    settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["uv"] == {"managed": False, "package": False}
    assert "headwater[workshop,mcp]" in settings["project"]["dependencies"]
    assert "build-system" not in settings


def test_the_lock_is_the_kit_s_own(kit: Path, tmp_path: Path) -> None:
    """Same versions and hashes as the kit was tested with, and no address."""
    project = copy(kit, tmp_path / "my-app")
    mine, kits = pins(project / "requirements.lock"), pins(ROOT / "requirements.lock")
    assert mine.items() <= kits.items()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    direct = [*declared["dependencies"], *extras["workshop"], *extras["project"]]
    names = {re.split(r"[\[<>=;]", line)[0] for line in direct}
    assert names <= {pin.split("==")[0] for pin in mine}
    assert "://" not in (project / "requirements.lock").read_text("utf-8")


def test_the_browser_s_lock_adds_to_the_other(kit: Path, tmp_path: Path) -> None:
    """Playwright is in a file of its own: what the kit was tested with, by hash, no address."""
    project = copy(kit, tmp_path / "my-app")
    lock = project / "requirements-browser.lock"
    mine, all_others = pins(lock), pins(project / "requirements.lock")
    assert "playwright" in {pin.split("==")[0] for pin in mine}
    assert mine.items() <= pins(ROOT / "requirements.lock").items()
    assert not mine.keys() & all_others.keys()
    assert "://" not in lock.read_text("utf-8")


def test_the_workflow_tests_the_page(kit: Path, tmp_path: Path) -> None:
    """A job of its own with a browser, and with the page built where it is built; else none."""
    for frontend in ("none", "plain", "react"):
        project = copy(kit, tmp_path / frontend, frontend=frontend)
        workflow = (project / ".github/workflows/ci.yml").read_text("utf-8")
        job = yaml.safe_load(workflow)["jobs"].get("page", {"steps": []})
        steps = [step["run"] for step in job["steps"] if "run" in step]
        assert steps[-2:] == BROWSER_STEPS * (frontend != "none")
        assert ("npm run build" in steps) is (frontend == "react")


def test_a_local_checkout_is_a_path(kit: Path, tmp_path: Path) -> None:
    """However the folder is typed, the project names it absolutely, with a note on sharing."""
    typed = Path("..") / kit.parent.name / kit.name
    here = tmp_path / "here"
    here.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        (tmp_path / kit.parent.name).symlink_to(kit.parent)
        project = copy(typed, tmp_path / "my-app")
    assert requirement_of(project) == f"-e {kit.resolve()}"
    assert "Before you share" in (project / "requirements-headwater.txt").read_text("utf-8")


def test_a_path_with_a_space_becomes_a_url(tmp_path: Path) -> None:
    """pip splits such a path in two; a file URL is taken by pip and uv."""
    kit = make_kit(tmp_path / "Ana's kits" / "my kit")
    requirement = requirement_of(copy(kit, tmp_path / "my-app"))
    assert requirement == f"-e {kit.as_uri()}"


def test_a_git_address_is_that_commit(kit: Path, tmp_path: Path) -> None:
    """A kit that git fetched is depended on at the very commit that was rendered."""
    project = copy(f"git+file://{kit}", tmp_path / "my-app")
    head = git(kit, "rev-parse", "HEAD")
    assert requirement_of(project) == f"headwater @ git+file://{kit}@{head}"


def test_a_release_is_a_version(tmp_path: Path) -> None:
    """An install's data folder has no address; what `headwater new` says about it is taken."""
    kit = make_kit(tmp_path / "kit")
    for name in ("pyproject.toml", ".git"):
        (kit / name).rename(tmp_path / name)
    assert requirement_of(copy(kit, tmp_path / "one")) == "headwater"
    project = copy(kit, tmp_path / "two", kit_requirement="headwater==0.1.0")
    assert requirement_of(project) == "headwater==0.1.0"
    assert "has no history" in (project / "README.md").read_text("utf-8")


def test_a_bare_copy_takes_the_last_tag(tmp_path: Path) -> None:
    """Without -r Copier takes the last tag; with -r HEAD the newest state, dirty or not."""
    kit = make_kit(tmp_path / "kit")
    git(kit, "tag", "v0.1.0")
    mark(kit, "After the tag.")
    commit(kit, "Go on")
    mark(kit, "Not committed.")
    tagged, head = copy(kit, tmp_path / "tagged"), copy(kit, tmp_path / "head", "HEAD")
    assert "After the tag." not in (tagged / "Makefile").read_text("utf-8")
    assert recorded(tagged)["_commit"] == "v0.1.0"
    assert "# After the tag.\n\n# Not committed." in (head / "Makefile").read_text("utf-8")


def test_a_bare_copy_without_any_tag_takes_the_newest_commit(tmp_path: Path) -> None:
    """A kit that has never been tagged gives HEAD, not an error."""
    kit = make_kit(tmp_path / "kit")
    mark(kit, "Second commit.")
    commit(kit, "Go on")
    project = copy(kit, tmp_path / "my-app")
    assert "Second commit." in (project / "Makefile").read_text("utf-8")
