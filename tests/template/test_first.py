"""A project of the first template, used by a learner, after `copier update` and `ai-files update`.

`first/` holds that template as it was, without its lock file. It never changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import warnings
from pathlib import Path

import pytest
from copier import run_update

from tests.scenarios.server_process import foreign
from tests.template.kits import ROOT, commit, copy, git

FIRST = Path(__file__).parent / "first"
BIN = Path(sysconfig.get_path("scripts"))
NOTES = '''\
"""Notes, which the learner invented."""

from headwater import Document, Id, Index, MutationCtx, QueryCtx, mutation, query


class Note(Document, table="notes"):
    owner: str
    text: str
    by_owner = Index("owner")


@query
async def get_notes(ctx: QueryCtx) -> list[Note]:
    """The caller's notes, newest first."""
    identity = await ctx.auth.require_identity()
    notes = ctx.db.query(Note).with_index("by_owner", owner=identity.subject)
    return await notes.order("desc").take(100)


@mutation
async def write_note(ctx: MutationCtx, text: str) -> Id[Note]:
    """Keep a note for the caller."""
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(Note(owner=identity.subject, text=text))
'''
TEST = '''\
"""A note is its writer's."""

from backend.notes import get_notes, write_note

from headwater.testing import Backend


def test_notes_are_their_writer_s(backend: Backend) -> None:
    """Ana sees hers, ben does not."""
    ana, ben = (backend.with_identity(subject=name) for name in ("ana", "ben"))
    ana.mutation(write_note, text="Mine")
    assert [note.text for note in ana.query(get_notes)] == ["Mine"]
    assert ben.query(get_notes) == []
'''
MINE = {
    "AGENTS.md": "\nWe write British English.\n",
    "Makefile": "\nshow: ## what is there\n\tls\n",
    "backend/notes.py": NOTES,
    "tests/test_notes.py": TEST,
}
LESSON = {"backend/tasks.py": "\n\nGREETING = 'a lesson was here'\n"}


def lay_first(kit: Path) -> None:
    """A kit whose last tag is the first template."""
    shutil.copytree(FIRST, kit)
    shutil.copy(ROOT / "template" / "requirements.lock", kit / "template")
    shutil.copy(ROOT / "pyproject.toml", kit)
    git(kit, "init", "--quiet", "--initial-branch=main")
    commit(kit, "First")
    git(kit, "tag", "v0.1.0")


def lay_today(kit: Path) -> None:
    """The same kit, released as it is now."""
    shutil.rmtree(kit / "template")
    shutil.copytree(ROOT / "template", kit / "template")
    shutil.copy(ROOT / "copier.yml", kit)
    commit(kit, "Today")
    git(kit, "tag", "v0.2.0")


def edit(project: Path, edits: dict[str, str]) -> None:
    """What the learner did to the project, committed."""
    for name, text in edits.items():
        with (project / name).open("a", encoding="utf-8") as file:
            file.write(text)
    git(project, "init", "--quiet")
    commit(project, "Mine")


def run(project: Path, *words: str) -> str:
    """What a command of the environment prints in the project; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if not foreign(name)}
    command = [str(BIN / words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=project, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("start", ["workshop", pytest.param("complete", marks=pytest.mark.prove)])
def test_an_old_project_is_brought_up_to_date(tmp_path: Path, start: str) -> None:
    """Its tests pass, the rules are clean and the assistants' file is new; the edits stand."""
    kit, project = tmp_path / "kit", tmp_path / "my-app"
    edits = MINE | (LESSON if start == "workshop" else {})
    lay_first(kit)
    copy(f"git+file://{kit}", project, start=start)
    edit(project, edits)
    lay_today(kit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_update(project, defaults=True, overwrite=True, quiet=True)
    run(project, "headwater", "ai-files", "update")
    run(project, "headwater", "ai-files", "status", "--check")
    run(project, "headwater", "check")
    assert " passed" in run(project, "pytest")
    for name, text in edits.items():
        now = (project / name).read_text("utf-8")
        assert text in now, name
        assert "<<<<<<<" not in now, name
    assert "## Lessons: pair mode" in (project / "AGENTS.md").read_text("utf-8")
    assert "lint:" in (project / "Makefile").read_text("utf-8")
