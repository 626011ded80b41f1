"""Every notebook runs from top to bottom, and is committed clean."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import nbclient
import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """The notebook, checked against the format's schema."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(path: Path) -> list[Any]:
    """Its code cells, in order."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_notebooks_are_numbered_without_a_gap() -> None:
    """A reader sees the order from the names."""
    assert NOTEBOOKS, "no notebook found"
    assert [int(path.stem[:2]) for path in NOTEBOOKS] == list(range(1, len(NOTEBOOKS) + 1))


@each_notebook
def test_a_notebook_runs_and_draws(path: Path, tmp_path: Path) -> None:
    """No cell raises, none prints a warning, and at least one shows a picture."""
    notebook = read(path)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources=resources
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out.text for out in outputs if out.get("name") == "stderr"]
    assert any("image/png" in out.get("data", {}) for out in outputs)


@each_notebook
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    """What a cell printed on somebody's machine is not part of the source."""
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@each_notebook
def test_text_stands_before_code(path: Path) -> None:
    """Each code cell follows a text cell that says what to look for; the first cell is a title."""
    cells = read(path).cells
    assert cells[0].source.startswith("# ")
    for before, cell in pairwise(cells):
        assert cell.cell_type != "code" or before.cell_type == "markdown", cell.source


@each_notebook
def test_cells_are_small_and_assert(path: Path) -> None:
    """A cell has about three lines, and the notebook checks what it says."""
    sizes = [len(cell.source.splitlines()) for cell in code_cells(path)]
    assert median(sizes) <= 6
    assert max(sizes) <= 25
    assert sum("assert " in cell.source for cell in code_cells(path)) >= 3
