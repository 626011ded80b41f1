"""`headwater check`: findings for people and programs, and exit codes that tell them apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner, Result

from headwater.cli.check import check
from headwater.rules import RULES

PROGRAM = """
import os, sys
from headwater.cli import main

def end(code):
    loaded = [name for name in ("typer", "rich", "pydantic") if name in sys.modules]
    print(loaded, file=sys.stderr)
    sys.exit(code)

os._exit = end
sys.argv = ["headwater", "check", *sys.argv[1:]]
main()
"""
"""`headwater check` in a process, which tells at its end what it has loaded."""

app = typer.Typer()
app.command()(check)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one error and one warning, as the current folder."""
    backend = tmp_path / "backend"
    (backend / "lib").mkdir(parents=True)
    (backend / "web.py").write_text("from fastapi import HTTPException\n")
    (backend / "lib" / "tasks.py").write_text(
        "from headwater import query\n\n\n@query\nasync def get(ctx, title) -> str: ...\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    """The command with these arguments."""
    return CliRunner().invoke(app, args)


def test_findings_are_printed_and_counted(project: Path) -> None:
    """Each message whole, then how many; exit code 1."""
    done = run()
    assert done.exit_code == 1
    assert "HW103 backend/lib/tasks.py:5:20  query lib/tasks:get\n  What: parameter title" in (
        done.stdout
    )
    assert done.stdout.endswith("1 error, 1 warning\n")


def test_long_sentences_are_not_broken(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line may be longer than the terminal: what is copied stays whole."""
    monkeypatch.setenv("COLUMNS", "40")
    what = "  What: parameter title has no type; the signature is what refuses wrong calls."
    assert what in run().stdout.splitlines()


def test_json_is_a_list_of_findings(project: Path) -> None:
    """The same findings, for programs."""
    done = run("--json")
    assert done.exit_code == 1
    assert [(f["code"], f["path"]) for f in json.loads(done.stdout)] == [
        ("HW103", "backend/lib/tasks.py"),
        ("HW101", "backend/web.py"),
    ]


def test_no_findings_is_success(project: Path) -> None:
    """Exit code 0, and a sentence or an empty list."""
    (project / "backend" / "web.py").unlink()
    (project / "backend" / "lib" / "tasks.py").unlink()
    assert (run().exit_code, json.loads(run("--json").stdout)) == (0, [])
    assert run().stdout.startswith("No findings")


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("backend/web.py", ["HW101"]),
        ("backend/lib", ["HW103"]),
        ("backend", ["HW103", "HW101"]),
        (".", ["HW103", "HW101"]),
        ("other.py", []),
    ],
)
def test_paths_limit_what_is_reported(project: Path, path: str, codes: list[str]) -> None:
    """The whole backend is read, for helpers may be anywhere; only these files are reported."""
    (project / "other.py").write_text("import flask\n")
    done = run("--json", path)
    assert [finding["code"] for finding in json.loads(done.stdout)] == codes


def test_it_works_from_below_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project is found upwards; paths in messages stay relative to it."""
    monkeypatch.chdir(project / "backend" / "lib")
    (finding,) = json.loads(run("--json", "tasks.py").stdout)
    assert finding["path"] == "backend/lib/tasks.py"


def test_a_path_that_is_not_there_is_a_usage_error(project: Path) -> None:
    """Exit code 2, and the path."""
    done = run("backend/gone.py")
    assert done.exit_code == 2
    assert done.stderr.endswith("backend/gone.py does not exist\n")


def test_no_backend_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and what to do."""
    monkeypatch.chdir(tmp_path)
    done = run()
    assert done.exit_code == 2
    assert "no backend/ folder" in done.stderr


def test_sarif_has_the_shape_that_code_hosts_read(project: Path) -> None:
    """Version, one run, each result with a rule of the list, a level, a text and a place."""
    done = run("--sarif")
    log = json.loads(done.stdout)
    (made,) = log["runs"]
    rules = made["tool"]["driver"]["rules"]
    assert (done.exit_code, log["version"]) == (1, "2.1.0")
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert [rule["id"] for rule in rules] == list(RULES)
    for result in made["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"].startswith("What: ")
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert (project / place["artifactLocation"]["uri"]).is_file()
        assert min(place["region"].values()) >= 1


FORGETFUL = """\
from headwater import Document, Id, Index, MutationCtx, mutation


class Task(Document, table="tasks"):
    title: str
    by_title = Index("title", "creation_time")


@mutation
async def remove(ctx: MutationCtx, id: Id[Task], then: Id[Task]) -> None:
    \"\"\"Gone for good.\"\"\"
    if id != "ö": ctx.db.delete(id)
    task = ctx.db.get(then)
    return ctx.db.patch(
        then, title=task.title
    )
"""


