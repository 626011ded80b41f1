"""A page for tests: subscribed to queries, with a server some hundred milliseconds away.

What an official client does with optimistic updates, without a browser and without Node. The
updates lie over what the server last said; whenever it says something new they are laid anew, and
one whose mutation is answered is laid no more. Time passes only in `wait`.
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import ModuleType
from typing import Any, Protocol

from headwater.errors import HeadwaterError

Queries = list[list[Any]]
"""What a page has loaded: `[path, arguments, value]` each."""

Update = Callable[["LocalStore", dict[str, Any]], None]


class LocalStore:
    """What an optimistic update sees: the results that the page has, and a way to set others.

    Args:
        queries: the results, which are the client's own: they are read and never changed.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.written: Queries = []

    def get_query(self, path: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """The result the page shows for a query; None when it has not loaded it."""
        wanted = dict(arguments or {})
        for known, given, value in reversed([*self._queries, *self.written]):
            if (known, given) == (path, wanted):
                return value
        return None

    def set_query(self, path: str, arguments: Mapping[str, Any] | None, value: Any) -> None:
        """Show this for a query until the mutation is answered."""
        self.written.append([path, dict(arguments or {}), value])


class Page:
    """What a page's code works with.

    Attributes:
        state: the component's own state: kept as long as the page is open.
    """

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self._queries: Queries = []
        self._commands: list[dict[str, Any]] = []
        self._updates: dict[int, Update] = {}
        self._numbers = count(1)

    def query(self, path: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """The newest result of a query the page is subscribed to; None before it is there."""
        return LocalStore(self._queries).get_query(path, arguments)

    def mutation(
        self, path: str, arguments: Mapping[str, Any], *, optimistic_update: Update | None = None
    ) -> None:
        """Send a mutation; the update, if there is one, is laid over the results at once."""
        number = next(self._numbers)
        if optimistic_update is not None:
            self._updates[number] = optimistic_update
        command = {"do": "mutation", "number": number, "path": path, "arguments": dict(arguments)}
        self._commands.append({**command, "optimistic": optimistic_update is not None})

    def fetch(self, path: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Ask the server for a query once more, besides the subscription."""
        self._commands.append({"do": "fetch", "path": path, "arguments": dict(arguments or {})})
        return self.query(path, arguments)


class PageCode:
    """A page's code, run by orders that are plain data.

    Args:
        module: has `create(page, title)` and `shown(page)`.
    """

    def __init__(self, module: ModuleType) -> None:
        self._module, self._page = module, Page()

    def run(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says.

        Args:
            order: `do`: `open` a new page, `create`, `show` or `update`; with the page's `queries`.

        Returns:
            what came of it; `queries` as they are afterwards, which should be as they were.
        """
        page, queries = self._page, order.get("queries", [])
        page._queries, page._commands = queries, []
        if order["do"] == "open":
            self._page = Page()
            return {}
        if order["do"] == "create":
            self._module.create(page, order["title"])
            return {"commands": page._commands, "queries": queries}
        if order["do"] == "show":
            return {"shown": self._module.shown(page), "queries": queries}
        store = LocalStore(queries)
        page._updates[order["number"]](store, dict(order["arguments"]))
        return {"written": store.written, "queries": queries}


class Runs(Protocol):
    """Runs a page's code, here or elsewhere."""

    def run(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says; see `PageCode.run`."""


class Server(Protocol):
    """Somebody who calls the backend: a `Caller` of the tests is one."""

    def query(self, path: str, arguments: dict[str, Any], /) -> Any:
        """The result of a query."""

    def mutation(self, path: str, arguments: dict[str, Any], /) -> Any:
        """Runs a mutation."""


class SimulatedPage:
    """A page in front of a backend, as one person sees it.

    Args:
        code: the module with the page's code, or what runs it.
        server: who is signed in.
        queries: what the page is subscribed to, each a path, or a path and its arguments.
        latency_ms: from a click to the server's answer; half of it is the way there.

    Attributes:
        fetches: queries it asked for besides its subscriptions.
        refused: mutations that the server refused.
        changed_in_place: results of the server that the page's code has changed.
    """

    def __init__(
        self,
        code: ModuleType | Runs,
        server: Server,
        *,
        queries: Sequence[str | tuple[str, dict[str, Any]]] = ("tasks:getTasks",),
        latency_ms: float = 800,
    ) -> None:
        self._code = PageCode(code) if isinstance(code, ModuleType) else code
        self._server, self._latency_ms = server, latency_ms
        self._followed = [(each, {}) if isinstance(each, str) else each for each in queries]
        self._now, self._order = 0.0, count()
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._pending: dict[int, dict[str, Any]] = {}
        self.fetches = self.refused = self.changed_in_place = 0
        self._code.run({"do": "open"})
        self._said = self._results()
        self._laid = copy.deepcopy(self._said)

    def create(self, title: str) -> None:
        """Somebody types a title and presses the button."""
        answer = self._run({"do": "create", "title": title})
        for command in answer["commands"]:
            if command["do"] == "fetch":
                self.fetches += 1
            else:
                self._send(command)

    def shown(self) -> list[Any]:
        """What the page's list shows now."""
        return list(self._run({"do": "show"})["shown"])

    def wait(self, ms: float) -> None:
        """Let time pass: calls reach the server, answers reach the page."""
        until = self._now + ms
        while self._coming and self._coming[0][0] <= until:
            self._now, _, happen = heapq.heappop(self._coming)
            happen()
        self._now = until

    def told(self) -> None:
        """The server pushes what it has now: somebody else has changed something."""
        self._take(self._results())

    def _send(self, command: dict[str, Any]) -> None:
        if command["optimistic"]:
            self._pending[command["number"]] = command
            self._lay(command)
        self._at(self._latency_ms / 2, lambda: self._arrive(command))

    def _arrive(self, command: dict[str, Any]) -> None:
        """The call is made; its answer and what it changed are on their way back together."""
        try:
            self._server.mutation(command["path"], command["arguments"])
            failed = False
        except HeadwaterError:
            failed = True
        results = self._results()
        self._at(self._latency_ms / 2, lambda: self._answer(command, results, failed))

    def _answer(self, command: dict[str, Any], results: Queries, failed: bool) -> None:
        self.refused += failed
        self._pending.pop(command["number"], None)
        self._take(self._said if failed else results)

    def _take(self, results: Queries) -> None:
        """What the server says now, and over it every update that is not answered."""
        self._said = results
        self._laid = copy.deepcopy(results)
        for command in self._pending.values():
            self._lay(command)

    def _lay(self, command: dict[str, Any]) -> None:
        order = {"do": "update", "number": command["number"], "arguments": command["arguments"]}
        for path, arguments, value in self._run(order)["written"]:
            self._laid = [each for each in self._laid if each[:2] != [path, arguments]]
            self._laid.append([path, arguments, value])

    def _run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Run the code on the results; what it changes in place is changed for good, as in a
        client, which has no other copy.
        """
        before = copy.deepcopy(self._laid)
        answer = self._code.run({**order, "queries": copy.deepcopy(self._laid)})
        if answer["queries"] != before:
            self.changed_in_place += 1
            self._laid = answer["queries"]
            self._said = copy.deepcopy(answer["queries"])
        return answer

    def _results(self) -> Queries:
        return [[path, given, self._server.query(path, given)] for path, given in self._followed]

    def _at(self, later_ms: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._coming, (self._now + later_ms, next(self._order), happen))
