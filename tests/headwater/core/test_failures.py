"""Failures: what a raised error tells its clients."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headwater import AppError, Int64, Model
from headwater.core.failures import RemoteAppError, RemoteError, failure_of, remote_error
from headwater.errors import ArgumentValidationError, Conflict, NotAuthenticated, Overloaded


class Part(Model):
    """A nested object."""

    name: str


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no"), "Uncaught ValueError: no"),
        (Exception("no"), "Uncaught Error: no"),
        (KeyError(), "Uncaught KeyError: KeyError"),
        (ArgumentValidationError("no"), "Uncaught ArgumentValidationError: no"),
        (AppError("no"), "Uncaught ConvexError: no"),
        (AppError({"n": 1, "big": Int64(5)}), 'Uncaught ConvexError: {"n":1,"big":"5n"}'),
        (AppError([1.5, b"ab", None]), 'Uncaught ConvexError: [1.5,"<2 bytes>",null]'),
    ],
)
def test_the_first_line_names_the_error(error: BaseException, message: str) -> None:
    """Under the name clients know it by."""
    assert failure_of(error).message == message


def test_an_app_error_carries_its_data() -> None:
    """Encoded, as ConvexError data; another error carries none."""
    assert failure_of(AppError({"b": 1, "a": None})).data == b'{"a":null,"b":1.0}'
    assert failure_of(ValueError("no")).data is None


def test_data_that_cannot_be_sent_is_an_error_of_its_own() -> None:
    """It says so, and does not take the server with it."""
    failure = failure_of(AppError({"x": object()}))
    assert "the data of AppError cannot be sent" in failure.message
    assert failure.data is None


@pytest.mark.parametrize(
    ("error", "busy"), [(Conflict(), "Conflict"), (Overloaded(), "Overloaded"), (OSError(), None)]
)
def test_clients_try_again_after_some_errors(error: BaseException, busy: str | None) -> None:
    """After a conflict and when there is too much to do."""
    assert failure_of(error).overloaded == busy


def test_the_fix_is_told() -> None:
    """Where an error knows the next step."""
    assert "Fix:  sign in first" in failure_of(NotAuthenticated()).message


def test_a_model_s_misfit_names_the_field() -> None:
    """In one line, without links to pydantic's pages."""
    with pytest.raises(ValidationError) as error:
        Part.model_validate({"name": 1})
    message = failure_of(error.value).message
    assert message.startswith("Uncaught ValidationError: Part does not fit: name: ")
    assert "http" not in message


class Unspeakable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize("error", [Unspeakable(), Exception("\ud800")])
def test_a_hostile_text_does_no_harm(error: Exception) -> None:
    """Every failure can be sent."""
    assert failure_of(error).titled("id").encode()


def test_a_remote_error_keeps_its_words() -> None:
    """What a handler in another process raised is not worded a second time."""
    plain, app = failure_of(ValueError("no")), failure_of(AppError({"n": 1}))
    for failure, kind in ((plain, RemoteError), (app, RemoteAppError)):
        error = remote_error(failure)
        assert type(error) is kind
        assert failure_of(error) == failure
    again: Any = remote_error(app)
    assert again.data == {"n": 1.0}


def test_the_title_is_for_clients() -> None:
    """A request id to find it by in the logs."""
    assert failure_of(ValueError("no")).titled("7f").startswith("[Request ID: 7f] Server Error\nUn")
