"""From Python annotations to validators, and values to the Python types the annotations promise.

`Codec.validator` is plain data and runs anywhere; `Codec.restore` builds Python objects from values
already checked; `lower` is the way back, by the run-time type of what a handler returned.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import annotated_types
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from headwater.core import ids, validators
from headwater.core.names import checked_wire_names
from headwater.core.schema import Document, Id, Model, build, stored_form, stored_forms
from headwater.core.validators import Bounds, Field, Object, Validator
from headwater.core.values import Int64, normalize
from headwater.errors import RegistrationError

Restore = Callable[[Any], Any]


@dataclass(frozen=True)
class Codec:
    """A validator, and what turns a checked value into its Python type (None: it already is)."""

    validator: Validator
    restore: Restore | None = None

    def load(self, value: Any) -> Any:
        """The Python value of a checked value."""
        return value if self.restore is None else self.restore(value)


_SCALARS: dict[Any, Codec] = {
    Any: Codec(validators.AnyValue()),
    None: Codec(validators.Null()),
    type(None): Codec(validators.Null()),
    bool: Codec(validators.Boolean()),
    int: Codec(validators.Number(integer=True), int),
    float: Codec(validators.Number()),
    str: Codec(validators.String()),
    bytes: Codec(validators.Bytes()),
    Int64: Codec(validators.Int64Validator()),
    Id: Codec(validators.IdOf(None), Id),
    list: Codec(validators.Array()),
    dict: Codec(validators.Record()),
}


_PLAIN = frozenset({type(None), bool, int, float, str, bytes, Int64})


def lower(value: Any, *, joined: bool = False) -> Any:
    """What a handler returned, wrote or passed on, as a value.

    Args:
        value: any Python value.
        joined: documents stay encoded as they were read, to be joined into a result as bytes.

    Raises:
        InvalidValue: something that can neither be stored nor sent, with its path.
    """
    return normalize(_lower(value, joined))


def _lower(value: Any, joined: bool) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        documents = stored_forms(value) if joined and value else None
        return documents or [_lower(item, joined) for item in value]
    if kind is dict:
        return {key: _lower(member, joined) for key, member in value.items()}
    if joined:
        stored = stored_form(value)
        if stored is not None:
            return stored
    if isinstance(value, BaseModel):
        return lower_model(value, joined)
    if isinstance(value, enum.Enum):
        return value.value
    return value


def lower_model(model: BaseModel, joined: bool = False) -> dict[str, Any]:
    """A model's fields under wire names; optional fields that are None are left out."""
    result = {}
    for name, field in type(model).model_fields.items():
        value = model.__dict__[name]
        if value is None and field.default is None:
            continue
        result[field.alias or name] = _lower(value, joined)
    extra = model.__pydantic_extra__ or {}
    result.update((name, _lower(member, joined)) for name, member in extra.items())
    return result


