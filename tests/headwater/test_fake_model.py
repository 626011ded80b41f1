"""The stand-in for Anthropic's API, asked by the official package."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anthropic
import httpx
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from headwater.fake_model import FakeModel, fake_model_url

T = TypeVar("T")
ASKED: Any = {
    "model": "claude-test",
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "What is a read set?"}],
}
HEADERS = {"x-api-key": "fake", "anthropic-version": "2023-06-01"}


@asynccontextmanager
async def client_of(model: FakeModel, retries: int = 0) -> AsyncIterator[AsyncAnthropic]:
    """The official client of one stand-in."""
    async with AsyncAnthropic(base_url=model.url, api_key="fake", max_retries=retries) as client:
        yield client


def ask(
    model: FakeModel, what: Callable[[AsyncAnthropic], Coroutine[Any, Any, T]], retries: int = 0
) -> T:
    """Runs one conversation with a stand-in."""

    async def run() -> T:
        async with client_of(model, retries) as client:
            return await what(client)

    return asyncio.run(run())


async def streamed(client: AsyncAnthropic) -> tuple[list[str], Message]:
    """The pieces of a streamed answer, and the message the client makes of them."""
    async with client.messages.stream(**ASKED) as stream:
        pieces = [text async for text in stream.text_stream]
        return pieces, await stream.get_final_message()


async def whole(client: AsyncAnthropic) -> Message:
    """An answer in one piece."""
    message: Message = await client.messages.create(**ASKED)
    return message


def text_of(message: Message) -> str:
    """The text of a message's only block."""
    (block,) = message.content
    assert block.type == "text"
    return block.text


def test_an_answer_streams_word_by_word() -> None:
    """The official client puts the words together to the message, which ended by itself."""
    with FakeModel(answer="one two  three\nfour", word_delay_s=0) as model:
        pieces, message = ask(model, streamed)
    assert pieces == ["one ", "two  ", "three\n", "four"]
    assert text_of(message) == "one two  three\nfour"
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 4)
    assert message.usage.input_tokens == 5


def test_every_event_of_the_interface_is_sent() -> None:
    """In the order a client expects, with a ping that it passes over."""
    with FakeModel(answer="one two", word_delay_s=0) as model:
        body = {**ASKED, "stream": True}
        answer = httpx.post(f"{model.url}/v1/messages", json=body, headers=HEADERS)
    names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_streamed_and_whole_are_the_same_message() -> None:
    """And the same question has the same answer, on every stand-in."""
    with FakeModel(word_delay_s=0) as model, FakeModel(word_delay_s=0) as other:
        _, message = ask(model, streamed)
        again = ask(other, whole)
    assert (again.id, again.usage.to_dict()) == (message.id, message.usage.to_dict())
    assert text_of(again) == text_of(message)
    assert "What is a read set?" in text_of(message)


def test_an_answer_is_cut_at_max_tokens() -> None:
    """The client is told why it ends."""

    async def short(client: AsyncAnthropic) -> Message:
        message: Message = await client.messages.create(**{**ASKED, "max_tokens": 2})
        return message

    with FakeModel(answer="one two three") as model:
        message = ask(model, short)
    assert (text_of(message), message.stop_reason) == ("one two ", "max_tokens")


def test_a_word_is_sent_before_the_next_one_is_made() -> None:
    """A client sees the first word while the stand-in has not come to the second."""
    made, seen = 0, []

    def count() -> None:
        nonlocal made
        made += 1

    async def first(client: AsyncAnthropic) -> None:
        async with client.messages.stream(**ASKED) as stream:
            async for text in stream.text_stream:
                seen.append((text, made))
                return

    with FakeModel(answer="one two three", word_delay_s=0.2, on_word=count) as model:
        ask(model, first)
    assert seen == [("one ", 1)] or seen == [("one ", 2)]


def test_a_dropped_stream_is_an_error_after_its_words() -> None:
    """The client has what came before the break, and knows that the rest is missing."""
    pieces: list[str] = []

    async def collect(client: AsyncAnthropic) -> None:
        async with client.messages.stream(**ASKED) as stream:
            async for text in stream.text_stream:
                pieces.append(text)

    with FakeModel(answer="one two three", word_delay_s=0, drop_after=2) as model:
        broken = pytest.raises(Exception, match="peer closed connection")
        with broken as error:
            ask(model, collect)
    assert type(error.value).__name__ == "RemoteProtocolError"
    assert pieces == ["one ", "two "]


def test_too_many_requests_are_told_when_to_come_back() -> None:
    """429 with retry-after, as many times as asked for; then it serves."""
    with FakeModel(word_delay_s=0, refusals=1, retry_after_s=7) as model:
        with pytest.raises(anthropic.RateLimitError) as refused:
            ask(model, whole)
        assert refused.value.response.headers["retry-after"] == "7"
        assert ask(model, whole).stop_reason == "end_turn"


def test_the_client_comes_back_by_itself() -> None:
    """With retries the official client waits as it is told, and gets its answer."""
    with FakeModel(word_delay_s=0, refusals=1, retry_after_s=0.001) as model:
        assert ask(model, whole, retries=1).stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"authorization": "Basic fake"}, 401, "authentication_error"),
        ({"authorization": "Bearer"}, 401, "authentication_error"),
        ({"x-api-key": "", "anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"x-api-key": "fake"}, 400, "invalid_request_error"),
    ],
)
def test_headers_of_another_form_are_refused(
    headers: dict[str, str], status: int, kind: str
) -> None:
    """A key comes as x-api-key or as a bearer token, and the interface has a version."""
    with FakeModel() as model:
        answer = httpx.post(f"{model.url}/v1/messages", json=ASKED, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content"),
    ],
)
def test_bodies_of_another_form_are_refused(changes: dict[str, Any], named: str) -> None:
    """With the error of the interface, which says what is missing."""
    with FakeModel() as model:
        answer = httpx.post(f"{model.url}/v1/messages", json={**ASKED, **changes}, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(named)


def test_what_is_no_json_and_what_is_elsewhere_is_refused() -> None:
    """400 and 404, in the same form."""
    with FakeModel() as model:
        garbled = httpx.post(f"{model.url}/v1/messages", content=b"{", headers=HEADERS)
        elsewhere = httpx.post(f"{model.url}/v1/complete", json=ASKED, headers=HEADERS)
    assert (garbled.status_code, garbled.json()["type"]) == (400, "error")
    assert (elsewhere.status_code, elsewhere.json()["error"]["type"]) == (404, "not_found_error")


def test_requests_are_kept_for_tests_to_look_at() -> None:
    """The newest hundred, so that a server that runs for months does not grow."""
    with FakeModel() as model:
        for number in range(101):
            model.reply({**ASKED, "max_tokens": number + 1})
        assert [model.requests[0]["max_tokens"], len(model.requests)] == [2, 100]


def test_a_process_has_one_and_only_when_asked() -> None:
    """It is started by the first call, and the runtime does not even import it."""
    assert fake_model_url() == fake_model_url()
    code = (
        "import sys, headwater, headwater.server, headwater.testing; "
        "print([n for n in sys.modules if n in ('anthropic', 'headwater.fake_model')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_large_requests_are_remembered_while_there_is_room() -> None:
    """The newest of them; whoever asks on and on fills no memory."""
    with FakeModel() as model:
        for number in range(4):
            asked = {"messages": [{"role": "user", "content": f"{number} " + "x" * 3 * 2**20}]}
            httpx.post(f"{model.url}/v1/messages", json={**ASKED, **asked}, headers=HEADERS)
        kept = [request["messages"][0]["content"][:1] for request in model.requests]
        assert kept == ["2", "3"]
