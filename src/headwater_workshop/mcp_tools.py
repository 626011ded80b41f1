"""The workshop's tools for assistants: the lesson, its hints, and the solution if a human says so.

Joined to `headwater mcp` by the entry-point group `headwater.mcp`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

from headwater.mcp.toolbox import NOTES, Toolbox, plain

from .choice import chosen_lesson, chosen_objective
from .course import revealed, state_of
from .kit import KitError
from .ladder import next_hint
from .mode import mode_of
from .progress import load_progress, timestamp

CURRENT = "headwater://lesson/current"
_ASKS = {"anthropic/requiresUserInteraction": True}

LessonWord = Annotated[
    str | None, Field(description="1, L1 or a name; the current one if left out.")
]


class Reveal(BaseModel):
    """What the human is asked."""

    reveal: bool = Field(description="Show the solution; the lesson then counts as seen")


async def ask_human(ctx: Context[Any, Any]) -> Elicit[Reveal]:
    """The question that stands before a solution.

    Raises:
        ToolError: the assistant's program cannot ask its human anything.
    """
    capabilities = ctx.client_capabilities
    asks = capabilities.elicitation if capabilities is not None else None
    if asks is None or (asks.form is None and asks.url is not None):
        raise ToolError(
            "a solution is shown when the human says so, and this program cannot ask them. They "
            "can see it themselves: headwater lesson reveal"
        )
    text = "The assistant wants to see this lesson's solution. The lesson then counts as seen."
    return Elicit(text, Reveal)


class LessonTools:
    """lesson, hint, reveal_solution, and the current lesson as a resource."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._root = toolbox.root
        toolbox.facts |= {"mode": self._mode, "lesson": self._current}
        toolbox.add(self.lesson)
        toolbox.server.add_tool(self.hint, description=plain(self.hint), annotations=NOTES)
        toolbox.server.add_tool(
            self.reveal_solution,
            description=plain(self.reveal_solution),
            annotations=NOTES,
            meta=_ASKS,
        )
        toolbox.server.resource(CURRENT, mime_type="application/json")(self.current_lesson)
        toolbox.watched[CURRENT] = ("progress.json", "mode")

    async def lesson(self, lesson: LessonWord = None) -> dict[str, Any]:
        """A lesson: its page, its objectives and which are met, and how many hints were taken.

        In mode `tutor` the human writes the code: ask one question, never write their function.
        """
        with _told():
            progress = load_progress(self._root)
            found = chosen_lesson(lesson, progress)
            state = state_of(found, progress)
            met = state.pop("objectives")
            goals = [{"id": o.id, "text": o.text, "met": met[o.id]} for o in found.objectives]
            about = {"mode": mode_of(self._root), **state, "objectives": goals}
            return about | {"files": list(found.files), "text": found.learners_text}

    async def hint(
        self,
        lesson: Annotated[
            str | None, Field(description="1, L1, or one objective: L1.2; else where one is.")
        ] = None,
    ) -> dict[str, Any]:
        """The next hint for the first objective that is not met; each one is counted.

        From the goal (level 0) to a nearly finished line. In mode `tutor` the next one comes after
        a failed `headwater grade` of changed code, or a while: until then it is the same again.
        """
        with _told():
            found, objective = chosen_objective(lesson, load_progress(self._root))
            return asdict(next_hint(self._root, found, objective))

    async def reveal_solution(
        self,
        said: Annotated[ElicitationResult[Reveal], Resolve(ask_human)],
        lesson: LessonWord = None,
    ) -> dict[str, Any]:
        """The rest of the way to a lesson's solution, as a diff. The human is asked first.

        It is recorded: the lesson is then seen, which is not solved.
        """
        if not isinstance(said, AcceptedElicitation) or not said.data.reveal:
            raise ToolError("the human does not want the solution shown; go on with `hint`")
        with _told():
            found = chosen_lesson(lesson, load_progress(self._root))
            return {"lesson": found.name, "diff": revealed(self._root, found, timestamp())}

    async def current_lesson(self) -> str:
        """The lesson one is in: its page, objectives and state."""
        try:
            return orjson.dumps(await self.lesson(), option=orjson.OPT_INDENT_2).decode()
        except ToolError as error:
            raise ResourceError(str(error)) from None

    def _mode(self) -> str:
        with _told():
            return mode_of(self._root)

    def _current(self) -> str | None:
        with _told():
            return load_progress(self._root).current


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except KitError as error:
        raise ToolError(str(error)) from None


def register(toolbox: Toolbox) -> None:
    """Joins the workshop's tools to `headwater mcp`."""
    LessonTools(toolbox)
