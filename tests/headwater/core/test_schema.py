"""Tables as classes: documents, models, ids, indexes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headwater import Document, Id, Index, Model
from headwater.core.schema import stored_form
from headwater.errors import RegistrationError


class Task(Document, table="tasks"):
    """A table with a field of each presence."""

    title: str
    project_id: str | None = None
    note: str | None
    by_project = Index("project_id", "title")


class Urgent(Task, table="urgent"):
    """A table that inherits fields and indexes."""

    by_title = Index("title")


class Size(Model):
    """A nested object."""

    width_mm: float
    depth_mm: float | None = None


def test_a_document_is_read_only() -> None:
    """Assigning names the call that writes."""
    task = Task(title="a", note=None)
    with pytest.raises(AttributeError, match=r"ctx\.db\.patch\(task\.id, title=\.\.\.\)"):
        task.title = "b"


def test_a_document_knows_its_table_and_indexes() -> None:
    """Indexes are inherited, the table's name is not."""
    assert (Task.table_name, Urgent.table_name) == ("tasks", "urgent")
    assert list(Task.table_indexes) == ["by_project"]
    assert set(Urgent.table_indexes) == {"by_project", "by_title"}


def test_an_index_has_fields() -> None:
    """One without is refused, with an example."""
    with pytest.raises(RegistrationError, match=r"Index\('assignee'\)"):
        Index()


def test_absent_fields_are_left_out_and_nulls_kept() -> None:
    """None of an optional field is absent on the wire; None of a nullable one is null."""
    dumped = Task(title="a", note=None).model_dump(by_alias=True)
    assert "projectId" not in dumped
    assert dumped["note"] is None
    assert Size(width_mm=1.0).model_dump(by_alias=True) == {"widthMm": 1.0}


@pytest.mark.parametrize("fields", [{"width_mm": 1.0, "colour": "red"}, {"width_mm": "1"}, {}])
def test_models_take_their_fields_and_no_others(fields: dict[str, Any]) -> None:
    """An extra field, a text for a number and a missing field are refused."""
    with pytest.raises(ValidationError):
        Size(**fields)


def test_models_take_both_spellings() -> None:
    """Python names and wire names."""
    assert Size.model_validate({"widthMm": 1.0}) == Size(width_mm=1.0)


def test_an_id_is_a_text() -> None:
    """It can be sent, compared and kept like one."""
    assert Id[Task]("abc") == "abc"


def test_a_document_made_by_hand_has_no_stored_form() -> None:
    """Only what was read is joined into results as it was stored."""
    assert stored_form(Task(title="a", note=None)) is None
    assert stored_form("a text") is None
