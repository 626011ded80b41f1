"""A stand-in for Anthropic's Messages API on the loopback address, so that a project works offline.

It answers `POST /v1/messages` as the API does, streamed or whole, well enough for the official
`anthropic` package, and says the same whenever it is asked the same. Nothing leaves the machine.

    client = AsyncAnthropic(base_url=fake_model_url(), api_key="fake")
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson

from headwater.stand_in import StandIn, StandInHandler

_PATH: Final = "/v1/messages"
_BODY_BYTES: Final = 4 * 1024 * 1024
_QUOTED_CHARS: Final = 120
_REMEMBERED: Final = 100
_REMEMBERED_BYTES: Final = 8 * 2**20
_IN_A_RATE: Final = "rate_limit_error"
_STATUS: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
    "request_too_large": 413,
    _IN_A_RATE: 429,
}
_lock = threading.Lock()
_shared: FakeModel | None = None


def fake_model_url() -> str:
    """The address of this process's stand-in, which is started when it is first asked for."""
    global _shared
    with _lock:
        _shared = _shared or FakeModel()
        return _shared.url


class FakeModel(StandIn):
    """One stand-in, serving from a thread of its own; a test makes one with the faults it wants.

    Args:
        answer: what it always says; by default it repeats the beginning of what it was asked.
        word_delay_s: seconds before each word of a streamed answer.
        drop_after: words of a streamed answer after which the connection breaks.
        refusals: how many requests are answered with 429 before one is served.
        retry_after_s: what those say about when to come back.
        on_word: called before each streamed word, in a thread of the stand-in.
        body_bytes: what a request may have.

    Attributes:
        url: its address, the `base_url` of a client.
        requests: the bodies of the newest requests that it could read.
    """

    def __init__(
        self,
        *,
        answer: str | None = None,
        word_delay_s: float = 0.02,
        drop_after: int | None = None,
        refusals: int = 0,
        retry_after_s: float = 1.0,
        on_word: Callable[[], None] = lambda: None,
        body_bytes: int = _BODY_BYTES,
    ) -> None:
        self.answer, self.word_delay_s, self.drop_after = answer, word_delay_s, drop_after
        self.refusals, self.retry_after_s, self.on_word = refusals, retry_after_s, on_word
        self.requests: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._sizes: deque[int] = deque(maxlen=_REMEMBERED)
        self.body_bytes = body_bytes
        super().__init__("fake model", partial(_Handler, self))

    def reply(self, request: dict[str, Any], bytes_: int = 0) -> Reply:
        """What a request of a known form is answered with; it is remembered, while there is room.

        Args:
            request: the body, parsed.
            bytes_: what it had before.
        """
        with _lock:
            self._remember(request, bytes_)
        prompt = _text(request["messages"][-1]["content"])
        words = re.findall(r"\S+\s*|\s+", self.answer or _answer(prompt))
        kept = words[: request["max_tokens"]]
        given = sum(len(_text(message["content"]).split()) for message in request["messages"])
        return Reply(request["model"], tuple(kept), given, whole=len(kept) == len(words))

    def _remember(self, request: dict[str, Any], bytes_: int) -> None:
        self.requests.append(request)
        self._sizes.append(bytes_)
        while len(self._sizes) > len(self.requests):  # somebody cleared them
            self._sizes.popleft()
        while sum(self._sizes) > _REMEMBERED_BYTES and len(self._sizes) > 1:
            self._sizes.popleft()
            self.requests.popleft()

    def refuses(self) -> bool:
        """True while requests are to be answered with 429."""
        with _lock:
            self.refusals -= 1
            return self.refusals >= 0


@dataclass(frozen=True)
class Reply:
    """An answer, as the API's objects.

    Attributes:
        model: the name of the model, as it was asked for.
        words: the text, a word in each part.
        input_tokens: how much was asked, in words.
        whole: False when it was cut at `max_tokens`.
    """

    model: str
    words: tuple[str, ...]
    input_tokens: int
    whole: bool

    @property
    def stop_reason(self) -> str:
        """Why the text ends where it does."""
        return "end_turn" if self.whole else "max_tokens"

    def message(self, *, begun: bool = False) -> dict[str, Any]:
        """The message: all of it, or as it is when a stream begins."""
        text = "".join(self.words)
        digest = hashlib.sha256(f"{self.model}\n{text}".encode()).hexdigest()
        return {
            "id": f"msg_{digest[:24]}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [] if begun else [{"type": "text", "text": text}],
            "stop_reason": None if begun else self.stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": self.input_tokens,
                "output_tokens": 1 if begun else len(self.words),
            },
        }

    def beginning(self) -> Iterator[dict[str, Any]]:
        """The events before the first word."""
        yield {"type": "message_start", "message": self.message(begun=True)}
        block = {"type": "text", "text": ""}
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        yield {"type": "ping"}

    def ending(self) -> Iterator[dict[str, Any]]:
        """The events after the last word."""
        yield {"type": "content_block_stop", "index": 0}
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": self.stop_reason, "stop_sequence": None},
            "usage": {"output_tokens": len(self.words)},
        }
        yield {"type": "message_stop"}


