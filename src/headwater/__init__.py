"""Headwater: reactive backends in Python that speak Convex's sync protocol.

The names a backend imports. A message's way through the runtime, file by file:

    server.py  ->  core/protocol.py  ->  core/session.py  ->  core/engine.py  ->  core/calls.py
    ->  core/driver.py (the handler)  <->  core/transaction.py (its reads and writes)
    ->  core/commits.py  ->  core/subscriptions.py  ->  core/session.py (a transition)  ->
    server.py
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from headwater.environment import Settings
    from headwater.errors import AppError
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

_HOMES = {
    "core.context": ("ActionCtx", "MutationCtx", "QueryCtx"),
    "core.context_storage": ("Blob", "BlobStream", "FileMetadata"),
    "core.crons": ("Crons",),
    "core.functions": (
        "action",
        "internal_action",
        "internal_mutation",
        "internal_query",
        "mutation",
        "query",
    ),
    "core.identity": ("UserIdentity",),
    "core.pagination": ("PaginationOptions", "PaginationResult"),
    "core.providers": ("CustomJwt", "Oidc"),
    "core.schema": ("Document", "Id", "Index", "Model", "SearchIndex"),
    "core.system": ("CronJob", "ScheduledFunction", "StoredFile"),
    "core.values": ("UNSET", "Int64"),
    "environment": ("Settings",),
    "errors": ("AppError",),
    "routes": ("Cors", "HttpCtx"),
}
_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # a type checker shall say of a name that there is none

    def __getattr__(name: str) -> Any:
        """A name is imported when one asks for it: commands start without what backends need."""
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(home), name)
        return found
