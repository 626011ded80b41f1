"""The origin of a deployment: what URLs it hands out begin with."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

_EVERYWHERE = ("0.0.0.0", "::")


def origin_of(listening: socket.socket, names: Sequence[str] = ()) -> str:
    """Where clients reach a server.

    Args:
        listening: the socket it is bound to.
        names: what `--allow-host` named.

    Returns:
        `CONVEX_CLOUD_URL` where it is set (behind a proxy only who starts the server knows it),
        else the bound address. One bound to every address has none of its own: its first name
        stands for it, or loopback.
    """
    address = urlsplit(os.environ.get("CONVEX_CLOUD_URL") or _bound(listening))
    if address.hostname not in _EVERYWHERE:
        return f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"
    host = names[0] if names else "127.0.0.1"
    return f"{address.scheme}://{host}:{address.port}"


def _bound(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
