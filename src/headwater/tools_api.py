"""What tools ask of a running server beside its data: what it serves, a range of an index, news.

Only the holder of the admin key may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from headwater.admin_api import admin_only, as_json
from headwater.auth import Auth
from headwater.changes import Changes, News
from headwater.core import values
from headwater.core.names import wire_name
from headwater.core.pages import PageBatch
from headwater.core.requests import Bound, Page, Range
from headwater.core.system import SYSTEM_SPECS
from headwater.core.transaction import Transaction
from headwater.environment import Environment, declared_variables
from headwater.errors import HeadwaterError, QueryInvalid, TableMissing
from headwater.http_api import BadRequest, body_of
from headwater.hub import Hub

MANIFEST: Final = "/api/v1/manifest"
READ: Final = "/api/v1/read"
CHANGES: Final = "/api/v1/changes"
TOOLS_ROUTES: Final = frozenset({MANIFEST, READ, CHANGES})
MOST: Final = 100
"""Documents of one read, at most: what an assistant can look through."""

_BODY_BYTES: Final = 2**20  # a range and the values of its ends
_WAIT_S: Final = 30
_LOOK_UP_S: Final = 1.0  # whether whoever waits is still there
_SHAPE: Final = (
    '{"table": ..., "index": ..., "eq": {...}, "lower": {"field__gte": ...}, '
    '"upper": {"field__lt": ...}, "order": "asc" or "desc", "take": 1 to 100, "cursor": ...}'
)
_MEMBERS: Final = {"table", "index", "eq", "lower", "upper", "order", "take", "cursor"}
_SYSTEM_FIELDS: Final = {"id": "_id", "creation_time": "_creationTime"}


class ToolsApi:
    """The routes.

    Args:
        hub: the engine's.
        auth: knows the admin key.
        environment: the deployment's variables.
        changes: of the server.
        ending: whether the server is about to end.
    """

    def __init__(
        self,
        hub: Hub,
        auth: Auth,
        environment: Environment,
        changes: Changes,
        ending: Callable[[], bool],
    ) -> None:
        self._hub, self._auth, self._environment = hub, auth, environment
        self._changes, self._ending = changes, ending

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        app.add_route(MANIFEST, admin_only(self._auth, self._manifest), ["GET"])
        app.add_route(READ, admin_only(self._auth, self._read), ["POST"])
        app.add_route(CHANGES, admin_only(self._auth, self._news), ["GET"])

    async def _manifest(self, _request: Request) -> Response:
        names = declared_variables()
        missing = self._environment.missing(names)
        return as_json(
            {
                "manifest": self._hub.engine.database.manifest.to_json(),
                "variables": [{"name": name, "set": name not in missing} for name in names],
            }
        )

    async def _read(self, request: Request) -> Response:
        page = _asked(await body_of(request, _BODY_BYTES))

        def look(transaction: Transaction) -> PageBatch:
            database = self._hub.engine.database
            if page.range.table not in {**database.catalog.tables, **database.manifest.tables}:
                raise TableMissing(page.range.table)
            found: PageBatch = transaction.answer(page)
            return found

        try:
            found = await self._hub.transact(look)
        except HeadwaterError as error:
            raise BadRequest(400, type(error).__name__, error.message) from None
        return as_json(
            {
                "documents": [values.clean(document.value) for document in found.documents],
                "cursor": None if found.done else found.cursor,
            }
        )

    async def _news(self, request: Request) -> Response:
        """What changed after a cursor, waited for if need be; without one, where to begin."""
        changes, given = self._changes, request.query_params
        if "cursor" not in given:
            return self._told(News(changes.newest, [], code=False))
        if given.get("epoch") != changes.epoch:  # of this server's life before
            return self._told(News(changes.newest, changes.since(-1).tables, code=True))
        cursor, until = _number(given, "cursor"), monotonic() + min(_number(given, "wait"), _WAIT_S)
        while True:
            news = changes.since(cursor)
            left_s = until - monotonic()
            if news or left_s <= 0 or self._ending() or await request.is_disconnected():
                return self._told(news)
            await changes.wait(news.cursor, min(left_s, _LOOK_UP_S))

    def _told(self, news: News) -> Response:
        about = {"cursor": news.cursor, "epoch": self._changes.epoch}
        return as_json({**about, "tables": news.tables, "code": news.code})


def _number(given: Mapping[str, str], name: str) -> int:
    try:
        number = int(given.get(name, 0))
    except ValueError:
        number = -1
    if not 0 <= number < 2**53:
        raise BadRequest(400, "BadQuery", f"`{name}` must be a whole number, 0 or more")
    return number


def _asked(text: bytes) -> Page:
    try:
        body = orjson.loads(text)
        unknown = set(body) - _MEMBERS
        if unknown or not isinstance(body["table"], str):
            raise ValueError
        return _page(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest(400, "BadJsonBody", f"the body must be {_SHAPE}") from None
    except QueryInvalid as error:
        raise BadRequest(400, "QueryInvalid", error.message) from None


def _page(body: Mapping[str, Any]) -> Page:
    order, take, cursor = body.get("order", "asc"), body.get("take", MOST), body.get("cursor")
    if order not in ("asc", "desc") or type(take) is not int or not 1 <= take <= MOST:
        raise ValueError
    if not isinstance(cursor, str | None):
        raise ValueError
    wanted = Range(
        table=body["table"],
        index=body.get("index") or "by_creation_time",
        equal=[(_field(f), values.from_json(v)) for f, v in (body.get("eq") or {}).items()],
        lower=_bound(body.get("lower"), "gt"),
        upper=_bound(body.get("upper"), "lt"),
        descending=order == "desc",
        system=body["table"] in SYSTEM_SPECS,
    )
    return Page(wanted, take, cursor)


def _bound(given: Mapping[str, Any] | None, beyond: str) -> Bound | None:
    """`{"field__gte": 1}`, or `{"field": 1}`, which means the same; `gt` or `lt` leave it out."""
    if not given:
        return None
    if len(given) != 1:
        raise QueryInvalid("a range has one lower and one upper end, on one field")
    ((name, value),) = given.items()
    field, _, lookup = name.partition("__")
    if lookup not in ("", beyond, f"{beyond}e"):
        raise QueryInvalid(f"`{name}`: this end of a range is {field}__{beyond} or __{beyond}e")
    return Bound(_field(field), values.from_json(value), lookup != beyond)


def _field(name: str) -> str:
    return _SYSTEM_FIELDS.get(name) or (name if name.startswith("_") else wire_name(name))
