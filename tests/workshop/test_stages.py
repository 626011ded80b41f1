"""Stages: files over files, and a complete backend that is never stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop import kit, stages
from headwater_workshop.lessons import load_lessons

LESSONS = load_lessons()


def test_stage_0_is_the_template() -> None:
    """Nothing is laid over the workshop's backend before the first lesson."""
    assert stages.stage(0) == stages.template_tree("workshop")
    assert "backend/schema.py" in stages.stage(0)


def test_a_stage_is_the_one_before_with_starter_and_solution_over_it() -> None:
    """The formula, file by file."""
    for lesson in LESSONS:
        laid = stages.stage(lesson.number - 1) | lesson.overlay("starter")
        assert stages.started(lesson) == laid
        assert stages.stage(lesson.number) == laid | lesson.overlay("solution")


def test_a_variant_differs_from_the_solution_in_its_own_files_only() -> None:
    """Each wrong and each further right solution is laid over the finished lesson."""
    for lesson in LESSONS:
        for name in lesson.wrong:
            files = lesson.overlay(f"wrong/{name}")
            tree, solved = stages.variant(lesson, f"wrong/{name}"), stages.stage(lesson.number)
            assert {path for path in tree if tree[path] != solved.get(path)} == set(files)


def test_the_complete_backend_in_the_template_is_not_stale() -> None:
    """It is what the lessons make; `make complete` builds it again."""
    assert stages.stale() == []


def test_building_mends_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed file is written again, a missing one too, and a stray one removed."""
    root = kit.kit_root()
    kit.write_tree(
        {f"template/{k}": v for k, v in kit.read_folder(root / "template").items()}, tmp_path
    )
    monkeypatch.setattr(stages, "kit_root", lambda: tmp_path)
    backend = stages.template_folder("complete", "backend")
    (backend / "tasks.py").write_text("# old\n")
    (backend / "schema.py").unlink()
    (backend / "stray.py").write_text("")
    changed = ["backend/schema.py", "backend/stray.py", "backend/tasks.py"]
    assert stages.main(["check"]) == 1
    assert stages.build() == changed
    assert stages.stale() == []
    assert not (backend / "stray.py").exists()
    assert stages.main(["check"]) == 0


def test_unknown_words_are_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The program says what it can do, and exits with 2."""
    assert stages.main(["bulid"]) == 2
    assert "build|check" in capsys.readouterr().err


def test_a_kit_without_the_complete_backend_gets_it_for_copier(tmp_path: Path) -> None:
    """A wheel carries no solution in plain text, and can render a complete project all the same."""
    workshop = stages.template_folder("workshop", "backend", tmp_path)
    kit.write_tree({"tasks.py": b""}, workshop)
    with stages.template_source(tmp_path) as source:
        assert source != tmp_path
        laid = kit.read_folder(stages.template_folder("complete", "backend", source))
        assert laid == {
            name.removeprefix("backend/"): content
            for name, content in stages.complete().items()
            if name.startswith("backend/")
        }
    assert not source.exists()


def test_a_checkout_is_rendered_as_it_is() -> None:
    """Copier gets the repository itself, so that updates work later."""
    with stages.template_source(kit.kit_root()) as source:
        assert source == kit.kit_root()
