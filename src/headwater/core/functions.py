"""query, mutation, action: what the decorators make of a handler, and how its signature is read."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, TypeVar, overload

from headwater.core import validators
from headwater.core.codecs import Codec, Codecs, Restore, without_none
from headwater.core.context import ActionCtx, MutationCtx, QueryCtx
from headwater.core.manifest import FunctionKind, FunctionSpec, Visibility
from headwater.core.names import checked_wire_names, python_name, wire_name
from headwater.core.system import SYSTEM_NAMES
from headwater.core.violations import found
from headwater.errors import RegistrationError, RuleViolation

P = ParamSpec("P")
R = TypeVar("R")


class Registered(Generic[P, R]):
    """A function of the backend: a reference to it, never called directly (HW104).

    Attributes:
        handler: the coroutine function itself.
        path: its wire path, known once the backend is loaded.
    """

    kind: FunctionKind = "query"

    def __init__(
        self,
        handler: Callable[..., Coroutine[Any, Any, R]],
        visibility: Visibility,
        name: str | None,
    ) -> None:
        self.handler = handler
        self.visibility = visibility
        self.given_name = name
        self.path = ""
        self._read: Function | None = None
        self.__doc__ = handler.__doc__
        self.__name__ = handler.__name__
        self.__module__ = handler.__module__

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuleViolation(
            found(
                "HW104",
                f"{self.kind} {self.__name__} was called directly",
                "T",
                fix="share a plain helper that takes ctx, or run it by reference:\n"
                f"await ctx.run_{self.kind}({self.__name__}, ...)",
            )
        )

    @property
    def read(self) -> Function:
        """The function with its signature read; there once its backend is loaded."""
        if self._read is None:
            raise RegistrationError(f"{self.__name__} belongs to no loaded backend")
        return self._read

    @read.setter
    def read(self, function: Function) -> None:
        self._read = function
        self.path = function.spec.path

    def __repr__(self) -> str:
        return f"<{self.visibility} {self.kind} {self.path or self.__name__}>"


class QueryFn(Registered[P, R]):
    """A registered query."""

    kind: FunctionKind = "query"


class MutationFn(Registered[P, R]):
    """A registered mutation."""

    kind: FunctionKind = "mutation"


class ActionFn(Registered[P, R]):
    """A registered action."""

    kind: FunctionKind = "action"


_Query = Callable[Concatenate[QueryCtx, P], Coroutine[Any, Any, R]]
_Mutation = Callable[Concatenate[MutationCtx, P], Coroutine[Any, Any, R]]
_Action = Callable[Concatenate[ActionCtx, P], Coroutine[Any, Any, R]]


def _register(made: Any, visibility: Visibility, handler: Any, name: str | None) -> Any:
    if handler is None:
        return lambda function: made(function, visibility, name)
    return made(handler, visibility, name)


@overload
def query(handler: _Query[P, R], /) -> QueryFn[P, R]: ...
@overload
def query(*, name: str) -> Callable[[_Query[P, R]], QueryFn[P, R]]: ...
def query(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes a public query: a function that only reads and that clients can subscribe to.

    Args:
        name: the wire name, where the handler's own does not serve.
    """
    return _register(QueryFn, "public", handler, name)


