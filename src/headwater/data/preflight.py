"""Looking ahead: what another backend would meet in a database, asked of the engine bit by bit."""

from __future__ import annotations

from headwater.core.manifest import Manifest
from headwater.core.preflight import Found, Preflight
from headwater.data import Ask, Tell, quiet


def look_ahead(ask: Ask, manifest: Manifest, tell: Tell = quiet) -> Found:
    """What a backend would meet; clients of a server notice nothing of it.

    Args:
        ask: does a step on the database between the engine's batches.
        manifest: the backend that may come.
        tell: told of progress.
    """
    preflight = ask(lambda database: Preflight(database, manifest))
    while ask(lambda _: preflight.step()):
        tell("documents", preflight.checked, 0)
    return ask(lambda _: preflight.found())
