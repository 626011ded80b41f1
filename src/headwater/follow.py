"""A query of a running server, followed: a small client of the sync protocol.

None -> connected -> (lost -> connected again)*: results that come again after a lost connection
are given once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from headwater.core import values
from headwater.core.protocol import decode_ts
from headwater.deployment import dev_identity
from headwater.errors import NoServer, QueryFailed
from headwater.spelling import integral

_PATH: Final = "/api/sync"  # of no version: whole transitions, however large
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_QUERY_ID: Final = 0


@dataclass(frozen=True)
class Followed:
    """What is followed, and as whom.

    Attributes:
        url: the server.
        key: its admin key.
        path: the query, as on the wire.
        arguments: its arguments, under their names on the wire.
        subject: whom the query takes for its caller; None for nobody.
    """

    url: str
    key: str
    path: str
    arguments: Mapping[str, Any]
    subject: str | None = None


@dataclass(frozen=True)
class Result:
    """One result of a followed query.

    Attributes:
        value: as people write it.
        ts: of the database it is of, in ns since 1970.
    """

    value: Any
    ts: int


async def follow(what: Followed) -> AsyncGenerator[Result, None]:
    """The query's result, then each that differs from the one before, for ever.

    Raises:
        NoServer: none answers at first, or one that is not this deployment's.
        QueryFailed: the query failed; its text is the one every client gets.
    """
    last: Result | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            async with aclosing(_connection(what)) as results:
                async for result in results:
                    pause_s = _FIRST_PAUSE_S
                    if last is None or result.value != last.value:
                        yield result
                    last = result
        except (OSError, InvalidHandshake, ConnectionClosed):
            if last is None:
                raise NoServer(what.url) from None
        await asyncio.sleep(pause_s)  # it is being started anew, most likely
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _connection(what: Followed) -> AsyncGenerator[Result, None]:
    """The results of one connection, until it ends."""
    address = what.url.rstrip("/").replace("http", "ws", 1) + _PATH
    async with connect(
        address, max_size=None, compression=None, proxy=None, close_timeout=1
    ) as socket:
        await _subscribe(socket, what)
        async for text in socket:
            message = orjson.loads(text)
            _check(message, what)
            if message["type"] == "Transition":
                for result in _results(message):
                    yield result


async def _subscribe(socket: ClientConnection, what: Followed) -> None:
    identity = {} if what.subject is None else {"impersonating": dev_identity(what.subject)}
    query = {
        "type": "Add",
        "queryId": _QUERY_ID,
        "udfPath": what.path,
        "args": [dict(what.arguments)],
    }
    for message in (
        {"type": "Connect", "sessionId": str(uuid.uuid4()), "connectionCount": 0},
        {"type": "Authenticate", "baseVersion": 0, "tokenType": "Admin", "value": what.key}
        | identity,
        {"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": [query]},
    ):
        await socket.send(orjson.dumps(message).decode())


def _check(message: Mapping[str, Any], what: Followed) -> None:
    if message["type"] == "AuthError":
        raise NoServer(what.url)  # another project's server has the address by now
    if message["type"] == "FatalError":
        raise QueryFailed(str(message["error"]))


def _results(transition: Mapping[str, Any]) -> list[Result]:
    ts = decode_ts(transition["endVersion"]["ts"])
    found = []
    for change in transition["modifications"]:
        if change["type"] == "QueryFailed":
            raise QueryFailed(str(change["errorMessage"]))
        value = values.clean(values.from_json(change["value"]))
        found.append(Result(integral(value), ts))
    return found
