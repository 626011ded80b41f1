"""Where a project's server is, and what opens it to whoever owns the project's folder."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import orjson

from headwater.settings import DEV_ISSUER, STATE


def running_url(root: Path) -> str | None:
    """The address of the server that the project's folder says is running; None if it says none."""
    url = running_server(root).get("url")
    return None if url is None else str(url)


def running_server(root: Path) -> dict[str, Any]:
    """What the project's server wrote of itself (`url`, `dev`); empty when it has none."""
    try:
        written = orjson.loads((root / STATE / "server.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def admin_key(root: Path) -> str:
    """The deployment's admin key; `none` where no server has made one yet."""
    preset = os.environ.get("HEADWATER_ADMIN_KEY")
    try:
        return preset or (root / STATE / "admin_key").read_text().strip()
    except OSError:
        return "none"  # no server has run here yet


def dev_identity(subject: str) -> dict[str, Any]:
    """The development identity of a person, as one who has the admin key may act."""
    return {"issuer": DEV_ISSUER, "subject": subject, "name": subject}


def authorization(key: str, subject: str | None = None) -> str:
    """The header of an admin request.

    Args:
        key: the admin key.
        subject: acts as this person; None for nobody.
    """
    if subject is None:
        return f"Convex {key}"
    identity = base64.b64encode(orjson.dumps(dev_identity(subject))).decode()
    return f"Convex {key}:{identity}"
