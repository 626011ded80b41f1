"""Functions: what the decorators make of a handler, and how its signature is read."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import (
    ActionCtx,
    MutationCtx,
    QueryCtx,
    action,
    internal_action,
    internal_mutation,
    internal_query,
    mutation,
    query,
)
from headwater.core import validators
from headwater.core.codecs import Codecs
from headwater.core.functions import Function, Registered, read_signature, wire_path
from headwater.errors import RegistrationError, RuleViolation


async def get_tasks(ctx: QueryCtx, project_id: str, limit: int = 10, tag: str | None = None) -> Any:
    """Tasks of a project."""


async def act(ctx: ActionCtx) -> None:
    """Acts."""


async def write(ctx: MutationCtx) -> None:
    """Writes."""


async def take_anything(ctx: QueryCtx, /, **fields: Any) -> Any:
    """Takes anything."""


def read(handler: Any) -> Function:
    """The signature of a handler as a query of backend/things.py."""
    return read_signature(query(handler), "things:it", Codecs(), "backend/things.py:1")


@pytest.mark.parametrize(
    ("decorator", "handler", "kind", "visibility"),
    [
        (query, get_tasks, "query", "public"),
        (internal_query, get_tasks, "query", "internal"),
        (mutation, write, "mutation", "public"),
        (internal_mutation, write, "mutation", "internal"),
        (action, act, "action", "public"),
        (internal_action, act, "action", "internal"),
    ],
)
def test_six_decorators(decorator: Any, handler: Any, kind: str, visibility: str) -> None:
    """Each makes one kind of one visibility, with or without a name."""
    plain, named = decorator(handler), decorator(name="other")(handler)
    assert (plain.kind, plain.visibility, plain.given_name) == (kind, visibility, None)
    assert (named.kind, named.visibility, named.given_name) == (kind, visibility, "other")
    assert repr(plain) == f"<{visibility} {kind} {handler.__name__}>"


def test_calling_a_reference_is_refused() -> None:
    """HW104 says what to do instead."""
    with pytest.raises(RuleViolation, match="query get_tasks was called directly") as error:
        query(get_tasks)("x")
    assert error.value.code == "HW104"
    assert "ctx.run_query(get_tasks, ...)" in error.value.message


def test_a_reference_of_no_loaded_backend_says_so() -> None:
    """A function imported before the backend was loaded anew belongs to nothing."""
    with pytest.raises(RegistrationError, match="get_tasks belongs to no loaded backend"):
        _ = query(get_tasks).read


def test_the_signature_is_the_validator() -> None:
    """Required and optional arguments under wire names; extra ones are refused."""
    fields = {
        "projectId": validators.Field(validators.String()),
        "limit": validators.Field(validators.Number(integer=True), True),
        "tag": validators.Field(validators.Union((validators.String(),)), True),
    }
    found = read(get_tasks).spec.arguments
    assert isinstance(found, validators.Object)
    assert found.fields["projectId"] == fields["projectId"]
    assert found.fields["limit"] == fields["limit"]
    assert found.fields["tag"].optional
    assert found.check({"projectId": "p", "tag": None}, lambda _text: None) is not None


def test_wire_arguments_become_keywords() -> None:
    """Restored to their Python types; what is absent is left to the handler's default."""
    assert read(get_tasks).keywords({"projectId": "p", "limit": 3.0}) == {
        "project_id": "p",
        "limit": 3,
    }


def test_a_python_call_becomes_wire_arguments() -> None:
    """By position or by name; unknown names stay, to be refused."""
    found = read(get_tasks).wire_arguments(("p",), {"limit": 3, "colour": "red"})
    assert found == {"projectId": "p", "limit": 3, "colour": "red"}


def test_none_for_an_optional_argument_is_absent() -> None:
    """As in a document; for one that has to be given, None is null and left to the check."""
    function = read(get_tasks)
    assert function.wire_arguments((), {"project_id": "p", "tag": None}) == {"projectId": "p"}
    assert function.wire_arguments((None,), {"limit": None}) == {"projectId": None, "limit": None}


def test_a_function_may_take_any_object() -> None:
    """`**fields: Any` takes wire names unchanged."""
    function = read(take_anything)
    assert function.spec.arguments == validators.Record()
    assert function.keywords({"any_Name": 1.0}) == {"any_Name": 1.0}
    assert function.wire_arguments((), {"aB": 1}) == {"aB": 1}


async def no_ctx() -> None:
    """Has no context."""


async def mixed(ctx: QueryCtx, a: str, **rest: Any) -> None:
    """Both named and any."""


async def star(ctx: QueryCtx, *args: str) -> None:
    """By position."""


async def unknown_type(ctx: QueryCtx, a: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
    """A type nobody defines."""


def not_async(ctx: QueryCtx) -> None:
    """Not a coroutine function."""


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (no_ctx, "has no first parameter for its context"),
        (not_async, "is not `async def`"),
        (mixed, "takes all arguments; leave the named ones out"),
        (star, "arguments are named"),
        (unknown_type, "names 'Missing', which the module does not define"),
    ],
)
def test_signatures_that_cannot_be_served_are_refused(handler: Any, message: str) -> None:
    """Each with what is wrong with it."""
    with pytest.raises((RegistrationError, RuleViolation), match=message):
        read(handler)


def test_the_wire_path_is_camel_case() -> None:
    """Module and name; a given name is taken as it is."""
    assert wire_path(query(get_tasks), "tasks") == "tasks:getTasks"
    assert wire_path(query(name="list")(get_tasks), "a/b") == "a/b:list"


async def is_2fa(ctx: QueryCtx) -> None:
    """A name that does not survive the way to the wire and back."""


def test_a_name_that_does_not_survive_is_refused() -> None:
    """With the way out: a name of its own for the wire."""
    registered: Registered[Any, Any] = query(is_2fa)
    with pytest.raises(RegistrationError, match=r"give @query\(name=\.\.\.\)"):
        wire_path(registered, "tasks")
