"""How people write functions, arguments and results, and how they are on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.core.manifest import canonical_path
from headwater.core.names import wire_name


def wire_path(function: str) -> str:
    """A function's path on the wire, from `tasks:create_task`, `tasks.create_task` or itself."""
    module, _, name = canonical_path(function.replace(".", "/")).partition(":")
    return f"{module}:{wire_name(name)}"


def wire_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments under their names on the wire, from those or the ones of Python."""
    return {wire_name(name): value for name, value in given.items()}


def integral(value: Any) -> Any:
    """Numbers as people write them: 3 rather than 3.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: integral(member) for key, member in value.items()}
    return [integral(item) for item in value] if isinstance(value, list) else value
