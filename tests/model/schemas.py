"""Random schemas: drawn as plain data, made into classes and an app as a loader would."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from headwater import UNSET, Document, Index
from headwater.core.registry import App, register
from headwater.settings import Limits
from tests.model.kinds import KINDS

MODULE = "backend.model"
UNHURRIED = Limits(function_limit_s=600.0)
"""No call of a proof fails because the machine had something else to do for a second."""
_FIELDS = {"alpha": "alpha", "beta_two": "betaTwo", "gamma": "gamma", "delta_d4x": "deltaD4x"}


@dataclass(frozen=True)
class FieldPlan:
    """A field to be: `presence` is required, optional (absent or there) or nullable."""

    name: str
    kind: str
    presence: str

    @property
    def wire(self) -> str:
        """Its name on the wire."""
        return _FIELDS[self.name]

    @property
    def annotation(self) -> Any:
        """What its class says of it."""
        annotation = KINDS[self.kind].annotation
        return annotation if self.presence == "required" else annotation | None

    def values(self) -> st.SearchStrategy[Any]:
        """Wire values it may hold when it is there."""
        own = KINDS[self.kind].wire
        return st.none() | own if self.presence == "nullable" else own

    def python(self, wire: Any) -> Any:
        """A wire value as Python spells it."""
        return None if wire is None else KINDS[self.kind].python(wire)


@dataclass(frozen=True)
class TablePlan:
    """A table to be; indexes are lists of Python field names."""

    name: str
    fields: tuple[FieldPlan, ...]
    indexes: Mapping[str, tuple[str, ...]]
    declared: bool = True

    def documents(self) -> st.SearchStrategy[dict[str, Any]]:
        """Documents that fit, as wire objects without system fields."""
        always = {f.wire: f.values() for f in self.fields if f.presence != "optional"}
        optional = {f.wire: f.values() for f in self.fields if f.presence == "optional"}
        return st.fixed_dictionaries(always, optional=optional)

    def like(self, pool: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        """Documents whose fields are often taken from those in a pool, one from here and there."""
        if not pool:
            return self.documents()
        chosen = st.sampled_from(list(pool))

        @st.composite
        def mixed(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
            own = draw(self.documents())
            picked = {f.wire: draw(chosen).get(f.wire, UNSET) for f in self.fields}
            return {name: value for name, value in {**own, **picked}.items() if value is not UNSET}

        return st.one_of(mixed(), mixed(), self.documents())

    def field(self, name: str) -> FieldPlan:
        """The field of a Python name."""
        return next(field for field in self.fields if field.name == name)

    def with_indexes(self, indexes: Mapping[str, tuple[str, ...]]) -> TablePlan:
        """The same fields through other indexes."""
        return replace(self, indexes=indexes)

    def make(self) -> type[Document]:
        """The table's class."""

        def body(namespace: dict[str, Any]) -> None:
            namespace["__module__"] = MODULE
            namespace["__annotations__"] = {f.name: f.annotation for f in self.fields}
            namespace.update({f.name: None for f in self.fields if f.presence == "optional"})
            namespace.update({name: Index(*fields) for name, fields in self.indexes.items()})

        made: type[Document] = types.new_class(
            self.name.capitalize(), (Document,), {"table": self.name}, body
        )
        return made


def _fields(kinds: Sequence[str]) -> st.SearchStrategy[tuple[FieldPlan, ...]]:
    def named(drawn: list[tuple[str, str]]) -> tuple[FieldPlan, ...]:
        return tuple(FieldPlan(name, *one) for name, one in zip(_FIELDS, drawn, strict=False))

    presence = st.sampled_from(["required", "required", "optional", "nullable"])
    one = st.tuples(st.sampled_from(kinds), presence).filter(lambda f: f != ("any", "nullable"))
    return st.lists(one, min_size=1, max_size=len(_FIELDS)).map(named)


FREE = TablePlan("free", (FieldPlan("alpha", "any", "optional"),), {}, declared=False)
"""A table no class declares: reached by name, it comes into being with its first document."""


def index_plans(fields: Sequence[FieldPlan]) -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """One to three indexes of one to three of the fields."""
    fields_of_one = st.lists(
        st.sampled_from([f.name for f in fields]), min_size=1, max_size=3, unique=True
    ).map(tuple)
    names = st.sampled_from(["by_x", "by_y", "by_z"])
    return st.dictionaries(names, fields_of_one, min_size=1, max_size=3)


@st.composite
def crowds(draw: Callable[[st.SearchStrategy[Any]], Any], table: TablePlan) -> list[dict[str, Any]]:
    """Documents of a table many of which have fields in common."""
    few = draw(st.lists(table.documents(), min_size=1, max_size=3))
    drawn: list[dict[str, Any]] = draw(st.lists(table.like(few), min_size=4, max_size=10))
    return drawn


@st.composite
def tables(
    draw: Callable[[st.SearchStrategy[Any]], Any], name: str, kinds: Sequence[str] = tuple(KINDS)
) -> TablePlan:
    """A random table."""
    fields = draw(_fields(kinds))
    return TablePlan(name, fields, draw(index_plans(fields)))


def app_of(plans: Sequence[TablePlan], add_functions: Callable[[types.ModuleType], None]) -> App:
    """An app of these tables, with the functions that `add_functions` puts into its module."""
    module = types.ModuleType(MODULE)
    for plan in (plan for plan in plans if plan.declared):
        setattr(module, plan.name.capitalize(), plan.make())
    add_functions(module)
    return register(Path(__file__).parent, [module])
