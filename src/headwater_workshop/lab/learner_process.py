"""How a learner's process is started: in the jail, with the few ports of this machine it may reach,
and with the stand-ins of the outside world that listen there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from headwater.fake_http import FakeHttp
from headwater.fake_model import FakeModel
from headwater.pipe import Process
from headwater.stand_in import StandIn
from headwater.worlds import World
from headwater_workshop.sandbox import jail

_CPU_S = 120
_BODY_BYTES = 2**20
"""Of a request to a stand-in: those that come at once are in the grader's memory."""


class SandboxTooWeak(Exception):
    """A worker that was to reach the stand-ins, on a machine that cannot hold it while it does."""

    def __init__(self, level: str, least: str) -> None:
        super().__init__(
            f"with a network the sandbox of this machine is {level}, and {least} is the least here"
        )


class LearnerProcess:
    """Starts the worker of one project, as often as it takes; close it after the last.

    Args:
        folder: what the worker may read, beside Python.
        least: the level of the jail below which nothing is given a network.

    Attributes:
        level: the lowest level of the jail that any of its workers had.
        model_key: the key with which the stand-in of the model is to be asked.
    """

    def __init__(self, folder: Path, least: str = "L1") -> None:
        self._folder, self._least = folder, least
        self._model: FakeModel | None = None
        self._http: FakeHttp | None = None
        self.level = jail.jail_level()
        self.model_key = f"sk-ant-test-{secrets.token_hex(20)}"

    def __call__(self) -> Process:
        """A fresh worker process."""
        return self._started(None)

    def started_in(self, world: World) -> Process:
        """A fresh worker process for another world."""
        return self._started(world.environment)

    def _started(self, environment: Mapping[str, str] | None) -> Process:
        ports, folder = self.ports, self._folder
        self.level = min(self.level, jail.jail_level(network=bool(ports)))
        return jail.launch_worker(
            readable=[folder], cwd=folder, cpu_s=_CPU_S, ports=ports, environment=environment
        )

    @property
    def model(self) -> FakeModel:
        """The stand-in of the model, which is started when it is first asked for; workers that are
        started from then on reach it.

        Raises:
            SandboxTooWeak: they could not be held.
        """
        self._check_network()
        self._model = self._model or FakeModel(word_delay_s=0.0, body_bytes=_BODY_BYTES)
        return self._model

    @property
    def http(self) -> FakeHttp:
        """The stand-in of every other service; as `model`."""
        self._check_network()
        self._http = self._http or FakeHttp(body_bytes=_BODY_BYTES)
        return self._http

    @property
    def ports(self) -> tuple[int, ...]:
        """What a worker that is started now may connect to."""
        return tuple(urlsplit(each.url).port or 0 for each in self._stand_ins)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead to the stand-ins."""
        if self._model is None:
            return {}
        return {"ANTHROPIC_BASE_URL": self._model.url, "ANTHROPIC_API_KEY": self.model_key}

    def close(self) -> None:
        """Ends the stand-ins."""
        for each in self._stand_ins:
            each.close()
        self._model = self._http = None

    def _check_network(self) -> None:
        level = jail.jail_level(network=True)
        if level < self._least:
            raise SandboxTooWeak(level, self._least)

    @property
    def _stand_ins(self) -> list[StandIn]:
        return [each for each in (self._model, self._http) if each is not None]
