"""The language model, reached with the official `anthropic` package; for actions only.

A person's own key comes first, then that of the deployment. With neither, the stand-in answers
that Headwater brings: the same interface on this machine, so that everything works offline.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from cryptography.fernet import Fernet, InvalidToken
from headwater import Model

from backend.settings import Settings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import MessageParam

MOST_TOKENS = 1024
TIMEOUT_S = 60.0


class ModelFailed(Exception):
    """The model gave no answer, or not all of it; the text is for whoever asked."""


class Turn(Model):
    """What one side has said."""

    role: Literal["user", "assistant"]
    content: str


def encrypt(settings: Settings, key: str) -> bytes | None:
    """Somebody's key as it may be stored, None where this deployment cannot keep any."""
    if settings.encryption_key is None:
        return None
    return Fernet(settings.encryption_key.get_secret_value()).encrypt(key.encode())


def decrypt(settings: Settings, encrypted: bytes) -> str:
    """The key again, or ModelFailed when ENCRYPTION_KEY is another one now."""
    try:
        secret = settings.encryption_key
        return Fernet(secret.get_secret_value() if secret else b"").decrypt(encrypted).decode()
    except (InvalidToken, ValueError):
        raise ModelFailed("Your key can no longer be read. Set it again.") from None


def key_for(settings: Settings, own_key: bytes | None) -> str | None:
    """The key to ask with: somebody's own, else that of the deployment; None for the stand-in."""
    if own_key is not None:
        return decrypt(settings, own_key)
    configured = settings.anthropic_api_key
    return None if configured is None else configured.get_secret_value()


async def stream_answer(
    settings: Settings, turns: list[Turn], own_key: bytes | None = None
) -> AsyncGenerator[str, None]:
    """The answer piece by piece, as the model writes it.

    Raises:
        ModelFailed: it gave none, or broke off. What was said until then has been given.
    """
    said = [_param(turn) for turn in turns]
    with _failures():
        async with (
            _client(settings, own_key) as client,
            client.messages.stream(
                model=settings.anthropic_model, max_tokens=MOST_TOKENS, messages=said
            ) as stream,
        ):
            async for text in stream.text_stream:
                yield text


async def whole_answer(settings: Settings, prompt: str) -> str:
    """The answer to one question, in one piece; raises as `stream_answer`."""
    with _failures():
        async with _client(settings, None) as client:
            answer = await client.messages.create(
                model=settings.anthropic_model,
                max_tokens=MOST_TOKENS,
                messages=[{"role": "user", "content": prompt}],
            )
    return "".join(block.text for block in answer.content if block.type == "text")


@contextmanager
def _failures() -> Iterator[None]:
    """What goes wrong between here and the model, in words for people and without its details."""
    try:
        yield
    except ModelFailed:
        raise
    except Exception as error:
        status = getattr(error, "status_code", None)
        print("the model did not answer:", type(error).__name__, status or "")
        raise ModelFailed(_why(status)) from None


def _param(turn: Turn) -> "MessageParam":
    if turn.role == "user":
        return {"role": "user", "content": turn.content}
    return {"role": "assistant", "content": turn.content}


def _client(settings: Settings, own_key: bytes | None) -> "AsyncAnthropic":
    # Imported by the first who asks: the package takes a second, and not every server asks.
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

    key = key_for(settings, own_key)
    if key is not None:
        return AsyncAnthropic(api_key=key, base_url=settings.anthropic_base_url, timeout=TIMEOUT_S)
    from headwater.fake_model import fake_model_url

    # It is on this machine, so no proxy of the environment knows the way to it.
    direct = DefaultAsyncHttpxClient(trust_env=False)
    return AsyncAnthropic(api_key="none", base_url=fake_model_url(), http_client=direct)


def _why(status: int | None) -> str:
    if status is None:
        return "The answer broke off. Ask again."
    if status in (401, 403):
        return "The model refused the key. Look at it, and set it again."
    if status == 429:
        return "The model has too much to do. Ask again in a minute."
    return f"The model gave no answer (status {status}). Ask again later."
