"""A program in the jail that answers one order at a time, about files that are laid before it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from headwater.pipe import Pipe, WorkerFailed, WorkerLimits
from headwater.remote import MalformedFrame
from headwater_workshop.sandbox import jail

_CPU_S = 120


class JailedProgram:
    """One process, started when it is first asked, and anew after it has failed.

    Args:
        module: the module that is run, such as `headwater.suite_worker`.
        called: what it is for the learner, in a message: `your tests`.
        limits: how long it may take to start and to answer.
        memory_mb: its address space.

    Attributes:
        folder: the one folder of the user's that it can read.
    """

    def __init__(self, module: str, called: str, limits: WorkerLimits, memory_mb: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="headwater-program-")).resolve()
        self._module, self._called = module, called
        self._limits, self._memory_mb = limits, memory_mb
        self._pipe: Pipe | None = None
        self._number = 0

    @property
    def printed(self) -> str:
        """The end of what it wrote to its standard error."""
        return self._pipe.printed if self._pipe is not None else ""

    def lay(self, files: Mapping[str, str]) -> None:
        """Put these files into its folder, and no others."""
        for each in self.folder.iterdir():
            shutil.rmtree(each)
        for name, text in files.items():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def ask(self, order: Mapping[str, Any], *, first: Mapping[str, Any] | None = None) -> Any:
        """Its answer to an order.

        Args:
            first: what a fresh process is told before, without an answer.

        Raises:
            WorkerFailed: it ended, was silent for too long or spoke out of turn; it is ended then.
        """
        self._number += 1
        start_s = 0.0 if self._pipe is not None else self._limits.load_s
        deadline = monotonic() + start_s + self._limits.call_s
        try:
            pipe = self._ready(first, deadline)
            pipe.check_quiet()
            pipe.send({"turn": self._number, **order}, deadline)
            answer = pipe.receive(deadline)
            if answer.get("turn") != self._number:
                raise MalformedFrame("it spoke of another order")
            return answer
        except (WorkerFailed, MalformedFrame) as error:
            raise self.failed(error) from None

    def failed(self, error: WorkerFailed | MalformedFrame) -> WorkerFailed:
        """End the process; the error says what it did."""
        printed = self.printed
        self.end()
        reason = error.reason if isinstance(error, WorkerFailed) else "malformed"
        return WorkerFailed(reason, f"{self._called}: the process {error}", printed)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            pipe.close()
            jail.kill(pipe.process)

    def close(self) -> None:
        """End the process, and take its folder away."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self, first: Mapping[str, Any] | None, deadline: float) -> Pipe:
        if self._pipe is None:
            process = jail.launch(
                [sys.executable, "-I", "-m", self._module],
                readable=[self.folder],
                cwd=self.folder,
                cpu_s=_CPU_S,
                memory_mb=self._memory_mb,
            )
            self._pipe = Pipe(process, self._limits)
            if first is not None:
                self._pipe.send(dict(first), deadline)
        return self._pipe
