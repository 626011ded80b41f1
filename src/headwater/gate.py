"""The gate: which hosts and origins are answered at all.

A browser is not trusted because it runs on this machine: a page from anywhere can call a local
server. So Host must be a name this server is known by, and Origin absent, loopback or allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:@/?#\[\]]+))(?::\d+)?", re.IGNORECASE)
_SCHEME = re.compile("https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Gate:
    """What this server answers to.

    Attributes:
        hosts: names besides loopback that Host may carry.
        origins: origins besides loopback that may call, such as `https://app.example.org`.
    """

    hosts: frozenset[str] = field(default_factory=frozenset)
    origins: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, bound: str, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> Gate:
        """The gate of a server bound to an address."""
        names = frozenset(host.lower() for host in (bound, *hosts))
        return cls(names, frozenset(origin.rstrip("/").lower() for origin in origins))

    def refuses(self, headers: dict[str, str]) -> str | None:
        """Why a request is refused, None when it may pass.

        Args:
            headers: the request's, under lower-case names.
        """
        host = _host_name(headers.get("host", ""))
        if host not in _LOOPBACK and host not in self.hosts:
            return (
                f"Host {headers.get('host', '')!r} is not a name of this server. "
                "Start it with --allow-host NAME if it should be."
            )
        origin = headers.get("origin")
        if origin is None or self.allows_origin(origin):
            return None
        return (
            f"Origin {origin!r} may not call this server. "
            "Start it with --allow-origin ORIGIN if it should."
        )

    def refuses_site(self, headers: dict[str, str], cors: Any) -> str | None:
        """Why a request for an HTTP route is refused, None when it may pass.

        What is no browser sends no Origin and passes: webhooks come from anywhere.

        Args:
            headers: the request's, under lower-case names.
            cors: what the routes themselves declare, None for nothing.
        """
        origin, host = headers.get("origin"), headers.get("host", "")
        own = origin is not None and _SCHEME.sub("", origin).lower() == host.lower()
        allowed = own or (cors is not None and origin is not None and cors.allows(origin))
        refusal = self.refuses({"host": host} if allowed else headers)
        if refusal is None or not refusal.startswith("Origin"):
            return refusal
        return (
            f"Origin {origin!r} may not call these routes. Allow it in backend/routes.py: "
            f'cors = Cors(allow_origins=["{origin}"])'
        )

    def allows_origin(self, origin: str) -> bool:
        """True for a loopback origin and for the allowed ones."""
        if origin.lower() in self.origins or "*" in self.origins:
            return True
        scheme = _SCHEME.match(origin)
        return scheme is not None and _host_name(origin[scheme.end() :]) in _LOOPBACK


def _host_name(host: str) -> str:
    """The name without its port, in lower case; empty for what no browser would send."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""