class Codecs:
    """Codecs of one loaded backend; forward references are names of its document classes.

    Args:
        documents: the backend's document classes by class name.
    """

    def __init__(self, documents: Mapping[str, type[Document]] | None = None) -> None:
        self._documents = dict(documents or {})
        self._models: dict[type[BaseModel], Codec] = {}

    def of(self, annotation: Any, where: str) -> Codec:
        """The codec of an annotation.

        Args:
            annotation: a resolved type hint.
            where: what carries it, for the error: `backend.tasks.create_task, argument title`.

        Raises:
            RegistrationError: a type that can neither be stored nor sent.
        """
        scalar = _SCALARS.get(annotation) if _hashable(annotation) else None
        if scalar is not None:
            return scalar
        if isinstance(annotation, type) and not typing.get_args(annotation):
            return self._of_class(annotation, where)
        return self._of_generic(annotation, where)

    def _of_class(self, cls: type, where: str) -> Codec:
        if issubclass(cls, BaseModel):
            return self.model(cls, where)
        if issubclass(cls, enum.Enum):
            members = {normalize(member.value): member for member in cls}
            literals = tuple(validators.Literal(value) for value in members)
            return Codec(validators.Union(literals), members.__getitem__)
        raise _unsupported(cls, where)

    def _of_generic(self, annotation: Any, where: str) -> Codec:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if isinstance(annotation, typing.NewType):
            return self.of(annotation.__supertype__, where)
        if hasattr(annotation, "__value__"):  # `type Name = ...`
            return self.of(annotation.__value__, where)
        if origin is typing.Annotated:
            return self.annotated(arguments[0], arguments[1:], where)
        if origin is typing.Literal:
            return _literals(arguments, where)
        if origin in (typing.Union, types.UnionType):
            return _union([self.of(argument, where) for argument in arguments])
        if origin is Id:
            return Codec(validators.IdOf(self._table(arguments[0], where)), Id)
        if origin is list:
            return _array(self.of(arguments[0], where))
        if origin is dict:
            return self._record(arguments, where)
        raise _unsupported(annotation, where)

    def _record(self, arguments: tuple[Any, ...], where: str) -> Codec:
        keys, values = (self.of(argument, where) for argument in arguments)
        if not isinstance(keys.validator, validators.String | validators.IdOf):
            raise RegistrationError(
                f"{where}: the keys of a dict are str or Id, not {arguments[0]}"
            ).by_rule("HW405")
        restore = values.restore
        return Codec(
            validators.Record(keys.validator, values.validator),
            restore and (lambda value: {key: restore(member) for key, member in value.items()}),
        )

    def annotated(self, annotation: Any, metadata: typing.Iterable[Any], where: str) -> Codec:
        """The codec of an annotation with constraints; what is no plain constraint is left to
        pydantic; a text that pydantic may shorten (`strip_whitespace`) is held to its length there.
        """
        codec = self.of(annotation, where)
        custom = []
        given = list(_flattened(metadata))
        for item in given:
            validator = _constrained(codec.validator, item)
            if validator is None:
                custom.append(item)
            else:
                codec = replace(codec, validator=validator)
        if not custom:
            return codec
        return _with_pydantic(codec, annotation, given if annotation is str else custom)

    def _table(self, target: Any, where: str) -> str | None:
        if target is Any:
            return None
        name = target.__forward_arg__ if isinstance(target, typing.ForwardRef) else target
        cls = self._documents.get(name) if isinstance(name, str) else target
        if not (isinstance(cls, type) and issubclass(cls, Document) and cls.table_name):
            known = ", ".join(sorted(self._documents)) or "none yet"
            text = f"{where}: Id[{name}] names no table; tables here: {known}"
            raise RegistrationError(text).by_rule("HW405")
        return cls.table_name

    def model(self, cls: type[BaseModel], where: str) -> Codec:
        """The codec of a Model, or of a stored Document with its system fields."""
        if cls not in self._models:
            if not issubclass(cls, Model):
                text = f"{where}: {cls.__name__} must derive from headwater.Model"
                raise RegistrationError(text).by_rule("HW405")
            later: list[Codec] = []  # a model may contain itself
            self._models[cls] = Codec(validators.AnyValue(), lambda value: later[0].load(value))
            later.append(self._model(cls))
            self._models[cls] = later[0]
        return self._models[cls]

    def _model(self, cls: type[Model]) -> Codec:
        if cls.model_config.get("extra") == "allow":  # an identity: its claims have any names
            return Codec(validators.Record(), cls.model_validate)
        fields, restores = self.fields(cls)
        table = cls.table_name if issubclass(cls, Document) else None
        validator = Object(fields, table)
        decorators = cls.__pydantic_decorators__
        if table is None and (decorators.field_validators or decorators.model_validators):
            return Codec(validator, lambda value: cls.model_validate(members_of(restores, value)))
        return Codec(validator, lambda value: build(cls, members_of(restores, value)))

    def fields(self, cls: type[Model]) -> tuple[dict[str, Field], list[MemberCodec]]:
        """A model's members under wire names, and how to restore each."""
        where = f"{cls.__module__}.{cls.__name__}"
        system = _SYSTEM if issubclass(cls, Document) else {}
        wires = checked_wire_names((n for n in cls.model_fields if n not in system), where) | system
        fields, restores = {}, []
        for name, field in cls.model_fields.items():
            codec = self._field(cls, name, field, f"{where}, field {name}")
            default = MISSING if field.is_required() else field
            if issubclass(cls, Document) and default is not MISSING and field.default is not None:
                default = MISSING  # a stored document always has the field
            if name in system:
                default = MISSING
            fields[wires[name]] = Field(codec.validator, optional=default is not MISSING)
            restores.append(MemberCodec(name, wires[name], codec.restore, field))
        return fields, restores

    def _field(self, cls: type[Model], name: str, field: FieldInfo, where: str) -> Codec:
        if issubclass(cls, Document) and name == "id":
            return Codec(validators.IdOf(cls.table_name), Id)
        annotation = field.annotation
        if field.default is None and not field.is_required() and OR_NULL not in field.metadata:
            annotation = without_none(annotation)  # None means absent here, null is refused
        return self.annotated(annotation, field.metadata, where)


_SYSTEM = {"id": "_id", "creation_time": "_creationTime"}
MISSING: Any = object()
OR_NULL: Any = object()
"""In `Annotated[X | None, OR_NULL] = None`: null is taken for absent, where clients send it so."""


@dataclass(frozen=True)
class MemberCodec:
    """One field of a model: its two names, how to restore it, its default."""

    name: str
    wire: str
    restore: Restore | None
    field: FieldInfo


def members_of(restores: list[MemberCodec], value: dict[str, Any]) -> dict[str, Any]:
    """A model's members under their Python names, from a wire object; absent ones get defaults."""
    result = {}
    for member in restores:
        if member.wire in value:
            found = value[member.wire]
            result[member.name] = found if member.restore is None else member.restore(found)
        else:
            result[member.name] = member.field.get_default(call_default_factory=True)
    return result


