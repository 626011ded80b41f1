"""The deployment's variables: kept in a file of the project, put into the process's environment.

What a backend reads comes from here, first found first taken: the addresses the server is bound to,
the variables of `headwater env set`, the process's own environment, and in development the
project's `.env.local` and `.env`.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from headwater.errors import VariableInvalid
from headwater.settings import STATE, Limits

FILE: Final = "env.json"
BUILT_IN: Final = ("CONVEX_CLOUD_URL", "CONVEX_SITE_URL")
DOTENV: Final = (".env", ".env.local")  # the later one wins
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OURS: Final = "HEADWATER_"


def addresses(host: str, port: int, site_port: int | None = None) -> dict[str, str]:
    """The built-in variables of a server bound to an address.

    Args:
        host: a name, or an address of either kind.
        port: where the API is.
        site_port: where the HTTP routes are; without, below `/http` of the API.
    """
    origin = f"http://{f'[{host}]' if ':' in host else host}"
    cloud = f"{origin}:{port}"
    site = f"{cloud}/http" if site_port is None else f"{origin}:{site_port}"
    return dict(zip(BUILT_IN, (cloud, site), strict=True))


class Variables:
    """The variables of one deployment, in a file that only its owner may read.

    Args:
        root: the project's folder.
        limits: how many, how long.
    """

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self._file = root / STATE / FILE
        self._limits = limits or Limits()
        self._lock = threading.Lock()

    def read(self) -> dict[str, str]:
        """All of them, by name.

        Raises:
            VariableInvalid: the file was changed by hand into something else.
        """
        try:
            kept = orjson.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(v, str) for v in kept.values()):
            raise VariableInvalid(
                f"{self._file} is not what `headwater env` writes. Mend it (a JSON object of "
                "texts), or delete it and set the variables again"
            )
        return dict(sorted(kept.items()))

    def change(self, changes: Mapping[str, str | None]) -> None:
        """Sets variables; None removes one. All of the changes are made, or none.

        Raises:
            VariableInvalid: a name or a value that cannot be, or too many; says which.
        """
        for name, value in changes.items():
            self.check(name, value)
        with self._lock:
            kept = self.read()
            for name, value in changes.items():
                if value is None:
                    kept.pop(name, None)
                else:
                    kept[name] = value
            if len(kept) > self._limits.variables:
                raise VariableInvalid(
                    f"a deployment may have {self._limits.variables} variables, these would be "
                    f"{len(kept)}. Remove some, or keep several values in one as JSON"
                )
            self._write(kept)

    def check(self, name: str, value: str | None) -> None:
        """Sees whether a variable may be.

        Raises:
            VariableInvalid: its name or its value may not.
        """
        limits = self._limits
        if not _NAME.fullmatch(name):
            raise VariableInvalid(
                f"{name[:80]!r} is no name of a variable: a letter, then letters, digits and `_`"
            )
        if len(name) > limits.variable_name_chars:
            raise VariableInvalid(
                f"the name {name[:80]} has {len(name)} characters, the limit is "
                f"{limits.variable_name_chars}. Give it a shorter one"
            )
        if name.upper() in BUILT_IN:
            raise VariableInvalid(f"{name} is built in: the server says its own address there")
        if name.upper().startswith(_OURS):
            raise VariableInvalid(
                f"{name} belongs to the server, not to the backend: set it in the environment the "
                "server is started in"
            )
        if value is not None:
            _check_value(name, value, limits.variable_bytes)

    def _write(self, variables: dict[str, str]) -> None:
        self._file.parent.mkdir(exist_ok=True)
        written = self._file.with_suffix(".tmp")
        written.unlink(missing_ok=True)  # it could be readable by others
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(orjson.dumps(variables, option=orjson.OPT_INDENT_2))
            opened.flush()
            os.fsync(opened.fileno())
        written.replace(self._file)


def _check_value(name: str, value: str, limit: int) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise VariableInvalid(f"the value of {name} is no Unicode text") from None
    if "\0" in value:
        raise VariableInvalid(f"the value of {name} holds a NUL character, no environment can")
    if size > limit:
        raise VariableInvalid(
            f"the value of {name} has {size} bytes, the limit is {limit}. Keep large things in a "
            "document or a file"
        )


class Put:
    """Variables put into the process's environment, and what was there before them."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def put(self, variables: Mapping[str, str | None]) -> None:
        """Sets these; None takes a variable away."""
        for name, value in variables.items():
            self._before.setdefault(name, os.environ.get(name))
            _set(name, value)

    def undo(self) -> None:
        """Puts everything back as it was."""
        while self._before:
            _set(*self._before.popitem())


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
