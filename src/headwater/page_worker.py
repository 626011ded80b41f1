"""A process that runs the code of a page for a host: `python -I -m headwater.page_worker`.

It takes `{"load": FOLDER, "module": "tests.optimistic"}` and then orders of testing_page.py from
its standard input, and answers on its standard output; remote.py has the frames. What the code
prints goes to standard error.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any, Final

from headwater import remote
from headwater.host_pipe import HostGone, HostPipe
from headwater.testing_page import PageCode

_TEXT: Final = 300


class Program:
    """The code of a page, imported anew whenever a page is opened.

    Args:
        folder: the project.
        module: where the code is.
    """

    def __init__(self, folder: str, module: str) -> None:
        sys.path.insert(0, folder)
        self._module = module
        self._known = set(sys.modules)
        self._code: PageCode | None = None

    def answer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of an order; an error of the code is an answer too."""
        try:
            if order["do"] == "open" or self._code is None:
                self._code = PageCode(self._imported())
            return self._code.run(order)
        except HostGone:
            raise
        except BaseException as error:  # its sys.exit() as well
            return {"error": f"{type(error).__name__}: {error}"[:_TEXT]}

    def _imported(self) -> Any:
        for name in set(sys.modules) - self._known:
            if name.partition(".")[0] in ("tests", "backend"):
                del sys.modules[name]
        return importlib.import_module(self._module)


def main() -> None:
    """Serves the host that started it."""
    sys.dont_write_bytecode = True
    pipe = HostPipe()
    try:
        order = pipe.receive()
        program = Program(order["load"], order["module"])
        while True:
            order = pipe.receive()
            pipe.send({"turn": order["turn"], **_plain(program.answer(order))})
    except HostGone:
        return


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that can be written down; what cannot is an error of the page's."""
    try:
        remote.frame(answer)
        return answer
    except TypeError as error:
        return {"error": f"the page showed or wrote what is no plain data: {error}"[:_TEXT]}


if __name__ == "__main__":
    main()
