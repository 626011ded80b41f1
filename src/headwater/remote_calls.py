"""One query or mutation that runs in a worker: what it asks, answered, and how far it has read.

A scan is handed out a few documents at a time. What the handler looked at is counted here: all that
it was given before it asked for more, and of the last few as many as the worker says.
"""

from __future__ import annotations

from typing import Any

from headwater import remote, remote_requests
from headwater.core import requests
from headwater.core.calls import AnswerOne
from headwater.core.scans import Batch, OpenScan
from headwater.errors import HeadwaterError
from headwater.pipe import WorkerFailed
from headwater.remote import MalformedFrame


class RemoteCall:
    """One call and the scans it has open, by number.

    Args:
        number: the call's.
        answer: answers a request as the database does.
        prefetch: documents of a streamed scan that are handed out at a time.
    """

    def __init__(self, number: int, answer: AnswerOne, prefetch: int) -> None:
        self.number = number
        self._answer, self._prefetch = answer, prefetch
        self._scans: list[OpenScan] = []
        self._given_before: list[int] = []

    def answer(self, request: Any) -> dict[str, Any]:
        """What the worker is told of one request.

        Raises:
            MalformedFrame: it makes no sense now.
            WorkerFailed: the request ran another function there, and the worker was ended.
        """
        number = self._prepared(request)
        if type(request).__module__ == remote_requests.__name__:
            raise MalformedFrame("a request of actions in another function")
        try:
            answer = self._answer(request)
        except WorkerFailed:
            raise
        except HeadwaterError as error:
            return remote.error_out(error)
        if isinstance(answer, Batch):
            number = self._given(answer, number, getattr(request, "stream", True))
        return remote.answer_out(answer, number)

    def _prepared(self, request: Any) -> int | None:
        """Bounds what a streamed scan hands out, and finds the scan a ScanMore goes on with."""
        if isinstance(request, requests.Scan):
            if request.limit is not None and request.limit < 0:
                raise MalformedFrame("a scan of fewer than no documents")
            if request.stream:
                request.limit = min(request.limit or 1, self._prefetch)
        if not isinstance(request, requests.ScanMore | requests.PageEnd):
            return None
        number: int = request.scan
        if not 0 <= number < len(self._scans):
            raise MalformedFrame("a scan that is not open")
        request.scan = self._scans[number]
        if isinstance(request, requests.PageEnd):
            if request.scan.window is None:
                raise MalformedFrame("the end of what is no page")
            return number
        request.scan.used = len(request.scan.keys)  # who asks for more has seen what it was given
        request.limit = max(1, min(request.limit, self._prefetch))
        return number

    def _given(self, batch: Batch, number: int | None, stream: bool) -> int:
        if number is None:
            self._scans.append(batch.scan)
            self._given_before.append(0)
            number = len(self._scans) - 1
        before = 0 if not stream else len(batch.scan.keys) - len(batch.documents)
        self._given_before[number] = before if stream else len(batch.scan.keys)
        batch.scan.used = len(batch.scan.keys)
        return number

    def note_used(self, used: Any) -> None:
        """Takes the worker's word for the last documents of each scan, and for no others."""
        for text, count in remote.typed(used, dict, "what was used").items():
            number = int(text) if text.isdecimal() and len(text) < 6 else -1
            if not 0 <= number < len(self._scans):
                raise MalformedFrame("a scan that is not open")
            scan, least = self._scans[number], self._given_before[number]
            scan.used = max(least, min(remote.typed(count, int, "a count"), len(scan.keys)))