def _hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def without_none(annotation: Any) -> Any:
    """`X | None` as `X`."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    rest = [a for a in typing.get_args(annotation) if a is not type(None)]
    return typing.Union[tuple(rest)] if rest else annotation  # noqa: UP007 - built at run time


def _unsupported(annotation: Any, where: str) -> RegistrationError:
    name = getattr(annotation, "__name__", str(annotation))
    return RegistrationError(
        f"{where}: {name} can neither be stored nor sent. Use bool, int, float, str, bytes, Int64, "
        "Id[Table], Literal, an Enum, list[...], dict[str, ...], a headwater.Model, a table's "
        "class, unions of these, or Any"
    ).by_rule("HW405", "write a type that can be stored and sent: Id[Task], Literal, a Model")


def _literals(arguments: tuple[Any, ...], where: str) -> Codec:
    members: dict[Any, Validator] = {}
    for argument in arguments:
        value = argument.value if isinstance(argument, enum.Enum) else argument
        if value is None:
            members[None] = validators.Null()
        elif isinstance(value, str | bool | int):
            value = normalize(value)
            members[type(value), value] = validators.Literal(value)
        else:
            raise _unsupported(argument, where)
    found = list(members.values())
    validator = found[0] if len(found) == 1 else validators.Union(tuple(found))
    plain = all(isinstance(a, str | bool | None) for a in arguments)
    back = {(type(key), key): a for key, a in ((lower(a), a) for a in arguments)}
    return Codec(validator, None if plain else lambda value: back[type(value), value])


def _array(item: Codec) -> Codec:
    restore = item.restore
    return Codec(
        validators.Array(item.validator),
        restore and (lambda value: [restore(member) for member in value]),
    )


def _union(members: list[Codec]) -> Codec:
    validator = validators.Union(tuple(member.validator for member in members))
    if all(member.restore is None for member in members):
        return Codec(validator)
    real = [m for m in members if not isinstance(m.validator, validators.Null)]
    if len(real) == 1:
        only = real[0]
        return Codec(validator, lambda value: None if value is None else only.load(value))
    return Codec(validator, lambda value: _first_fit(members, value).load(value))


def _first_fit(members: list[Codec], value: Any) -> Codec:
    for member in members:
        if _fits(member.validator, value):
            return member
    return members[0]


def _fits(validator: Validator, value: Any) -> bool:
    if isinstance(validator, validators.IdOf):  # the table was checked before
        return isinstance(value, str) and ids.table_of(value) is not None
    return validator.check(value, lambda _text: None) is None


def _flattened(metadata: typing.Iterable[Any]) -> typing.Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from item.metadata
        elif isinstance(item, annotated_types.GroupedMetadata):
            yield from item
        elif item is not OR_NULL and not isinstance(item, str):  # a string is documentation
            yield item


_SIZE_BOUNDS = {"ge": "ge", "gt": "gt", "le": "le", "lt": "lt", "multiple_of": "multiple_of"}
_LENGTH_BOUNDS = {"min_length": "ge", "max_length": "le"}


def _constrained(validator: Validator, item: Any) -> Validator | None:
    """The validator with one constraint more, or None when plain data cannot say it."""
    if isinstance(validator, validators.Union):
        members = [
            m if isinstance(m, validators.Null) else _constrained(m, item)
            for m in validator.members
        ]
        return validators.Union(tuple(m for m in members if m)) if all(members) else None
    given = {k: v for k, v in _facts(item).items() if v is not None}
    if isinstance(validator, validators.Number | validators.Int64Validator):
        bounds = _merged(validator.bounds, given, _SIZE_BOUNDS)
        return replace(validator, bounds=bounds) if bounds else None
    if isinstance(validator, validators.String) and given.keys() == {"pattern"}:
        return replace(validator, pattern=given["pattern"])
    if isinstance(validator, validators.String | validators.Bytes | validators.Array):
        bounds = _merged(validator.length, given, _LENGTH_BOUNDS)
        return replace(validator, length=bounds) if bounds else None
    return None


def _facts(item: Any) -> dict[str, Any]:
    if hasattr(item, "__dict__") and item.__dict__:
        return dict(item.__dict__)
    return {name: getattr(item, name) for name in getattr(type(item), "__slots__", ())}


def _merged(bounds: Bounds, given: dict[str, Any], known: dict[str, str]) -> Bounds | None:
    if not given or not given.keys() <= known.keys():
        return None
    if not all(isinstance(value, int | float) for value in given.values()):
        return None
    return replace(bounds, **{known[name]: value for name, value in given.items()})


def _with_pydantic(codec: Codec, annotation: Any, custom: list[Any]) -> Codec:
    adapter = TypeAdapter(typing.Annotated[(annotation, *custom)])
    return Codec(codec.validator, lambda value: adapter.validate_python(codec.load(value)))
