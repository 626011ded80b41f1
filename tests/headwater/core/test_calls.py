"""Calls: from checked arguments to an encoded result or a failure."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from headwater import (
    AppError,
    Document,
    MutationCtx,
    QueryCtx,
    internal_query,
    mutation,
    query,
)
from headwater.core.values import size
from headwater.errors import HeadwaterError
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Note(Document, table="notes"):
    """A table."""

    text: str


@query
async def echo(ctx: QueryCtx, text: str) -> str:
    """The text."""
    return text


@internal_query
async def hidden(ctx: QueryCtx) -> str:
    """For other functions only."""
    return "hidden"


@query
async def reveal(ctx: QueryCtx) -> str:
    """What the hidden one says."""
    return await ctx.run_query(hidden)


@query
async def lie(ctx: QueryCtx) -> int:
    """Not what it declares."""
    return "a text"  # type: ignore[return-value]


@query
async def leave(ctx: QueryCtx) -> None:
    """Ends the process, it thinks."""
    sys.exit(3)


@mutation
async def write(ctx: MutationCtx, text: str) -> None:
    """A note; some texts are refused after it was written."""
    await ctx.db.insert(Note(text=text))
    if text == "app":
        raise AppError({"code": 7})
    if text == "plain":
        raise ValueError("plain")


@mutation
async def try_parts(ctx: MutationCtx, texts: list[str]) -> list[str]:
    """A part for each text; those that fail are told and left out."""
    told = []
    for text in texts:
        try:
            await ctx.run_mutation(write, text=text)
        except HeadwaterError as error:
            told.append(f"{type(error).__name__}: {error}")
    return told


@query
async def texts(ctx: QueryCtx) -> list[str]:
    """All notes."""
    return [note.text for note in await ctx.db.query(Note).collect()]


@mutation
async def change_argument(ctx: MutationCtx, texts: list[str]) -> list[str]:
    """Keeps its own argument in mind, in place."""
    texts.append("more")
    return texts


@pytest.fixture
def backend() -> Backend:
    """All of them."""
    members = (Note, echo, hidden, reveal, lie, leave, write, try_parts, texts, change_argument)
    return backend_of(*members)


@pytest.mark.parametrize("path", ["things:nothing", "things:hidden"])
def test_what_clients_may_not_call_is_not_there(backend: Backend, path: str) -> None:
    """An internal function looks to them as one that does not exist."""
    with pytest.raises(FunctionFailed, match=f"Could not find public function for '{path}'"):
        backend.query(path)


def test_a_wrong_path_gets_the_nearest(backend: Backend) -> None:
    """Of those that clients may call."""
    with pytest.raises(FunctionFailed, match="Did you mean 'things:reveal'"):
        backend.query("things:reveel")


def test_a_function_is_called_as_what_it_is(backend: Backend) -> None:
    """A query is no mutation."""
    with pytest.raises(FunctionFailed, match="as a mutation, but it is defined as a query"):
        backend.mutation("things:echo", {"text": "a"})


def test_functions_reach_internal_ones(backend: Backend) -> None:
    """In their own transaction."""
    assert backend.query(reveal) == "hidden"


def test_arguments_are_checked_before_the_handler(backend: Backend) -> None:
    """It is never entered with what does not fit."""
    with pytest.raises(FunctionFailed, match="Expected string, got number"):
        backend.query("things:echo", {"text": 1})
    assert not backend.last_call.entered


def test_results_are_checked_against_the_declared_type(backend: Backend) -> None:
    """A client relies on it."""
    with pytest.raises(FunctionFailed, match="ReturnValidationError: things:lie returned what"):
        backend.query(lie)


def test_a_handler_cannot_end_the_process(backend: Backend) -> None:
    """sys.exit() is an error like any other."""
    with pytest.raises(FunctionFailed, match="SystemExit"):
        backend.query(leave)
    assert backend.query(echo, text="still here") == "still here"


def test_a_part_that_fails_undoes_only_itself(backend: Backend) -> None:
    """An AppError crosses with its data, any other one as a text."""
    told = backend.mutation(try_parts, texts=["a", "app", "plain", "b"])
    assert told == ["AppError: {'code': 7}", "HeadwaterError: plain"]
    assert backend.query(texts) == ["a", "b"]


def test_a_failed_mutation_writes_nothing(backend: Backend) -> None:
    """Its write set is empty."""
    with pytest.raises(AppError):
        backend.mutation(write, text="app")
    assert backend.last_call.write_set.keys == set()
    assert backend.query(texts) == []


def test_a_handler_s_arguments_are_its_own(backend: Backend) -> None:
    """A followed query that changes them in place gets them unchanged the next time."""
    call: Any = {"texts": ["a"]}
    for _ in range(2):
        assert backend.mutation("things:changeArgument", call) == ["a", "more"]
    assert call == {"texts": ["a"]}


def test_refused_after_fault_s_is_a_limit() -> None:
    """So long a function that ended the last process is refused; others are not, nor it later."""
    backend = backend_of(echo, reveal, hidden, limits=Limits(refused_after_fault_s=60))
    backend._host.engine.calls.refuse("things:echo")
    backend.advance(seconds=59.999)
    with pytest.raises(FunctionFailed, match="things:echo"):
        backend.query(echo, text="a")
    assert backend.query(reveal) == "hidden"
    backend.advance(ms=1)
    assert backend.query(echo, text="a") == "a"


@pytest.mark.parametrize("spare", [0, -1])
def test_arguments_bytes_is_a_limit(spare: int) -> None:
    """Arguments of exactly the limit pass, one byte more does not; nested calls are bound too."""
    arguments = {"text": "x" * 50}
    backend = backend_of(echo, limits=Limits(arguments_bytes=size(arguments) + spare))
    if spare == 0:
        assert backend.query("things:echo", arguments) == arguments["text"]
        return
    with pytest.raises(FunctionFailed, match="the arguments of things:echo have 59 bytes"):
        backend.query("things:echo", arguments)


@pytest.mark.parametrize("spare", [0, -1])
def test_result_bytes_is_a_limit(spare: int) -> None:
    """A result of exactly the limit is sent: the text and its two quotes."""
    backend = backend_of(echo, limits=Limits(result_bytes=52 + spare))
    if spare == 0:
        assert backend.query(echo, text="x" * 50) == "x" * 50
        return
    with pytest.raises(FunctionFailed, match="returned 52 bytes, the limit is 51"):
        backend.query(echo, text="x" * 50)
