"""The two spellings of a name: snake_case in Python, camelCase on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable

from headwater.errors import RegistrationError


def wire_name(name: str) -> str:
    """`project_id` as `projectId`; leading underscores stay."""
    head, *rest = name.split("_") if not name.startswith("_") else [name]
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def python_name(name: str) -> str:
    """`projectId` as `project_id`."""
    return re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), name)


def checked_wire_names(names: Iterable[str], where: str) -> dict[str, str]:
    """Python names with their wire names.

    Raises:
        RegistrationError: a name that does not survive the way there and back, or two that collide.
    """
    result: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in names:
        wire = wire_name(name)
        if wire in taken:
            raise RegistrationError(
                f"{where}: `{taken[wire]}` and `{name}` are both `{wire}` on the wire; rename one"
            )
        if python_name(wire) != name:
            raise RegistrationError(
                f"{where}: the name `{name}` becomes `{wire}` on the wire and "
                f"`{python_name(wire)}` on the way back; use plain "
                "snake_case, with a letter after each underscore"
            )
        result[name] = wire
        taken[wire] = name
    return result
