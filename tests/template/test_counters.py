"""The complete project's counters are kept, not counted: whatever happens, they equal the truth."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from headwater.core.context import MutationCtx
from headwater.core.placement import InProcess
from headwater.errors import AppError
from headwater.testing import Backend, Caller

Step = tuple[str, int, int, bool]

OPERATIONS = ("create", "toggle", "delete", "restore", "move", "assign", "leave")
STEPS = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 5), st.integers(0, 2), st.booleans()),
    max_size=25,
)


class Lost(Exception):
    """What a mutation meets after it has written."""


class World:
    """Two people, three projects, and the tasks they make: ben is in two of the projects."""

    def __init__(self, placement: InProcess) -> None:
        self.backend = Backend(placement)
        self.people = [self.backend.with_identity(subject=name) for name in ("ana", "ben")]
        ana, self.ben = self.people
        names = [{"name": name} for name in ("Garden", "Boat", "Attic")]
        self.projects = [ana.mutation("projects:createProject", name) for name in names]
        self.ids = [person.mutation("users:storeUser") for person in self.people]
        for project_id in self.projects[:2]:
            invited = {"projectId": project_id, "role": "member"}
            code = ana.action("invitations:invite", invited)
            self.ben.mutation("invitations:acceptInvitation", {"code": code})
        self.tasks: list[str] = []

    def take(self, step: Step) -> None:
        """One operation: as ana, or as ben, who is refused some of them."""
        operation, task, project, by_ben = step
        person, project_id = self.people[by_ben], self.projects[project]
        try:
            if operation == "create":
                arguments = {"title": "Dig", "projectId": project_id}
                self.tasks.append(person.mutation("tasks:createTask", arguments))
            elif operation == "leave":
                self._leave(project_id)
            elif self.tasks:
                self._change(person, operation, self.tasks[task % len(self.tasks)], project)
        except AppError as error:
            event(f"{operation}: {error.data['code']}")

    def _change(self, person: Caller, operation: str, task_id: str, number: int) -> None:
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "toggle": ("tasks:toggleTask", {}),
            "delete": ("tasks:deleteTask", {}),
            "restore": ("tasks:restoreTask", {}),
            "move": ("tasks:updateTask", {"projectId": self.projects[number]}),
            "assign": ("tasks:assignTask", {"userId": self.ids[number % 2]}),
        }
        path, more = calls[operation]
        person.mutation(path, {"taskId": task_id, **more})

    def _leave(self, project_id: str) -> None:
        for row in self.ben.query("members:getMembers", {"projectId": project_id}):
            if row["name"] == "ben":
                self.ben.mutation("members:removeMember", {"memberId": row["memberId"]})

    def fail(self) -> None:
        """A mutation that changes every task and then fails: nothing of it may stay."""
        changes = importlib.import_module("backend.task_changes")

        async def step(ctx: MutationCtx) -> None:
            for task in await ctx.db.query(
                importlib.import_module("backend.schema").Task
            ).collect():
                await changes.change(ctx, task, completed=not task.completed)
            raise Lost

        with pytest.raises(Lost):
            self.backend.run(step)

    def counted(self) -> dict[str, int]:
        """What the counters say, those at zero left out."""

        async def look(ctx: MutationCtx) -> list[dict[str, Any]]:
            return await ctx.db.query("counters").collect()

        return {
            row["key"]: int(row["value"])
            for row in self.backend.run(look)
            if row["key"].startswith("project:") and row["value"] != 0
        }

    def truth(self) -> dict[str, int]:
        """The tasks of each project, counted."""

        async def look(ctx: MutationCtx) -> list[dict[str, Any]]:
            return await ctx.db.query("tasks").collect()

        return Counter(
            f"project:{row['projectId']}:{'completed' if row['completed'] else 'open'}_tasks"
            for row in self.backend.run(look)
            if "projectId" in row and "deletedAt" not in row
        )


@given(steps=STEPS)
def test_counters_equal_the_truth_after_anything(placement: InProcess, steps: list[Step]) -> None:
    """Created, completed, deleted, restored, moved, given away, refused, or failed half way."""
    world = World(placement)
    for step in steps:
        world.take(step)
        assert world.counted() == world.truth()
    world.fail()
    assert world.counted() == world.truth()
    world.backend.close()


def test_the_operations_do_what_they_are_called(placement: InProcess) -> None:
    """The property is about something: each kind of operation moves a count."""
    world = World(placement)
    garden, boat, _ = world.projects
    seen = []
    for step in [("create", 0, 0, True), ("toggle", 0, 0, False), ("move", 0, 1, True)]:
        world.take(step)
        seen.append(world.counted())
    for operation in ("delete", "restore"):
        world.take((operation, 0, 0, True))
        seen.append(world.counted())
    assert seen == [
        {f"project:{garden}:open_tasks": 1},
        {f"project:{garden}:completed_tasks": 1},
        {f"project:{boat}:completed_tasks": 1},
        {},
        {f"project:{boat}:completed_tasks": 1},
    ]
    world.backend.close()
