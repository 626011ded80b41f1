"""Handlers in this process: the default placement."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from headwater.core import guard
from headwater.core.calls import AnswerOne, Frame
from headwater.core.codecs import lower
from headwater.core.context import ActionCtx, MutationCtx, QueryCtx, Runner
from headwater.core.database import Database
from headwater.core.driver import Run
from headwater.core.functions import Function
from headwater.core.logs import CallLog, current_log
from headwater.core.manifest import FunctionSpec, Manifest
from headwater.core.registry import App
from headwater.core.spending import spending
from headwater.core.twice import Twice
from headwater.core.values import own_copy
from headwater.errors import ArgumentValidationError
from headwater.settings import UNGUARDED, Guards, Limits

R = TypeVar("R")


class InProcess:
    """Runs handlers of a loaded backend here, each driven to its end.

    Args:
        app: the loaded backend.
        limits: its limits.
        guards: what is looked after beside the rules that always hold.
    """

    def __init__(self, app: App, limits: Limits, guards: Guards = UNGUARDED) -> None:
        self._app = app
        self._limits = limits
        self._guarded = guards.outside
        self._twice = Twice(app.root, limits) if guards.twice else None
        if guards.outside:
            guard.install()

    @property
    def manifest(self) -> Manifest:
        """The loaded backend as plain data."""
        return self._app.manifest

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._app.root

    @property
    def site(self) -> Any:
        """The application of its HTTP routes; None when it has none."""
        return self._app.site

    @property
    def app(self) -> App:
        """The loaded backend."""
        return self._app

    def attach(self, database: Database) -> None:
        """Lets ids be told apart by table without asking."""
        self._app.tables.table_of = lambda text: database.catalog.table_of(text)

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Drives a query or mutation to its end and gives its result as a value."""
        if self._twice is not None and self._twice.due(frame.spec.path):
            return self._twice.run(self._run, frame, answer)
        return self._run(frame, answer)

    def _run(self, frame: Frame, answer: AnswerOne) -> Any:
        function = self._app.functions[frame.spec.path]
        keywords = restored(function, frame.arguments)
        result = self.drive(frame, function.handler, keywords, answer, self._guarded)
        return lower(result, joined=True)

    def drive(
        self,
        frame: Frame,
        handler: Callable[..., Coroutine[Any, Any, R]],
        keywords: dict[str, Any],
        answer: AnswerOne,
        guarded: bool = False,
    ) -> R:
        """Drives any handler to its end, as if the frame's function had it."""
        spec = frame.spec
        run = Run(
            answer_one=answer,
            function=spec.path,
            kind=spec.kind,
            limit_s=None if frame.nested else self._limits.function_limit_s,
            root=self._app.root,
        )
        run.guarded = guarded
        ctx = (
            MutationCtx(run, self._app.tables, frame.now_ms, frame.seed)
            if spec.kind == "mutation"
            else QueryCtx(run, self._app.tables)
        )
        token = current_log.set(frame.log)
        try:
            return run.drive(handler(ctx, **keywords))
        finally:
            current_log.reset(token)

    async def run_action(
        self,
        spec: FunctionSpec,
        arguments: dict[str, Any],
        identity: dict[str, Any] | None,
        runner: Runner,
        log: CallLog,
        database: Database,
    ) -> Any:
        """Awaits an action on the running event loop and gives its result as a value."""
        function = self._app.functions[spec.path]
        ctx = self.action_ctx(identity, runner, database)
        watch: AbstractContextManager[None] = nullcontext()
        if self._guarded and spec.is_public:
            watch = spending(spec.path, spec.source, function.handler, log)
        token = current_log.set(log)
        try:
            with watch:
                result = await function.handler(ctx, **restored(function, arguments))
            return lower(result, joined=True)
        finally:
            current_log.reset(token)

    def action_ctx(
        self, identity: dict[str, Any] | None, runner: Runner, database: Database
    ) -> ActionCtx:
        """The ctx of an action, or of a route."""
        clock = database.clock
        return ActionCtx(runner, identity, clock.now_ms, clock.seed())


def restored(function: Function, arguments: dict[str, Any]) -> dict[str, Any]:
    """Checked arguments as the handler's own keywords; a model's own validators run here.

    Raises:
        ArgumentValidationError: one of those validators refused a value.
    """
    try:
        return function.keywords(own_copy(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        raise ArgumentValidationError(f"{error.title}: {first['msg']}\nPath: .{path}") from None
