"""What a validator is in TypeScript."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from headwater.core import validators
from headwater.core.codecs import Codecs
from headwater.core.manifest import Manifest
from headwater.core.pagination import PaginationOptions
from headwater.core.system import SYSTEM_SPECS
from headwater.core.validators import Array, IdOf, Literal, Object, Record, Union, Validator
from headwater.core.values import SAFE_INTEGER, Int64

_WIDTH = 88
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PAGE = {"page", "isDone", "continueCursor", "splitCursor", "pageStatus"}
_EMPTY = "Record<string, never>"
_PLAIN: dict[type[Validator], str] = {
    validators.AnyValue: "any",
    validators.Null: "null",
    validators.Boolean: "boolean",
    validators.Number: "number",
    validators.Int64Validator: "bigint",
    validators.String: "string",
    validators.Bytes: "ArrayBuffer",
}


def quoted(text: str) -> str:
    """A text as a string literal, in ASCII."""
    return json.dumps(text)


def key(name: str) -> str:
    """A name as a member of an object type; quoted where it is no identifier."""
    return name if _IDENTIFIER.fullmatch(name) else quoted(name)


def members(rows: list[str], indent: int, *, wide: bool = False) -> str:
    """An object type of these members, on one line where it fits.

    Args:
        rows: `name: type`, the type already laid out for `indent + 2`.
        indent: of the line the object begins in.
        wide: a line for each member, however short.
    """
    if not rows:
        return "{}"
    flat = f"{{ {'; '.join(rows)} }}"
    if not wide and "\n" not in flat and len(flat) + indent <= _WIDTH:
        return flat
    pad = " " * (indent + 2)
    return "{\n" + "".join(f"{pad}{row};\n" for row in rows) + " " * indent + "}"


class Types:
    """The TypeScript of a backend's validators.

    Args:
        manifest: whose tables may be named.
        documents: write a whole document of a table as `Doc<"tasks">`, and ids as `Id<"tasks">`;
            else all is spelled out with the official client's own `GenericId`.
    """

    def __init__(self, manifest: Manifest, *, documents: bool = True) -> None:
        self._tables = manifest.tables
        self._documents = documents
        self._writers: dict[type[Validator], Callable[[Any, int], str]] = {
            IdOf: self._id,
            Literal: _literal,
            Array: lambda array, indent: f"Array<{self.text(array.item, indent)}>",
            Record: self._record,
            Object: self._object,
            Union: self._union,
        }

    def text(self, validator: Validator, indent: int) -> str:
        """A validator as a type; lines after the first are indented so far."""
        kind = type(validator)
        plain = _PLAIN.get(kind)
        return plain if plain is not None else self._writers[kind](validator, indent)

    def _id(self, validator: IdOf, _indent: int) -> str:
        if validator.table is None:
            return "GenericId<string>"
        known = validator.table in self._tables or validator.table in SYSTEM_SPECS
        return f"{'Id' if known and self._documents else 'GenericId'}<{quoted(validator.table)}>"

    def _record(self, record: Record, indent: int) -> str:
        return f"Record<{self.text(record.keys, indent)}, {self.text(record.values, indent)}>"

    def _union(self, union: Union, indent: int) -> str:
        texts = [self.text(member, indent) for member in union.members]
        return " | ".join(dict.fromkeys(texts)) or "never"

    def _object(self, shape: Object, indent: int) -> str:
        if not shape.fields:
            return _EMPTY
        if self._documents and self._is_document(shape):
            return f"Doc<{quoted(shape.document or '')}>"
        if shape == _pagination_options():
            return "PaginationOptions"
        page = shape.fields.get("page")
        if shape.fields.keys() == _PAGE and page and isinstance(page.validator, Array):
            return f"PaginationResult<{self.text(page.validator.item, indent)}>"
        return members([self._member(*item, indent + 2) for item in shape.fields.items()], indent)

    def _member(self, name: str, member: validators.Field, indent: int) -> str:
        mark = "?" if member.optional else ""
        return f"{key(name)}{mark}: {self.text(member.validator, indent)}"

    def _is_document(self, shape: Object) -> bool:
        """Whether it is all of a table's document: then the table's own type says it."""
        table = self._tables.get(shape.document or "")
        if table is None or not isinstance(table.document, Object):
            return False
        own = {name: one for name, one in shape.fields.items() if name[0] != "_"}
        return own == table.document.fields and {"_id", "_creationTime"} <= shape.fields.keys()


@cache
def _pagination_options() -> Validator:
    # The hooks of the official client ask for this very type by name, not for one like it.
    return Codecs().of(PaginationOptions, "pagination options").validator


def _literal(literal: Literal, _indent: int) -> str:
    value = literal.value
    if isinstance(value, Int64):
        return f"{int(value)}n"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "number"  # there is no type of exactly NaN or infinity
    whole = value.is_integer() and abs(value) <= SAFE_INTEGER
    return str(int(value)) if whole else repr(value)