@dataclass
class _Refused(Exception):
    """A request that is not served, in the API's words."""

    kind: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(StandInHandler):
    """One request; the connection ends with its answer."""

    def __init__(self, model: FakeModel, *words: Any) -> None:
        self._model = model
        super().__init__(*words)

    def do_POST(self) -> None:
        try:
            request = self._request()
        except _Refused as refused:
            error = {"type": refused.kind, "message": refused.text}
            body = {"type": "error", "error": error, "request_id": "req_fake"}
            self._send(_STATUS[refused.kind], body, refused.headers)
            return
        reply, streamed = self._model.reply(request, self.content_length()), request.get("stream")
        del request  # it may be large, and an answer may take long
        try:
            if streamed:
                self._stream(reply)
            else:
                self._send(200, reply.message(), {})
        except OSError:  # whoever asked is gone
            self.close_connection = True

    def _request(self) -> dict[str, Any]:
        length = self.content_length()
        most = self._model.body_bytes
        if length > most:
            raise _Refused("request_too_large", f"a request has {most} bytes at most")
        body = self.rfile.read(length)
        if self.path.partition("?")[0] != _PATH:
            raise _Refused("not_found_error", f"there is {_PATH} alone, not {self.path}")
        if not (self.headers.get("x-api-key") or self._bearer()):
            text = "a key is required: `x-api-key: KEY`, or `Authorization: Bearer KEY`"
            raise _Refused("authentication_error", text)
        if not self.headers.get("anthropic-version"):
            raise _Refused("invalid_request_error", "anthropic-version: header is required")
        request = _checked(body)
        model = self._model
        if model.refuses():
            headers = {"retry-after": f"{model.retry_after_s:g}"}
            raise _Refused(_IN_A_RATE, "too many requests; come back later", headers)
        return request

    def _bearer(self) -> str:
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    def _stream(self, reply: Reply) -> None:
        model = self._model
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for event in reply.beginning():
            self._event(event)
        for position, word in enumerate(reply.words):
            if position == model.drop_after:
                return  # without the end of the chunks: the client sees that something is missing
            model.on_word()
            time.sleep(model.word_delay_s)
            delta = {"type": "text_delta", "text": word}
            self._event({"type": "content_block_delta", "index": 0, "delta": delta})
        for event in reply.ending():
            self._event(event)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, event: dict[str, Any]) -> None:
        text = f"event: {event['type']}\ndata: {orjson.dumps(event).decode()}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(text), text))
        self.wfile.flush()

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        content = orjson.dumps(body)
        length = {"content-type": "application/json", "content-length": str(len(content))}
        self._head(status, length | headers)
        self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()


def _checked(body: bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(body)
    except ValueError:
        raise _Refused("invalid_request_error", "the body is no JSON") from None
    wrong = _misfit(request)
    if wrong:
        raise _Refused("invalid_request_error", wrong)
    found: dict[str, Any] = request
    return found


def _misfit(request: Any) -> str:
    if not isinstance(request, dict):
        return "the body is no object"
    if not isinstance(request.get("model"), str):
        return "model: Field required"
    if type(request.get("max_tokens")) is not int or request["max_tokens"] < 1:
        return "max_tokens: a whole number of 1 or more is required"
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            return f"messages.{position}.role: 'user' or 'assistant' is required"
        if not isinstance(message.get("content"), str | list) or not _text(message["content"]):
            return f"messages.{position}.content: text content must be non-empty"
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = (block for block in content if isinstance(block, dict))
    return " ".join(str(block.get("text", "")) for block in blocks)


def _answer(prompt: str) -> str:
    """The same for the same prompt; long enough to be seen streaming."""
    quoted = " ".join(prompt.split())
    if len(quoted) > _QUOTED_CHARS:
        quoted = f"{quoted[:_QUOTED_CHARS].rstrip()}..."
    return (
        f'You wrote: "{quoted}" - {len(prompt.split())} words in all. I am the stand-in that '
        "answers while no key for a real model is set: I understand nothing, say the same to the "
        "same question, and stream it word by word as a model would. With ANTHROPIC_API_KEY set "
        "in .env, a model answers here."
    )
