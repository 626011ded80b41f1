"""Replies to a client's mutations, made once their batch is durable or lost."""

from __future__ import annotations

import hashlib

import orjson

from headwater.core import protocol, values
from headwater.core.calls import Call, Outcome
from headwater.core.failures import Failure, failure_of
from headwater.core.session import Session
from headwater.core.storage import SessionRequest
from headwater.core.work import Delivery
from headwater.errors import SessionRequestMismatch


def acknowledged(
    session: Session, request_id: int, outcome: Outcome, lost: Failure | None, ts: int, title: str
) -> Delivery:
    """The answer to a mutation that was run.

    Args:
        session: who asked.
        request_id: under which number.
        outcome: how it ended.
        lost: why its batch was not kept.
        ts: the commit's timestamp.
        title: the request id for the text of a failure.
    """
    session.moved = True  # a failed one too: the PyPI client waits for it before it tells
    failure = outcome.failure or lost
    if failure is None:
        value = outcome.value or b"null"
        text = protocol.mutation_response(request_id, value, ts, outcome.log_lines)
    else:
        text = protocol.mutation_failed(
            request_id, failure.titled(title), failure.data, outcome.log_lines
        )
    return Delivery([session], [text])


def replayed(
    session: Session,
    known: SessionRequest,
    mark: bytes,
    lost: Failure | None,
    ts: int,
    title: str,
) -> Delivery:
    """The answer to a mutation that was applied before; arguments as for `acknowledged`.

    Args:
        known: what was noted when it was applied.
        mark: the fingerprint of what is asked now.
    """
    session.moved = True
    failure = lost if lost is not None and known.ts > ts else None
    if known.fingerprint != mark:
        failure = failure_of(SessionRequestMismatch())
    if failure is not None:
        text = protocol.mutation_failed(known.request_id, failure.titled(title), None, [])
    else:
        lines = orjson.loads(known.log_lines)
        text = protocol.mutation_response(known.request_id, known.value, known.ts, lines)
    return Delivery([session], [text])


def fingerprint(call: Call) -> bytes:
    """What a re-sent mutation must agree in: who, what, with which arguments.

    Who is told by the token identifier: another token of the same person may make other claims.
    """
    who = str(call.identity and call.identity["tokenIdentifier"])
    parts = (who, call.path, values.encode(call.arguments).decode())
    return hashlib.sha256("\x00".join(parts).encode()).digest()
