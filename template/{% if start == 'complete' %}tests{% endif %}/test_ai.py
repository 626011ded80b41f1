"""What talks with the model promise: the official package, and a stand-in on this machine."""

from collections.abc import Iterator

import pytest
from headwater import AppError, Id
from headwater.fake_model import FakeModel
from headwater.testing import Backend, Caller, FunctionFailed

from backend.ai import BURST, ask, get_ai_messages, get_conversations, start_conversation
from backend.ai_replies import GAVE_UP, WRITE_EVERY_MS, Draft, reply, take_on
from backend.schema import AiConversation, AiMessage
from tests.people import refused

pytestmark = pytest.mark.model
WORDS = [f"{number} " for number in range(10)]


@pytest.fixture
def model(backend: Backend) -> Iterator[FakeModel]:
    """A stand-in that takes 10 ms of the backend's clock for each word."""
    answer = "".join(WORDS)

    def tick() -> None:
        backend.clock.advance(10)

    with FakeModel(answer=answer, word_delay_s=0, on_word=tick) as model:
        backend.set_env(ANTHROPIC_API_KEY="fake", ANTHROPIC_BASE_URL=model.url)
        yield model


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Somebody who talks with the model."""
    return backend.with_identity(subject="ana")


def asked(person: Caller, prompt: str = "Why?") -> tuple[Id[AiConversation], Id[AiMessage]]:
    """A conversation with one question, and the id of its answer."""
    conversation_id = person.mutation(start_conversation)
    return conversation_id, person.mutation(ask, conversation_id=conversation_id, prompt=prompt)


def answer_in(person: Caller, conversation_id: Id[AiConversation]) -> AiMessage:
    """The newest message of a conversation."""
    return person.query(get_ai_messages, conversation_id=conversation_id)[-1]


def test_the_question_is_there_at_once_and_the_answer_later(
    backend: Backend, model: FakeModel, ana: Caller
) -> None:
    """First an empty answer that is streaming, then the whole of it."""
    conversation_id, _ = asked(ana)
    question, answer = ana.query(get_ai_messages, conversation_id=conversation_id)
    assert (question.role, question.content, question.status) == ("user", "Why?", "done")
    assert (answer.role, answer.content, answer.status) == ("assistant", "", "streaming")
    backend.advance()
    answer = answer_in(ana, conversation_id)
    assert (answer.content, answer.status, answer.error) == ("".join(WORDS), "done", None)


def test_a_watcher_sees_it_grow_and_not_with_every_word(
    backend: Backend, model: FakeModel, ana: Caller
) -> None:
    """100 words in one second are 10 writes and the last one at most, each going on from before."""
    model.answer = "".join(f"{number} " for number in range(100))
    conversation_id, _ = asked(ana)
    watched = ana.subscribe(get_ai_messages, conversation_id=conversation_id)
    backend.advance()
    seen = [messages[-1].content for messages in watched.updates[1:]]
    assert 1 <= len(seen) <= 1000 / WRITE_EVERY_MS + 2  # taken on, and the end
    assert all(later.startswith(earlier) for earlier, later in zip(seen, seen[1:], strict=False))
    assert seen[-1] == model.answer
    watched.close()


def test_a_draft_is_written_once_in_100_ms() -> None:
    """Whatever the pace: 200 pieces, one every 15 ms, are 29 writes, at least 100 ms apart."""
    draft = Draft()
    written = [at for at in range(0, 3000, 15) if draft.add("x", at)]
    assert written[:3] == [0, 105, 210]
    assert len(written) == 29
    assert draft.text == "x" * 200


def test_what_came_before_a_break_is_kept(backend: Backend, model: FakeModel, ana: Caller) -> None:
    """The answer has failed, says so, and has the words that came."""
    model.drop_after = 3
    conversation_id, _ = asked(ana)
    backend.advance()
    answer = answer_in(ana, conversation_id)
    assert (answer.content, answer.status) == ("".join(WORDS[:3]), "failed")
    assert answer.error == "The answer broke off. Ask again."


def test_a_refusal_of_the_model_is_told(backend: Backend, model: FakeModel, ana: Caller) -> None:
    """In words for people, after the package's own attempts."""
    model.refusals, model.retry_after_s = 10, 0.001
    conversation_id, _ = asked(ana)
    backend.advance()
    answer = answer_in(ana, conversation_id)
    assert (answer.content, answer.status) == ("", "failed")
    assert answer.error == "The model has too much to do. Ask again in a minute."