@overload
def internal_query(handler: _Query[P, R], /) -> QueryFn[P, R]: ...
@overload
def internal_query(*, name: str) -> Callable[[_Query[P, R]], QueryFn[P, R]]: ...
def internal_query(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes a query that only other functions and the admin key can call."""
    return _register(QueryFn, "internal", handler, name)


@overload
def mutation(handler: _Mutation[P, R], /) -> MutationFn[P, R]: ...
@overload
def mutation(*, name: str) -> Callable[[_Mutation[P, R]], MutationFn[P, R]]: ...
def mutation(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes a public mutation: one serializable transaction."""
    return _register(MutationFn, "public", handler, name)


@overload
def internal_mutation(handler: _Mutation[P, R], /) -> MutationFn[P, R]: ...
@overload
def internal_mutation(*, name: str) -> Callable[[_Mutation[P, R]], MutationFn[P, R]]: ...
def internal_mutation(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes a mutation that only other functions and the admin key can call."""
    return _register(MutationFn, "internal", handler, name)


@overload
def action(handler: _Action[P, R], /) -> ActionFn[P, R]: ...
@overload
def action(*, name: str) -> Callable[[_Action[P, R]], ActionFn[P, R]]: ...
def action(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes a public action: a function that may do I/O and reaches data by running others."""
    return _register(ActionFn, "public", handler, name)


@overload
def internal_action(handler: _Action[P, R], /) -> ActionFn[P, R]: ...
@overload
def internal_action(*, name: str) -> Callable[[_Action[P, R]], ActionFn[P, R]]: ...
def internal_action(handler: Any = None, /, *, name: str | None = None) -> Any:
    """Makes an action that only other functions and the admin key can call."""
    return _register(ActionFn, "internal", handler, name)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a handler: its two names and how to restore its value.

    Attributes:
        optional: its default is None, so that None given in Python is absent on the wire.
    """

    name: str
    wire: str
    restore: Restore | None
    optional: bool = False


@dataclass(frozen=True)
class Function:
    """A registered function with its signature read: what the place that runs it needs."""

    spec: FunctionSpec
    handler: Callable[..., Coroutine[Any, Any, Any]]
    parameters: tuple[Parameter, ...]
    returns: Codec
    takes_any: bool = False

    def keywords(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Checked wire arguments as the handler's keyword arguments."""
        if self.takes_any:
            return arguments
        result = {}
        for parameter in self.parameters:
            if parameter.wire in arguments:
                value = arguments[parameter.wire]
                restore = parameter.restore
                result[parameter.name] = value if restore is None else restore(value)
        return result

    def wire_arguments(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        """A Python call's arguments under wire names; unknown names stay, to be refused by the
        check.
        """
        names = [parameter.name for parameter in self.parameters]
        given = dict(zip(names, args, strict=False)) | keywords
        if self.takes_any:
            return given
        known = {parameter.name: parameter for parameter in self.parameters}
        found = {}
        for name, value in given.items():
            parameter = known.get(name)
            if parameter is None or value is not None or not parameter.optional:
                found[name if parameter is None else parameter.wire] = value
        return found


def wire_path(registered: Registered[Any, Any], module: str) -> str:
    """The wire path of a function in a module path such as `actions/simple`.

    Raises:
        RegistrationError: the name does not survive the way to the wire and back.
    """
    name = registered.given_name
    if name is None:
        name = wire_name(registered.__name__)
        if python_name(name) != registered.__name__:
            raise RegistrationError(
                f"{registered.__module__}.{registered.__name__}: the name becomes `{name}` on the "
                f"wire and `{python_name(name)}` on the way back; rename it, or give "
                f"@{registered.kind}(name=...)"
            )
    return f"{module}:{name}"


def read_signature(
    registered: Registered[Any, Any], path: str, codecs: Codecs, source: str
) -> Function:
    """The function with its validators, from the handler's type hints.

    Raises:
        RegistrationError: no coroutine function, no ctx, or a type that cannot be sent.
    """
    handler = registered.handler
    where = f"{handler.__module__}.{handler.__name__}"
    if not inspect.iscoroutinefunction(handler):
        raise _untyped(f"{where} is not `async def`", source, "write `async def`")
    parameters = list(inspect.signature(handler).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise _untyped(f"{where} has no first parameter for its context", source, "add `ctx` first")
    hints = _type_hints(handler, where)
    returns = codecs.of(hints.get("return", Any), f"{where}, return type")
    fields, taken, takes_any = _read_parameters(parameters[1:], hints, codecs, where)
    arguments = validators.Record() if takes_any else validators.Object(fields)
    doc = inspect.getdoc(handler) or ""
    spec = FunctionSpec(
        path, registered.kind, registered.visibility, arguments, returns.validator, source, doc
    )
    return Function(spec, handler, tuple(taken), returns, takes_any)


def _untyped(what: str, where: str, fix: str) -> RuleViolation:
    return RuleViolation(found("HW103", what, "R", where, fix=fix))


def _type_hints(handler: Any, where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(handler, localns=SYSTEM_NAMES, include_extras=True)
    except NameError as error:
        raise RegistrationError(
            f"{where}: a type hint names {error.name!r}, which the module does not define; import "
            "it (not only under TYPE_CHECKING)"
        ).by_rule("HW103") from None


def _read_parameters(
    parameters: list[inspect.Parameter], hints: dict[str, Any], codecs: Codecs, where: str
) -> tuple[dict[str, validators.Field], list[Parameter], bool]:
    named = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    wires = checked_wire_names((p.name for p in named), where)
    fields: dict[str, validators.Field] = {}
    taken = []
    for parameter in named:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            raise RegistrationError(
                f"{where}: `{parameter}` cannot be given by name; arguments are named"
            ).by_rule("HW103")
        optional = parameter.default is not inspect.Parameter.empty
        hint = hints.get(parameter.name, Any)
        absent = optional and parameter.default is None
        hint = without_none(hint) if absent else hint
        codec = codecs.of(hint, f"{where}, argument {parameter.name}")
        fields[wires[parameter.name]] = validators.Field(codec.validator, optional)
        taken.append(Parameter(parameter.name, wires[parameter.name], codec.restore, absent))
    if len(named) == len(parameters):
        return fields, taken, False
    if named:
        raise RegistrationError(f"{where}: `**` takes all arguments; leave the named ones out")
    return fields, taken, True