def test_fix_mends_what_needs_no_judgement(project: Path) -> None:
    """Awaits and indexes; it shows the lines, leaves the rest to people, and is done after one."""
    path = project / "backend" / "tasks.py"
    path.write_text(FORGETFUL, encoding="utf-8")
    done = run("--fix", "backend/tasks.py")
    mended = path.read_text(encoding="utf-8")
    assert '    by_title = Index("title")\n' in mended
    assert '    if id != "ö": await ctx.db.delete(id)\n' in mended
    assert "    return await ctx.db.patch(\n" in mended
    assert "    task = ctx.db.get(then)\n" in mended
    assert '+    if id != "ö": await ctx.db.delete(id)\n' in done.stdout
    assert (done.exit_code, done.stdout.count("HW205 ")) == (1, 1)
    assert "+++" not in run("--fix").stdout
    assert path.read_text(encoding="utf-8") == mended


def test_fix_changes_no_other_file_than_asked_for(project: Path) -> None:
    """Paths limit what is written as they limit what is reported."""
    path = project / "backend" / "tasks.py"
    path.write_text(FORGETFUL, encoding="utf-8")
    run("--fix", "backend/web.py")
    assert path.read_text(encoding="utf-8") == FORGETFUL


@pytest.mark.parametrize(("words", "code"), [(["--json"], 1), (["backend/lib"], 1), (["gone"], 2)])
def test_the_program_checks_without_its_libraries(
    project: Path, words: list[str], code: int
) -> None:
    """An edit hook waits for it: the same output and exit code, and nothing loaded for colours."""
    command = [sys.executable, "-c", PROGRAM, *words]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    done = run(*words)
    assert (ended.returncode, done.exit_code) == (code, code), ended.stderr
    assert ended.stdout == done.stdout
    assert ended.stderr.splitlines()[-1] == "[]"


REFUSED = """\
from headwater import Document, Index

name = "tilte"
print("imported")


class Task(Document, table="tasks"):
    title: str
    by_title = Index(name)
"""


def test_a_load_finds_what_no_reading_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with --load is anything imported; what it prints does not stand in the answer."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "schema.py").write_text(REFUSED)
    monkeypatch.chdir(tmp_path)
    assert (run().exit_code, run().stderr) == (0, "")
    done = run("--load", "--json")
    (told,) = json.loads(done.stdout)
    assert (told["code"], told["stage"], told["line"]) == ("HW401", "R", 9)
    assert (done.exit_code, done.stderr) == (1, "imported\n")


def test_a_load_tells_once_what_both_stages_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that does not import is told with its line, a misspelt field by one finding."""
    (tmp_path / "backend").mkdir()
    schema = tmp_path / "backend" / "schema.py"
    schema.write_text(REFUSED.replace("Index(name)", 'Index("tilte")'))
    monkeypatch.chdir(tmp_path)
    found = json.loads(run("--load", "--json").stdout)
    assert [(f["code"], f["stage"]) for f in found if f["code"] == "HW401"] == [("HW401", "S")]
    schema.write_text("import nothing_of_this_name\n")
    (told,) = json.loads(run("--load", "--json").stdout)
    assert (told["code"], told["path"], told["line"]) == ("HW000", "backend/schema.py", 1)


TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "integer", "minimum": 1}


def closed(**properties: object) -> dict[str, object]:
    """An object with these keys and no others; `region` alone may be left out."""
    required = [name for name in properties if name not in ("region", "startColumn")]
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": required}


def each(item: object) -> dict[str, object]:
    """A list of these."""
    return {"type": "array", "items": item}


LEVEL = {"enum": ["error", "warning"]}
RULE = closed(
    id=TEXT,
    name=TEXT,
    shortDescription=closed(text=TEXT),
    fullDescription=closed(text=TEXT),
    help=closed(text=TEXT),
    defaultConfiguration=closed(level=LEVEL),
)
PLACE = closed(
    artifactLocation=closed(uri=TEXT), region=closed(startLine=NUMBER, startColumn=NUMBER)
)
RESULT = closed(
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=closed(text=TEXT),
    locations=each(closed(physicalLocation=PLACE)),
)
DRIVER = closed(name=TEXT, semanticVersion=TEXT, rules=each(RULE))
SARIF = closed(
    **{"$schema": TEXT},
    version={"const": "2.1.0"},
    runs=each(
        closed(
            tool=closed(driver=DRIVER),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results=each(RESULT),
        )
    ),
)
"""The part of SARIF's published schema that we use, with every other key refused."""


def test_sarif_holds_no_key_that_its_schema_has_not(project: Path) -> None:
    """A misspelt one would be dropped without a word by whoever reads it."""
    jsonschema.validate(json.loads(run("--sarif").stdout), SARIF)
