"""The tables a backend declares: their fields and indexes, and how sure of them the checker is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from headwater.check.project import Module, Project, unquoted
from headwater.check.scopes import Value

_PLAIN_BASES = {"headwater.Document", "headwater.Model", "pydantic.BaseModel", "typing.Generic"}
_PLAIN_CALLS = ("builtins.", "pydantic.", "typing.")


@dataclass(frozen=True)
class TableIndex:
    """An index: its fields as written, or None where they are not plain strings.

    Attributes:
        filters: fields a search index may filter by, None where they are not plain strings.
    """

    name: str
    fields: tuple[str, ...] | None
    is_search: bool = False
    filters: tuple[str, ...] | None = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The fields in the index's order; every index ends with the creation time."""
        return (*(self.fields or ()), "creation_time")


@dataclass(frozen=True)
class IndexField:
    """A field named in an index, and where."""

    name: str
    node: ast.expr


@dataclass
class Table:
    """A document class.

    Attributes:
        certain: nothing adds fields or indexes that cannot be seen.
        flags: the fields that are a bool, and nothing else.
    """

    class_name: str
    path: str
    name: str | None = None
    fields: set[str] = field(default_factory=set)
    indexes: dict[str, TableIndex] = field(default_factory=dict)
    index_fields: list[IndexField] = field(default_factory=list)
    certain: bool = True
    literals: dict[str, set[object]] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def index(self, name: str) -> TableIndex | None:
        """The index of this name; two are built in."""
        built_in = {"by_creation_time": (), "by_id": ("id",)}
        if name in built_in:
            return TableIndex(name, built_in[name])
        return self.indexes.get(name)

    def named_by(self) -> str:
        """How a message calls the table."""
        return self.class_name


@dataclass
class Tables:
    """The tables of a project, by class and by name."""

    by_class: dict[str, Table]

    def by_name(self, name: str) -> Table | None:
        """The one table of this name; None where several classes claim it."""
        found = [table for table in self.by_class.values() if table.name == name]
        return found[0] if len(found) == 1 else None


def read_tables(project: Project) -> Tables:
    """Every class of the backend that derives from Document."""
    reader = _Reader(project)
    return Tables({q: reader.table(q) for q in project.classes if reader.is_document(q)})


class _Reader:
    def __init__(self, project: Project) -> None:
        self._project = project

    def is_document(self, qualname: str, depth: int = 0) -> bool:
        """True when some base, near or far, is headwater.Document."""
        if qualname == "headwater.Document":
            return True
        if qualname not in self._project.classes or depth > 20:
            return False
        bases = self._project.bases(qualname)
        return any(base and self.is_document(base, depth + 1) for base in bases)

    def table(self, qualname: str, depth: int = 0) -> Table:
        """What the class and its bases declare."""
        module, node = self._project.classes[qualname]
        table = Table(node.name, module.source.path, self._table_name(module, node))
        for base in self._project.bases(qualname):
            if base in self._project.classes and depth < 20:
                self._inherit(table, self.table(base, depth + 1))
            elif base not in _PLAIN_BASES:
                table.certain = False
        if node.decorator_list:
            table.certain = False
        for statement in _flat(node.body):
            self._statement(table, module, statement)
        return table

    def _inherit(self, table: Table, base: Table) -> None:
        table.fields |= base.fields
        table.flags |= base.flags
        table.literals = {**base.literals, **table.literals}
        table.indexes = {**base.indexes, **table.indexes}
        table.certain = table.certain and base.certain

    def _table_name(self, module: Module, node: ast.ClassDef) -> str | None:
        for keyword in node.keywords:
            if keyword.arg == "table" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        return None

    def _statement(self, table: Table, module: Module, statement: ast.stmt) -> None:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, value = statement.target.id, statement.value
            if not self._index(table, module, name, value) and not name.startswith("_"):
                table.fields.add(name)
                if getattr(statement.annotation, "id", "") == "bool":
                    table.flags.add(name)
                choices = self._choices(module, statement.annotation)
                if choices:
                    table.literals[name] = choices
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
            if not self._index(table, module, name, value):
                table.certain = table.certain and self._is_plain(module, value)
        elif isinstance(statement, ast.For | ast.While | ast.With | ast.Assign):
            table.certain = False

    def _choices(self, module: Module, annotation: ast.expr, depth: int = 0) -> set[object] | None:
        """The values of `Literal[...]`, `... | None` included; None for every other type."""
        annotation = unquoted(annotation)
        if isinstance(annotation, ast.Constant) and annotation.value is None:
            return {None}
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            left = self._choices(module, annotation.left, depth)
            right = self._choices(module, annotation.right, depth)
            return left | right if left is not None and right is not None else None
        if isinstance(annotation, ast.Subscript):
            if self._project.origin(annotation.value, module) != "typing.Literal":
                return None
            inner = annotation.slice
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            plain = [item.value for item in items if isinstance(item, ast.Constant)]
            return set(plain) if len(plain) == len(items) else None
        if isinstance(annotation, ast.Name) and depth < 5:
            bindings = module.scope.names.get(annotation.id, [])
            only = bindings[0] if len(bindings) == 1 else None
            if isinstance(only, Value):
                return self._choices(module, only.expr, depth + 1)
        return None

    def _index(self, table: Table, module: Module, name: str, value: ast.expr | None) -> bool:
        """Add an index if the value is one."""
        if not isinstance(value, ast.Call):
            return False
        maker = self._project.origin(value.func, module) or ""
        if maker not in ("headwater.Index", "headwater.SearchIndex", "headwater.VectorIndex"):
            return False
        is_search = maker != "headwater.Index"
        args, more = _search_args(value) if is_search else (value.args, [])
        fields, filters = _plain(args), _plain(more)
        table.indexes[name] = TableIndex(name, _names(fields), is_search, _names(filters))
        table.index_fields += [*(fields or ()), *(filters or ())]
        return True

    def _is_plain(self, module: Module, value: ast.expr) -> bool:
        """True for a value that certainly is no index."""
        if not isinstance(value, ast.Call):
            return isinstance(value, ast.Constant | ast.Dict | ast.List | ast.Tuple | ast.Set)
        return (self._project.origin(value.func, module) or "").startswith(_PLAIN_CALLS)


def _search_args(call: ast.Call) -> tuple[list[ast.expr], list[ast.expr]]:
    """The text field of SearchIndex(...), and its filter fields."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given = dict(zip(("field", "filter_fields"), call.args, strict=False)) | named
    text, filters = given.get("field"), given.get("filter_fields")
    if isinstance(filters, ast.Tuple | ast.List):
        return [text] if text else [], filters.elts
    return [text] if text else [], [call] if filters or None in named else []  # [call]: unknown


def _plain(args: list[ast.expr]) -> list[IndexField] | None:
    """The fields that constants name, None where something else does."""
    values = [arg.value if isinstance(arg, ast.Constant) else None for arg in args]
    if not all(isinstance(value, str) for value in values):
        return None
    return [IndexField(str(value), arg) for value, arg in zip(values, args, strict=True)]


def _names(fields: list[IndexField] | None) -> tuple[str, ...] | None:
    return None if fields is None else tuple(field.name for field in fields)


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a class body, those below `if` and `try` too."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _flat(statement.body + statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from _flat(statement.body + statement.orelse + statement.finalbody)
        else:
            yield statement
