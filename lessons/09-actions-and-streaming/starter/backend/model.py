"""The language model, over HTTP; for actions only.

Without a key, the stand-in answers that Headwater brings: the same interface on this machine, so
that everything works offline.
"""

import json
from collections.abc import AsyncGenerator
from typing import Literal

import httpx
from headwater import Model
from headwater.fake_model import fake_model_url

from backend.settings import Settings

MOST_TOKENS = 1024
TIMEOUT_S = 60.0


class ModelFailed(Exception):
    """The model gave no answer, or not all of it; the text is for whoever asked."""


class Turn(Model):
    """What one side has said."""

    role: Literal["user", "assistant"]
    content: str


async def stream_answer(settings: Settings, turns: list[Turn]) -> AsyncGenerator[str, None]:
    """The answer piece by piece, as the model writes it.

    Raises:
        ModelFailed: it gave none, or broke off. What was said until then has been given.
    """
    asked = {
        "model": settings.anthropic_model,
        "max_tokens": MOST_TOKENS,
        "stream": True,
        "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
    }
    try:
        async with (
            _client(settings) as client,
            client.stream("POST", "/v1/messages", json=asked) as response,
        ):
            if response.status_code != 200:
                raise ModelFailed(_why(response.status_code))
            async for line in response.aiter_lines():
                event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if event.get("type") == "content_block_delta":
                    yield event["delta"]["text"]
                if event.get("type") == "message_stop":
                    return
    except httpx.HTTPError as error:
        print("the model did not answer:", type(error).__name__)
    raise ModelFailed("The answer broke off. Ask again.")


def _client(settings: Settings) -> httpx.AsyncClient:
    headers = {"anthropic-version": "2023-06-01", "x-api-key": "none"}
    if settings.anthropic_api_key is not None:
        headers["x-api-key"] = settings.anthropic_api_key.get_secret_value()
        url = settings.anthropic_base_url or "https://api.anthropic.com"
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)
    # The stand-in is on this machine, so no proxy of the environment knows the way to it.
    return httpx.AsyncClient(base_url=fake_model_url(), headers=headers, trust_env=False)


def _why(status: int) -> str:
    if status == 429:
        return "The model has too much to do. Ask again in a minute."
    return f"The model gave no answer (status {status}). Ask again later."
