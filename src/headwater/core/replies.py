"""Replies to a client's mutations, made once their batch is durable or lost."""

from __future__ import annotations

import hashlib

import orjson

from headwater.core import protocol, values
from headwater.core.calls import Call, Outcome
from headwater.core.failures import Disclosure, Failure, failure_of
from headwater.core.session import Session
from headwater.core.storage import SessionRequest
from headwater.core.work import Delivery
from headwater.errors import LimitExceeded, SessionRequestMismatch


def acknowledged(
    session: Session, request_id: int, outcome: Outcome, ts: int, disclosure: Disclosure
) -> Delivery:
    """The answer to a mutation.

    Args:
        session: who asked.
        request_id: under which number.
        outcome: how it ended.
        ts: the commit's timestamp.
        disclosure: how much of a failure the client is told.
    """
    session.moved = True  # a failed one too: the PyPI client waits for it before it tells
    failure = outcome.failure
    lines = disclosure.lines(outcome.log_lines)
    if failure is None:
        value = outcome.value or b"null"
        text = protocol.mutation_response(request_id, value, ts, lines)
    else:
        message = disclosure.message(failure, outcome.request_id)
        text = protocol.mutation_failed(request_id, message, failure.data, lines)
    return Delivery([session], [text])


def recalled(known: SessionRequest, mark: bytes, lost: Failure | None, ts: int) -> Outcome:
    """How a mutation ended that was applied before; a failure has no request id yet.

    Args:
        known: what was noted when it was applied.
        mark: the fingerprint of what is asked now.
        lost: why the batch it may have been applied in was not kept.
        ts: the newest durable timestamp.
    """
    if known.fingerprint != mark:
        return Outcome(failure=failure_of(SessionRequestMismatch()))
    if lost is not None and known.ts > ts:
        return Outcome(failure=lost)
    return Outcome(value=known.value, log_lines=orjson.loads(known.log_lines))


def message_too_large(bytes_: int, limit: int) -> LimitExceeded:
    """Why a request was not read: it is answered, lest its client sends it again for ever."""
    return LimitExceeded(
        f"the message has {bytes_} bytes, the limit is {limit}. Send less at once: several "
        "mutations, or a file"
    )


def fingerprint(call: Call) -> bytes:
    """What a re-sent mutation must agree in: who, what, with which arguments.

    Who is told by the token identifier: another token of the same person may make other claims.
    """
    who = str(call.identity and call.identity["tokenIdentifier"])
    parts = (who, call.path, values.encode(call.arguments).decode())
    return hashlib.sha256("\x00".join(parts).encode()).digest()
