"""Tables, fields, indexes: a table is a pydantic model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import core_schema

from headwater.core.names import wire_name
from headwater.core.values import Encoded
from headwater.errors import RegistrationError
from headwater.settings import Limits

D_co = TypeVar("D_co", covariant=True)


class Id(str, Generic[D_co]):
    """The id of a document: a `str` that remembers its table in the type.

    `Id[Task]` as an argument or field accepts only ids of the tasks table; `Id[Any]` those of any
    table.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class Index:
    """An index over fields, in order; every index ends with the creation time by itself.

    Args:
        fields: Python names of the table's fields, at least one.
        staged: built while the backend serves, and not to be queried until this is taken away.
    """

    def __init__(self, *fields: str, staged: bool = False) -> None:
        if not fields:
            raise RegistrationError("Index() needs at least one field: Index('assignee')")
        self.fields = fields
        self.staged = staged


class SearchIndex:
    """An index of the words of one text field, read by `with_search_index`.

    Args:
        field: Python name of the text field; `"body.text"` for one inside a nested object.
        filter_fields: fields a search may ask equal values of; the one that narrows most first.
        staged: built while the backend serves, and not to be searched until this is taken away.

    Raises:
        RegistrationError: more than one text field, or too many filter fields.
    """

    def __init__(
        self, field: str, filter_fields: Sequence[str] = (), *, staged: bool = False
    ) -> None:
        if not isinstance(field, str) or isinstance(filter_fields, str):
            raise RegistrationError(
                "SearchIndex() searches one text field; fields to filter by are a tuple: "
                'SearchIndex("content", filter_fields=("room_id",))'
            )
        self.field = field
        self.filter_fields = tuple(filter_fields)
        self.staged = staged
        self._check_filters()

    def _check_filters(self) -> None:
        limit = Limits.search_filter_fields
        if len(self.filter_fields) > limit:
            raise RegistrationError(
                f"SearchIndex({self.field!r}) has {len(self.filter_fields)} filter fields, the "
                f"limit is {limit}. Leave out those that .filter() may test after the search"
            )
        doubled = [name for name in self.filter_fields if self.filter_fields.count(name) > 1]
        if doubled:
            raise RegistrationError(
                f"SearchIndex({self.field!r}) names the filter field `{doubled[0]}` twice"
            )


class Model(BaseModel):
    """Base of nested objects in arguments, results and documents. Extra fields are refused."""

    model_config = ConfigDict(
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        strict=True,
    )

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # `exclude_none` would also drop the null of a nullable field.
        dumped = cast("dict[str, Any]", handler(self))
        for name, field in type(self).model_fields.items():
            if field.default is None and self.__dict__.get(name) is None:
                dumped.pop(name, None)
                dumped.pop(field.alias or name, None)
        return dumped


FROZEN: Final = "documents are read-only: write with `await ctx.db.patch({table}.id, {name}=...)`"


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class Document(Model):
    """Base of tables: `class Task(Document, table="tasks")`.

    Attributes:
        id: given by the database on insert.
        creation_time: ms since 1970, given by the database on insert.
    """

    model_config = ConfigDict(frozen=True, ignored_types=(Index, SearchIndex))
    __slots__ = ("_stored",)

    table_name: ClassVar[str] = ""
    table_indexes: ClassVar[dict[str, Index]] = {}
    table_search_indexes: ClassVar[dict[str, SearchIndex]] = {}

    id: Id[Self] = Field(default=cast(Any, None), alias="_id")
    creation_time: float = Field(default=cast(Any, None), alias="_creationTime")

    def __init_subclass__(cls, table: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, table: str = "", **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.table_name = table
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Index)}
        cls.table_indexes = {**cls.table_indexes, **own}
        found = {name: value for name, value in vars(cls).items() if isinstance(value, SearchIndex)}
        cls.table_search_indexes = {**cls.table_search_indexes, **found}

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(FROZEN.format(table=type(self).__name__.lower(), name=name))


def stored_form(value: object) -> Encoded | None:
    """The encoded form a document was read from, None for one made by hand and anything else."""
    found = getattr(value, "_stored", None)
    return found if isinstance(found, Encoded) else None


def stored_forms(items: Sequence[object]) -> list[Encoded] | None:
    """The encoded forms of documents, when all of the items have one: the usual result of a query,
    so it is worth a loop that calls nothing of ours.
    """
    if stored_form(items[0]) is None:
        return None
    found = [getattr(item, "_stored", None) for item in items]
    whole = all(isinstance(form, Encoded) for form in found)
    return cast("list[Encoded]", found) if whole else None


_set = object.__setattr__


def build(model: type[BaseModel], values: dict[str, Any], stored: Encoded | None = None) -> Any:
    """A model from values known to be right, without validating them again.

    Args:
        model: the class.
        values: every field by its Python name.
        stored: the encoded form, for documents whose fields cannot be changed in place.
    """
    made = model.__new__(model)
    _set(made, "__dict__", values)
    _set(made, "__pydantic_fields_set__", set(values))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    if stored is not None:
        _set(made, "_stored", stored)
    return made
