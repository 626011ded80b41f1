"""Headwater: reactive backends in Python that speak Convex's sync protocol.

The names a backend imports. A message's way through the runtime, file by file:

    server.py  ->  core/protocol.py  ->  core/session.py  ->  core/engine.py  ->  core/calls.py
    ->  core/driver.py (the handler)  <->  core/transaction.py (its reads and writes)
    ->  core/commits.py  ->  core/subscriptions.py  ->  core/session.py (a transition)  ->
    server.py
"""

from typing import TYPE_CHECKING, Any

from headwater.core.context import ActionCtx, MutationCtx, QueryCtx
from headwater.core.context_storage import Blob, BlobStream, FileMetadata
from headwater.core.crons import Crons
from headwater.core.functions import (
    action,
    internal_action,
    internal_mutation,
    internal_query,
    mutation,
    query,
)
from headwater.core.identity import UserIdentity
from headwater.core.pagination import PaginationOptions, PaginationResult
from headwater.core.providers import CustomJwt, Oidc
from headwater.core.schema import Document, Id, Index, Model, SearchIndex
from headwater.core.system import CronJob, ScheduledFunction, StoredFile
from headwater.core.values import UNSET, Int64
from headwater.errors import AppError

if TYPE_CHECKING:
    from headwater.environment import Settings
    from headwater.routes import Cors, HttpCtx

__all__ = [
    "UNSET",
    "ActionCtx",
    "AppError",
    "Blob",
    "BlobStream",
    "Cors",
    "CronJob",
    "Crons",
    "CustomJwt",
    "Document",
    "FileMetadata",
    "HttpCtx",
    "Id",
    "Index",
    "Int64",
    "Model",
    "MutationCtx",
    "Oidc",
    "PaginationOptions",
    "PaginationResult",
    "QueryCtx",
    "ScheduledFunction",
    "SearchIndex",
    "Settings",
    "StoredFile",
    "UserIdentity",
    "action",
    "internal_action",
    "internal_mutation",
    "internal_query",
    "mutation",
    "query",
]


def __getattr__(name: str) -> Any:
    """What needs a library that not every backend uses is imported when one asks for it."""
    if name == "Settings":
        from headwater.environment import Settings

        return Settings
    if name in ("Cors", "HttpCtx"):
        from headwater import routes

        return getattr(routes, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
