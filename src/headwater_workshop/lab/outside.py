"""The part of a lab that is outside of the backend: its environment, the services its actions call,
the files that clients send and fetch, and what its process writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headwater.errors import HeadwaterError
from headwater.fake_http import FakeHttp
from headwater.fake_model import FakeModel
from headwater_workshop.lab.bench import Bench
from headwater_workshop.lab.learner_process import LearnerProcess


@dataclass(frozen=True)
class FileFacts:
    """A file in the backend's storage, as the host knows it.

    Attributes:
        id: its storage id.
        size: bytes.
        sha256: the hash, in base64.
        content_type: as its uploader gave it; None when it gave none.
    """

    id: str
    size: int
    sha256: str
    content_type: str | None


class Outside(Bench):
    """A bench with an outside world, made of stand-ins."""

    def __init__(self, *about: Any, **named: Any) -> None:
        super().__init__(*about, **named)
        self._variables: dict[str, str] = {}
        self._outside: FakeHttp | None = None
        self._printed_before = len(self._all_printed)

    def close(self) -> None:
        """Let the database go, and the learner's environment be as it was."""
        super().close()
        self._worker.preload = ()
        if self._variables:
            self._variables = {}
            self._renew()

    # the environment

    def set_env(self, **variables: str | None) -> None:
        """Set variables of the learner's process until the check ends, None to take one away;
        nothing else is in its environment. It is started anew when one changes.
        """
        for name, value in variables.items():
            if value is None:
                self._variables.pop(name, None)
            else:
                self._variables[name] = value
        self._renew()

    @property
    def printed(self) -> str:
        """Everything the learner's process has written since the check began: standard output and
        error, log lines of its functions, and the errors they failed with.
        """
        return self._all_printed[self._printed_before :]

    @property
    def _all_printed(self) -> str:
        printed: str = getattr(self._worker, "printed", "")
        return printed

    # services

    @property
    def model_key(self) -> str:
        """The key the learner's process has for the model; no one else needs to know it."""
        return self._process.model_key

    def model(
        self,
        answer: str | None = None,
        *,
        word_delay_ms: float = 0,
        drop_after: int | None = None,
        refusals: int = 0,
        retry_after_ms: float = 10,
        on_word: Callable[[], None] = lambda: None,
    ) -> FakeModel:
        """The language model that the learner's actions reach, by ANTHROPIC_BASE_URL and
        ANTHROPIC_API_KEY; the same one with other manners when it is called again.

        Args:
            answer: what it always says; by default something about what it was asked.
            word_delay_ms: milliseconds before each word.
            drop_after: words after which the connection breaks.
            refusals: how many requests it answers with 429 before it serves one.
            retry_after_ms: what those say about when to come back.
            on_word: called before each word, in a thread of its own; make no calls there.
        """
        fresh = not self._process.environment
        model = self._process.model
        model.answer, model.drop_after, model.refusals = answer, drop_after, refusals
        model.word_delay_s, model.retry_after_s = word_delay_ms / 1000, retry_after_ms / 1000
        model.on_word = on_word
        model.requests.clear()
        self._preload("anthropic" if self._imports("anthropic") else "httpx")
        if fresh:
            self._renew(ports=True)
        return model

    def outside(self) -> FakeHttp:
        """A server for whatever else the learner's actions call; tell them its `url` by `set_env`,
        and it what to `reply`.
        """
        if self._outside is None:
            known = len(self._process.ports)
            self._outside = self._process.http
            self._outside.reset()
            self._preload("httpx")
            if len(self._process.ports) > known:
                self._renew(ports=True)
        return self._outside

    def _imports(self, package: str) -> bool:
        return any(
            f"import {package}" in text or f"from {package}" in text
            for text in self.sources.values()
        )

    def _preload(self, client: str) -> None:
        """The time a client takes to import is to be no part of a call."""
        if client not in self._worker.preload:
            self._worker.preload = (*self._worker.preload, client)

    @property
    def _process(self) -> LearnerProcess:
        launch = getattr(self._worker, "launch", None)
        if not isinstance(launch, LearnerProcess):
            raise TypeError("this lab has no process of its own that could be given a network")
        return launch

    def _renew(self, *, ports: bool = False) -> None:
        """Lets the next call find a process with what is set now, unless this one has it."""
        environment = {**self._process.environment, **self._variables}
        self._worker.have(environment, anew=ports)

    # files

    def upload(self, url: str, content: bytes, content_type: str | None = None) -> str:
        """Send a file to an upload URL, as a page does; gives its storage id. A URL that takes
        none fails the check.
        """
        try:
            return self._host.upload(url, content, content_type)
        except HeadwaterError as error:
            self.fail(
                self._objective,
                seen=f"An upload URL took no file: {error}",
                fix="return what ctx.storage.generate_upload_url() gives, as it is",
                more=self._objective.partition(".")[0],
            )

    def download(self, url: str) -> bytes | None:
        """What a file's URL gives, None when it is gone."""
        return self._host.download(url)

    def files(self) -> list[FileFacts]:
        """The files in storage, oldest first."""
        return [
            FileFacts(each["_id"], int(each["size"]), each["sha256"], each.get("contentType"))
            for each in self._host.documents("_storage")
        ]
