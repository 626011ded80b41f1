"""What an answer of the model promises, whatever happens on its way."""

from collections.abc import Iterator

import pytest
from headwater.fake_model import FakeModel
from headwater.testing import Backend, Caller

from backend.ai import ask, get_ai_messages, start_conversation
from backend.ai_replies import reply
from backend.schema import AiMessage

WORDS = [f"{number} " for number in range(50)]


@pytest.fixture
def model(backend: Backend) -> Iterator[FakeModel]:
    """A stand-in that takes 20 ms of the backend's clock for each word."""

    def tick() -> None:
        backend.clock.advance(20)

    with FakeModel(answer="".join(WORDS), word_delay_s=0.005, on_word=tick) as model:
        backend.set_env(ANTHROPIC_API_KEY="fake", ANTHROPIC_BASE_URL=model.url)
        yield model


def seen(backend: Backend, person: Caller) -> list[AiMessage]:
    """The answer as a second tab sees it, from one update to the next."""
    conversation = person.mutation(start_conversation)
    message_id = person.mutation(ask, conversation_id=conversation, prompt="Why?")
    tab = person.subscribe(get_ai_messages, conversation_id=conversation)
    backend.advance(seconds=5)
    backend.action(reply, message_id=message_id)  # somebody asks a second time
    found = [messages[-1] for messages in tab.updates]
    tab.close()
    return found


def test_an_answer_grows_in_some_steps(backend: Backend, model: FakeModel) -> None:
    """50 words in one second are about ten steps, in order, and come once."""
    steps = [answer.content for answer in seen(backend, backend.with_identity(subject="ana"))]
    assert 3 < len(steps) < 20
    assert all(later.startswith(earlier) for earlier, later in zip(steps, steps[1:], strict=False))
    assert steps[-1] == model.answer
    assert len(model.requests) == 1


def test_what_came_before_a_break_stays(backend: Backend, model: FakeModel) -> None:
    """The answer has failed, says so, and has the words that came."""
    model.drop_after = 7
    answer = seen(backend, backend.with_identity(subject="ana"))[-1]
    assert (answer.content, answer.status) == ("".join(WORDS[:7]), "failed")
    assert answer.error
