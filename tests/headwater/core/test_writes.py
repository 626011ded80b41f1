"""Documents on their way into a table."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.core.manifest import TableSpec
from headwater.core.validators import Field, Null, Number, Object, String, Union
from headwater.core.writes import checked_document, patched
from headwater.errors import DocumentInvalid

TABLE = TableSpec(
    "tasks",
    Object(
        {
            "title": Field(String()),
            "rankInList": Field(Number(), optional=True),
            "note": Field(Union((String(), Null()))),
        }
    ),
)
OLD = {"title": "a", "rankInList": 1.0, "note": "n"}


def patch(*removed: str, **changes: Any) -> dict[str, Any]:
    """The old fields, patched."""
    return patched(TABLE, OLD, changes, removed)


def test_a_patch_changes_what_it_names() -> None:
    """Nothing else; an empty one nothing at all."""
    assert patch(title="b") == {**OLD, "title": "b"}
    assert patch() == OLD


def test_none_removes_an_optional_field() -> None:
    """In Python None is absent there; of a nullable field it is the value null."""
    assert "rankInList" not in patch(rankInList=None)
    assert patch(note=None)["note"] is None


def test_a_removed_field_is_absent() -> None:
    """Also one that was not there."""
    assert patch("rankInList", "nothing") == {"title": "a", "note": "n"}


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    """In Python's spelling."""
    with pytest.raises(
        DocumentInvalid, match=r"no field `rank_in_lst`\. Did you mean `rank_in_list`"
    ):
        patch(rankInLst=1.0)


def check(fields: dict[str, Any], table: TableSpec = TABLE) -> dict[str, Any]:
    """The document with its system fields."""
    system = {"_id": "x", "_creationTime": 1.0}
    return checked_document(table, fields, system, lambda _text: None)


def test_a_document_that_fits_gets_its_system_fields() -> None:
    """Beside its own."""
    assert check(OLD) == {**OLD, "_id": "x", "_creationTime": 1.0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": 1.0, "note": None}, "Expected string, got number: 1.0\nPath: .title"),
        ({"title": "a"}, "missing the required field `note`"),
        ({**OLD, "colour": "red"}, "extra field `colour`"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(fields: dict[str, Any], message: str) -> None:
    """The error names the table, the field and what is expected."""
    with pytest.raises(DocumentInvalid) as error:
        check(fields)
    assert 'in table "tasks"' in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["_mine", "a b", "é", "f" * 65, ""])
def test_fields_have_plain_names(name: str) -> None:
    """In tables that no class declares, too."""
    with pytest.raises(DocumentInvalid, match="a field name is letters, digits and _"):
        check({name: 1.0}, TableSpec("notes"))
