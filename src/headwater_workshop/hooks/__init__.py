"""What Claude Code's hooks are answered: `headwater hook EVENT`, payload in, answer out.

    session-start        facts: mode, lesson, findings, notes
    user-prompt-submit   in tutor mode one line: lesson, hints, failed runs
    pre-tool-use         a refusal of edits that are nobody's to make
    post-tool-use        what `headwater check` finds in the edited file
    stop                 check and grade; ends a turn, or says once why it is not done

An answer states facts. Each event's module is imported when it is asked for: an edit waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .payload import Call, Payload

Answer = dict[str, Any]

EVENTS: Mapping[str, str] = {
    "session-start": "session:started",
    "user-prompt-submit": "session:prompted",
    "pre-tool-use": "guard:before",
    "post-tool-use": "edited:after",
    "stop": "finish:stopping",
}
"""Each event by its word on the command line, with the function that answers it."""

PROBE = "headwater-doctor"
"""The session of `headwater doctor`: what has nothing to say says that it ran."""


def answer(event: str, text: bytes) -> Answer:
    """The answer to one event; empty when there is nothing to say.

    Args:
        event: a key of `EVENTS`.
        text: the payload as Claude Code writes it, JSON.
    """
    try:
        payload: Payload = json.loads(text.decode("utf-8-sig", "replace") or "{}")
        if not isinstance(payload, dict):
            raise ValueError("the payload is no JSON object")
        call = Call(payload)
        told = _function(event)(call)
        if not told and call.session == PROBE:
            told = {"systemMessage": f"headwater hook {event} ran and had nothing to say."}
    except Exception as error:  # whatever goes wrong here, an edit is not stopped by it
        told = _failed(event, error)
    return told


def _function(event: str) -> Callable[[Call], Answer]:
    module, _, name = EVENTS[event].partition(":")
    found: Callable[[Call], Answer] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


def _failed(event: str, error: Exception) -> Answer:
    said = (str(error).splitlines() or [""])[0]
    return {
        "systemMessage": f"headwater hook {event} failed, so nothing was checked: "
        f"{type(error).__name__}: {said}"
    }
