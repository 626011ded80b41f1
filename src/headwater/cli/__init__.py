"""The command line: one file per command; those of other packages join by an entry-point group.

An edit hook waits for `headwater check`, so that one starts without the library of commands.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.cli.program import COMMANDS, GROUP, app

__all__ = ["COMMANDS", "GROUP", "app", "main"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The program, for those who ask for it."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.program"), name)


def main() -> None:
    """The `headwater` command."""
    if sys.argv[1:2] == ["check"]:
        gc.disable()  # it makes many objects and no garbage, then ends
        from headwater.cli.checking import answer

        answer(sys.argv[2:])  # ends the process, unless it is for the program to answer
        gc.enable()
    from headwater.cli.program import run

    run()
