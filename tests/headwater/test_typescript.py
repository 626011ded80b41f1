"""TypeScript from a manifest, as text; tests/scenarios/test_typed_frontend.py has tsc judge it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from headwater.core.manifest import (
    FunctionSpec,
    IndexSpec,
    Manifest,
    SearchIndexSpec,
    TableSpec,
)
from headwater.core.validators import (
    AnyValue,
    Array,
    Boolean,
    Bounds,
    Bytes,
    Field,
    IdOf,
    Int64Validator,
    Literal,
    Null,
    Number,
    Object,
    Record,
    String,
    Union,
    Validator,
)
from headwater.core.values import Int64
from headwater.ts_types import Types
from headwater.typescript import MARK, files

FIELDS = {"title": Field(String()), "done": Field(Boolean(), optional=True)}
SYSTEM = {"_id": Field(IdOf("tasks")), "_creationTime": Field(Number())}
TASK = Object({**SYSTEM, **FIELDS}, "tasks")
INDEXES = (IndexSpec("by_title", ("title",)), IndexSpec("by_later", ("done",), staged=True))
SEARCHES = (SearchIndexSpec("search_title", "title", ("done",)), SearchIndexSpec("any", "title"))
TASKS = TableSpec("tasks", Object(FIELDS), INDEXES, SEARCHES)
LIST = FunctionSpec("tasks:list", "query", "public", Object(), Array(TASK), doc="All of them.")
CLEAN = FunctionSpec("admin/tasks:clean", "mutation", "internal", Object(), Null())


def manifest(*functions: FunctionSpec) -> Manifest:
    """A backend of the tasks table and these functions."""
    return Manifest({"tasks": TASKS}, {spec.path: spec for spec in functions})


def api(*functions: FunctionSpec) -> str:
    """The text of api.d.ts for these functions."""
    return files(manifest(*functions))["api.d.ts"]


def test_functions_are_reached_by_module_and_name() -> None:
    """Public ones through `api`, internal ones through `internal`, folders as steps."""
    public, _, internal = api(LIST, CLEAN).partition("export declare const internal")
    assert (
        "  tasks: {\n    /** All of them. */\n"
        '    list: FunctionReference<"query", "public", Record<string, never>, '
        'Array<Doc<"tasks">>>;'
    ) in public
    assert "clean" not in public
    assert (
        "  admin: {\n    tasks: {\n"
        '      clean: FunctionReference<"mutation", "internal", Record<string, never>, null>;'
    ) in internal


@pytest.mark.parametrize(
    ("validator", "text"),
    [
        (AnyValue(), "any"),
        (Null(), "null"),
        (Number(integer=True, bounds=Bounds(ge=1)), "number"),
        (Int64Validator(), "bigint"),
        (Bytes(), "ArrayBuffer"),
        (IdOf("tasks"), 'Id<"tasks">'),
        (IdOf("_storage"), 'Id<"_storage">'),
        (IdOf("elsewhere"), 'GenericId<"elsewhere">'),
        (IdOf(None), "GenericId<string>"),
        (Literal('say "hi"\n'), r'"say \"hi\"\n"'),
        (Literal(True), "true"),
        (Literal(-2.0), "-2"),
        (Literal(1e300), "1e+300"),
        (Literal(math.nan), "number"),
        (Literal(Int64(2**62)), "4611686018427387904n"),
        (Array(Union((String(), Null()))), "Array<string | null>"),
        (Record(IdOf("tasks"), Number()), 'Record<Id<"tasks">, number>'),
        (Union((Number(), Number(integer=True), Null())), "number | null"),
        (Union(()), "never"),
        (Object(), "Record<string, never>"),
        (TASK, 'Doc<"tasks">'),
        (
            Object({"a b": Field(String()), "c": Field(Bytes(), optional=True)}),
            '{ "a b": string; c?: ArrayBuffer }',
        ),
    ],
)
def test_each_validator_has_its_type(validator: Validator, text: str) -> None:
    """As the official client gives and takes such values."""
    assert Types(manifest()).text(validator, 0) == text


@pytest.mark.parametrize(
    "shape",
    [
        Object(TASK.fields, "_storage"),  # a system table: `Doc` does not know it
        Object({**TASK.fields, "more": Field(Null())}, "tasks"),  # not all it has, not only that
        Object(TASK.fields, "gone"),
        Object(TASK.fields),
    ],
)
def test_only_a_table_s_own_document_is_called_so(shape: Object) -> None:
    """Another shape is spelled out, though it says it is a document."""
    assert "title: string" in Types(manifest()).text(shape, 0)


def test_long_objects_get_a_line_per_member() -> None:
    """Nobody reads lines of hundreds of characters."""
    wide = Object({f"field{n}": Field(Object({"inner": Field(String())})) for n in range(4)})
    lines = Types(manifest()).text(wide, 2).splitlines()
    assert lines[:2] == ["{", "    field0: { inner: string };"]
    assert lines[-1] == "  }"


def test_tables_have_documents_and_indexes() -> None:
    """With system fields, the creation time at the end of each index; no staged index."""
    text = files(manifest())["dataModel.d.ts"]
    assert 'document: { _id: GenericId<"tasks">; _creationTime: number; title: string; ' in text
    assert "done?: boolean" in text
    assert 'by_title: ["title", "_creationTime"];' in text
    assert 'fieldPaths: "_creationTime" | "_id" | "done" | "title";' in text
    assert "by_later" not in text
    assert 'search_title: { searchField: "title"; filterFields: "done" };' in text
    assert 'any: { searchField: "title"; filterFields: never };' in text


def test_paths_lead_into_nested_fields() -> None:
    """Through unions and objects; a record's keys may be any text."""
    inner = Union((Object({"street": Field(String())}), Null()))
    fields = {"home": Field(inner), "`$": Field(Record(String(), Number()))}
    table = TableSpec("people", Object(fields))
    text = files(Manifest({"people": table}))["dataModel.d.ts"]
    assert '"home" | "home.street"' in text
    assert "`\\`\\$.${string}`" in text


def test_an_undeclared_shape_is_any() -> None:
    """A table of any documents is one of `any`."""
    assert "document: any;" in files(Manifest({"notes": TableSpec("notes")}))["dataModel.d.ts"]


def test_text_depends_on_the_manifest_alone() -> None:
    """Not on where in its file a function stands, nor on the line."""
    moved = replace(LIST, source="backend/tasks.py:99")
    assert api(CLEAN, moved) == api(LIST, CLEAN)


def test_docstrings_become_comments_and_end_where_we_say() -> None:
    """A comment's end inside one is taken apart."""
    text = api(replace(LIST, doc="First */ line.\n\n  Second.\n"))
    assert "/**\n     * First * / line.\n     *\n     *   Second.\n     */\n    list:" in text


def test_an_empty_backend_is_an_empty_api() -> None:
    """Nothing imported, nothing in it."""
    text = files(Manifest())["api.d.ts"]
    assert "export declare const api: {};" in text
    assert "import" not in text
    assert "export type DataModel = {};" in files(Manifest())["dataModel.d.ts"]


def test_every_file_says_that_it_is_generated() -> None:
    """So that nobody edits it, and nobody's own file is taken for one."""
    assert all(MARK in text for text in files(manifest()).values())