def test_a_busy_model_is_asked_again(backend: Backend, model: FakeModel, ana: Caller) -> None:
    """The package comes back when it is told to, and the answer is there once."""
    model.refusals, model.retry_after_s = 1, 0.001
    conversation_id, _ = asked(ana)
    backend.advance()
    assert answer_in(ana, conversation_id).content == "".join(WORDS)


def test_an_answer_is_given_once(backend: Backend, model: FakeModel, ana: Caller) -> None:
    """A second run of the action, also one after the end, neither asks the model nor writes."""
    conversation_id, message_id = asked(ana)
    backend.advance()
    backend.action(reply, message_id=message_id)
    assert len(model.requests) == 1
    assert answer_in(ana, conversation_id).content == "".join(WORDS)


def test_an_answer_whose_server_was_stopped_is_ended(
    backend: Backend, model: FakeModel, ana: Caller
) -> None:
    """Its action was begun and is gone: after ten minutes somebody says so."""
    conversation_id, message_id = asked(ana)
    backend.mutation(take_on, message_id=message_id)
    backend.advance(minutes=11)
    answer = answer_in(ana, conversation_id)
    assert (answer.status, answer.error) == ("failed", GAVE_UP)


def test_the_model_is_told_what_was_said_before(
    backend: Backend, model: FakeModel, ana: Caller
) -> None:
    """Each side's words in order, and no empty ones."""
    conversation_id, _ = asked(ana, "First?")
    backend.advance()
    ana.mutation(ask, conversation_id=conversation_id, prompt="Second?")
    backend.advance()
    said = [(turn["role"], turn["content"]) for turn in model.requests[-1]["messages"]]
    assert said == [("user", "First?"), ("assistant", "".join(WORDS)), ("user", "Second?")]


def test_without_any_key_a_stand_in_answers(backend: Backend, ana: Caller) -> None:
    """Offline, and the same to the same question."""
    backend.set_env(ANTHROPIC_API_KEY=None, ANTHROPIC_BASE_URL=None)
    conversation_id, _ = asked(ana, "Is anybody there?")
    backend.advance()
    answer = answer_in(ana, conversation_id)
    assert answer.status == "done"
    assert "Is anybody there?" in answer.content


def test_questions_have_a_limit(model: FakeModel, ana: Caller) -> None:
    """The sixth at once is refused, and says when to come back."""
    conversation_id = ana.mutation(start_conversation)
    for _ in range(BURST):
        ana.mutation(ask, conversation_id=conversation_id, prompt="Why?")
    with pytest.raises(AppError) as error:
        ana.mutation(ask, conversation_id=conversation_id, prompt="Why?")
    assert error.value.data == {"code": "RATE_LIMITED", "retry_after_ms": 20_000}


def test_a_conversation_is_one_persons(backend: Backend, model: FakeModel, ana: Caller) -> None:
    """Nobody else finds it; a visitor has none."""
    conversation_id, _ = asked(ana)
    ben = backend.with_identity(subject="ben")
    assert [one.id for one in ana.query(get_conversations)] == [conversation_id]
    assert ben.query(get_conversations) == backend.query(get_conversations) == []
    with refused("NOT_FOUND"):
        ben.query(get_ai_messages, conversation_id=conversation_id)
    with refused("NOT_FOUND"):
        ben.mutation(ask, conversation_id=conversation_id, prompt="Why?")
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.query(get_ai_messages, conversation_id=conversation_id)
