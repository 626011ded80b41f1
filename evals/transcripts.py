"""A conversation in tutor mode, as it is kept: what was said, and which tools were used."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evals.claude import ToolCall


@dataclass
class Turn:
    """One turn of a conversation.

    Attributes:
        learner: what they said.
        reply: what the assistant answered, all of its words.
        tools: what it used.
        files: what the learner had written into files before it.
    """

    learner: str
    reply: str = ""
    tools: list[ToolCall] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Transcript:
    """A conversation about a lesson.

    Attributes:
        lesson: its number or name.
        turns: in their order.
        project: the folder it was in, which paths of tools begin with.
        model: that answered.
    """

    lesson: str
    turns: list[Turn]
    project: str = ""
    model: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def load_transcript(path: Path) -> Transcript:
    """A transcript from its file.

    Raises:
        ValueError: the file is none; says what is missing.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        turns = [
            Turn(**{**turn, "tools": [ToolCall(**call) for call in turn.get("tools", [])]})
            for turn in data["turns"]
        ]
        return Transcript(**{**data, "turns": turns})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no transcript: {error}") from error
