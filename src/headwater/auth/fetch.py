"""Fetching small JSON documents from auth providers, bounded in time and size.

What takes long to load is loaded on another thread: on the network's loop it would hold up
everybody.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from headwater.settings import Limits

if TYPE_CHECKING:
    import httpx

_FRESH_S: Final = 600.0  # of an answer that does not say how long it is good
_MAX_AGE: Final = re.compile(r"\bmax-age\s*=\s*(\d{1,9})\b", re.IGNORECASE)
_NO_REUSE: Final = re.compile(r"\bno-(store|cache)\b", re.IGNORECASE)
# A proxy that is configured for the outside world does not know this machine's own servers.
_PAST_PROXIES: Final = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class Unreachable(Exception):
    """What a provider should have answered could not be had; says why."""


async def fetch_json(url: str, limits: Limits) -> tuple[Any, float]:
    """A JSON document, and for how many seconds its server says it is good.

    Raises:
        Unreachable: no answer in time, another status than 200, too much, or no JSON.
    """
    httpx = await asyncio.to_thread(_library)
    try:
        async with asyncio.timeout(limits.keys_fetch_s):
            headers, body = await _get(url, int(limits.keys_bytes))
    except TimeoutError:
        raise Unreachable(f"{url} did not answer within {limits.keys_fetch_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Unreachable(f"{url}: {str(error) or type(error).__name__}") from None
    try:
        return orjson.loads(body), _fresh_s(headers.get("cache-control", ""))
    except orjson.JSONDecodeError:
        raise Unreachable(f"{url} did not answer with JSON") from None


async def _get(url: str, most_bytes: int) -> tuple[httpx.Headers, bytes]:
    httpx = _library()
    async with (
        httpx.AsyncClient(
            verify=await asyncio.to_thread(_tls) if url.startswith("https:") else False,
            timeout=None,  # the whole has one, and a slow drip must not start it anew
            mounts=dict.fromkeys(_PAST_PROXIES),
        ) as http,
        http.stream("GET", url, headers={"Accept": "application/json"}) as answer,
    ):
        if answer.status_code != httpx.codes.OK:  # a redirect, too: it would lead anywhere
            raise Unreachable(f"{url} answered with status {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > most_bytes:
                raise Unreachable(f"{url} answered with more than {most_bytes} bytes")
        return answer.headers, bytes(body)


@cache
def _library() -> Any:
    """httpx, imported when the first provider is asked: it takes a fifth of a second."""
    return importlib.import_module("httpx")


@cache
def _tls() -> ssl.SSLContext:
    """What https is spoken by; made once, from a file of 300 KB."""
    context: ssl.SSLContext = _library().create_ssl_context()
    return context


def _fresh_s(cache_control: str) -> float:
    if _NO_REUSE.search(cache_control):
        return 0.0
    said = _MAX_AGE.search(cache_control)
    return float(said[1]) if said else _FRESH_S
