"""The gate: which hosts and origins are answered at all.

A browser is not trusted because it runs on this machine: a page from anywhere can call a local
server. So Host must be a name this server is known by, and Origin absent, loopback or allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
        return cls(frozenset((bound, *hosts)), frozenset(o.rstrip("/") for o in origins))

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

    def allows_origin(self, origin: str) -> bool:
        """True for a loopback origin and for the allowed ones."""
        if origin in self.origins or "*" in self.origins:
            return True
        return (urlsplit(origin).hostname or "") in _LOOPBACK


def _host_name(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "") if host else ""
