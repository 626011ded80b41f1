"""Opening a room: the board's app laid into a folder, served, and how learners reach it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Final

from headwater_workshop.kit import KitError, write_whole

PORT: Final = 3219
_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another one
_CODE_LETTERS: Final = 6
_SOMEWHERE: Final = ("192.0.2.1", 9)  # an address for documentation: nothing is sent there


def lay_app(folder: Path) -> str:
    """Lay the board into a folder, over an older one; gives the room's code, which stays.

    Raises:
        KitError: the folder holds something else.
    """
    mark = folder / ".headwater" / "room-code"
    if folder.is_dir() and any(folder.iterdir()) and not mark.is_file():
        fix = "name a folder that is not there yet: headwater classroom --dir room-1"
        raise KitError(f"{folder} holds something else.", where=str(folder), fix=fix)
    with resources.as_file(resources.files("headwater_workshop.classroom") / "app") as app:
        shutil.copytree(
            app, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    if mark.is_file():
        return mark.read_text(encoding="utf-8").strip()
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_whole(mark, code + "\n")
    return code


def serve(folder: Path, code: str, *, lan: str | None, port: int) -> subprocess.Popen[bytes]:
    """Start the board's server.

    Args:
        lan: the address in the local network to be reached at; None for this machine alone.
    """
    words = [sys.executable, "-m", "headwater", "serve", "--port", str(port)]
    words += ["--host", lan, "--allow-host", lan] if lan else []
    environment = {**os.environ, "ROOM_CODE": code}
    log = folder / ".headwater" / "room.log"
    with log.open("ab") as calls:  # a line for each call, which nobody wants beside the code
        return subprocess.Popen(words, cwd=folder, env=environment, stdout=calls)


def lan_address() -> str | None:
    """This machine's address in the network that leads out; None when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address


def is_free(host: str, port: int) -> bool:
    """Whether a port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
