"""A loaded backend as plain data: what a host, tools and code generation work from.

Nothing here imports user code. `to_json` and `from_json` carry it between processes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from headwater.core import validators, values
from headwater.core.providers import Provider, provider_json, read_provider
from headwater.core.schedules import Schedule
from headwater.core.validators import AnyValue, Validator

FunctionKind = Literal["query", "mutation", "action"]
Visibility = Literal["public", "internal"]


@dataclass(frozen=True)
class IndexSpec:
    """An index: its fields under wire names, without the creation time every index ends with.

    Attributes:
        staged: it is built, and a query on it refused until it no longer is staged.
    """

    name: str
    fields: tuple[str, ...]
    staged: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        staged = {"staged": True} if self.staged else {}
        return {"name": self.name, "fields": list(self.fields), **staged}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IndexSpec:
        """The index `to_json` made this from."""
        fields = tuple(map(str, data["fields"]))
        return cls(str(data["name"]), fields, bool(data.get("staged")))


BY_CREATION_TIME = IndexSpec("by_creation_time", ())
BY_ID = IndexSpec("by_id", ("_id",))


SEARCHED = "words of "
"""Begins the first of a search index's fields in the catalog; no field's own name has a space."""

ANY = AnyValue()


@dataclass(frozen=True)
class SearchIndexSpec:
    """A search index: its text field and its filter fields, under wire names.

    Attributes:
        staged: it is built, and a search on it refused until it no longer is staged.
    """

    name: str
    field: str
    filters: tuple[str, ...] = ()
    staged: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """What the catalog keeps to tell it from others, ordinary indexes too."""
        return f"{SEARCHED}{self.field}", *self.filters

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        staged = {"staged": True} if self.staged else {}
        about = {"name": self.name, "field": self.field, "filterFields": list(self.filters)}
        return {**about, **staged}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SearchIndexSpec:
        """The search index `to_json` made this from."""
        filters = tuple(map(str, data["filterFields"]))
        return cls(str(data["name"]), str(data["field"]), filters, bool(data.get("staged")))


@dataclass(frozen=True)
class TableSpec:
    """A table: the shape of its documents, without system fields, and its indexes."""

    name: str
    document: Validator = ANY
    indexes: tuple[IndexSpec, ...] = ()
    search_indexes: tuple[SearchIndexSpec, ...] = ()

    @property
    def all_indexes(self) -> tuple[IndexSpec | SearchIndexSpec, ...]:
        """Those of both kinds; no two share a name."""
        return self.indexes + self.search_indexes

    def index(self, name: str) -> IndexSpec | None:
        """The index of this name; `by_creation_time` and `by_id` are built in."""
        if name == BY_CREATION_TIME.name:
            return BY_CREATION_TIME
        if name == BY_ID.name:
            return BY_ID
        return next((index for index in self.indexes if index.name == name), None)

    def search_index(self, name: str) -> SearchIndexSpec | None:
        """The search index of this name."""
        return next((index for index in self.search_indexes if index.name == name), None)


@dataclass(frozen=True)
class FunctionSpec:
    """A function: what a caller must know to call it."""

    path: str
    kind: FunctionKind
    visibility: Visibility
    arguments: Validator
    returns: Validator
    source: str = ""  # backend/tasks.py:12
    doc: str = ""  # the handler's docstring, for tools and generated types

    @property
    def is_public(self) -> bool:
        """True when any client may call it."""
        return self.visibility == "public"


@dataclass(frozen=True)
class CronSpec:
    """A call that repeats: what, when, with which arguments."""

    name: str
    path: str
    schedule: Schedule
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RouteSpec:
    """An HTTP route: a method and a path, parameters in braces."""

    method: str
    path: str


@dataclass(frozen=True)
class Manifest:
    """All that is known of a backend without running it."""

    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    functions: Mapping[str, FunctionSpec] = field(default_factory=dict)
    crons: Mapping[str, CronSpec] = field(default_factory=dict)
    providers: tuple[Provider, ...] = field(default=(), kw_only=True)
    routes: tuple[RouteSpec, ...] = field(default=(), kw_only=True)

    def table(self, name: str) -> TableSpec:
        """The declared table, or one of any documents: undeclared tables are reached by name."""
        return self.tables.get(name) or TableSpec(name)

    @cached_property
    def shapes(self) -> dict[str, str]:
        """A short mark of each declared table's document shape: equal marks, equal shapes."""
        texts = {
            name: json.dumps(table.document.to_json(), sort_keys=True)
            for name, table in self.tables.items()
        }
        return {n: hashlib.sha256(text.encode()).hexdigest()[:16] for n, text in texts.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain data for a file or a pipe."""
        providers = [provider_json(provider) for provider in self.providers]
        data: dict[str, Any] = {
            "tables": [_table_json(table) for table in self.tables.values()],
            "functions": [_function_json(spec) for spec in self.functions.values()],
            **({"providers": providers} if providers else {}),
            "crons": [_cron_json(spec) for spec in self.crons.values()],
        }
        routes = [[route.method, route.path] for route in self.routes]
        return {**data, "routes": routes} if routes else data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """The manifest `to_json` made this from.

        Raises:
            KeyError, TypeError, ValueError: the data is no manifest.
        """
        tables = [_read_table(table) for table in data["tables"]]
        functions = [_read_function(spec) for spec in data["functions"]]
        routes = tuple(RouteSpec(str(m), str(path)) for m, path in data.get("routes", ()))
        providers = tuple(read_provider(provider) for provider in data.get("providers", ()))
        crons = [_read_cron(spec) for spec in data.get("crons", ())]
        return cls(
            {t.name: t for t in tables},
            {f.path: f for f in functions},
            {c.name: c for c in crons},
            providers=providers,
            routes=routes,
        )


def canonical_path(path: str) -> str:
    """The wire path in its canonical form: `.js` stripped, `:default` where no name is given."""
    module, _, name = path.partition(":")
    return f"{module.removesuffix('.js')}:{name or 'default'}"


def _table_json(table: TableSpec) -> dict[str, Any]:
    indexes = [index.to_json() for index in table.indexes]
    searches = [index.to_json() for index in table.search_indexes]
    about = {"name": table.name, "document": table.document.to_json(), "indexes": indexes}
    return {**about, **({"searchIndexes": searches} if searches else {})}


def _read_table(data: Mapping[str, Any]) -> TableSpec:
    indexes = tuple(map(IndexSpec.from_json, data["indexes"]))
    searches = tuple(map(SearchIndexSpec.from_json, data.get("searchIndexes", ())))
    document = validators.from_json(data["document"])
    return TableSpec(str(data["name"]), document, indexes, searches)


def _cron_json(spec: CronSpec) -> dict[str, Any]:
    arguments = values.encode(spec.arguments).decode()
    about = {"name": spec.name, "path": spec.path, "arguments": arguments}
    return {**about, "schedule": spec.schedule.to_json()}


def _read_cron(data: Mapping[str, Any]) -> CronSpec:
    return CronSpec(
        name=str(data["name"]),
        path=str(data["path"]),
        schedule=Schedule.from_json(data["schedule"]),
        arguments=values.decode(str(data["arguments"]).encode()),
    )


def _function_json(spec: FunctionSpec) -> dict[str, Any]:
    shapes = {"arguments": spec.arguments.to_json(), "returns": spec.returns.to_json()}
    about = {"path": spec.path, "kind": spec.kind, "visibility": spec.visibility}
    doc = {"doc": spec.doc} if spec.doc else {}
    return {**about, **shapes, "source": spec.source, **doc}


def _read_function(data: Mapping[str, Any]) -> FunctionSpec:
    if data["kind"] not in ("query", "mutation", "action"):
        raise ValueError(f"unknown function kind {data['kind']!r}")
    if data["visibility"] not in ("public", "internal"):
        raise ValueError(f"unknown visibility {data['visibility']!r}")
    return FunctionSpec(
        path=str(data["path"]),
        kind=data["kind"],
        visibility=data["visibility"],
        arguments=validators.from_json(data["arguments"]),
        returns=validators.from_json(data["returns"]),
        source=str(data["source"]),
        doc=str(data.get("doc", "")),
    )
