"""How a server is started: what the command line says, as the server's process gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ServerOptions:
    """How a server is started.

    Attributes:
        root: the project's folder.
        dev: development: tokens for pages, the backend watched.
        allow_hosts: further names for Host.
        allow_origins: further origins, or `*`.
        show_errors: clients are told messages, traces and log lines in production too.
        site_port: where HTTP routes are served; None for the port after `port`.
        after_fault: the process before this one was ended by what it ran.
        dev_tokens: development tokens are taken in production too.
        verbose: show every call in the terminal.
    """

    root: Path
    host: str = "127.0.0.1"
    port: int = 3210
    dev: bool = False
    allow_hosts: list[str] = field(default_factory=list)
    allow_origins: list[str] = field(default_factory=list)
    after_fault: bool = False
    verbose: bool = False
    show_errors: bool = False
    dev_tokens: bool = False
    site_port: int | None = None
