"""What the tests share: people, and a project they are in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from headwater import Id, MutationCtx
from headwater.errors import AppError
from headwater.testing import Backend, Caller

from backend.access import membership
from backend.schema import Project, ProjectMember, Role, User
from backend.seed import person, project

NAMES = ("ana", "ben", "cleo", "dan", "eve")


@dataclass
class Team:
    """A project of ana's, with ben as an admin and cleo as a member. Dan was one; eve never was."""

    backend: Backend
    project_id: Id[Project]
    user_ids: dict[str, Id[User]]
    ana: Caller
    ben: Caller
    cleo: Caller
    dan: Caller
    eve: Caller

    def user_id(self, name: str) -> Id[User]:
        """The id of one of the five."""
        return self.user_ids[name]

    def member_id(self, name: str) -> Id[ProjectMember]:
        """The id of somebody's membership of the project."""

        async def look(ctx: MutationCtx) -> ProjectMember | None:
            return await membership(ctx, self.project_id, self.user_ids[name])

        found = self.backend.run(look)
        assert found is not None, f"{name} is no member"
        return found.id


def make_team(backend: Backend) -> Team:
    """Five people who have signed in, and what they are to one project."""

    async def people(ctx: MutationCtx) -> dict[str, Id[User]]:
        return {name: await person(ctx, name) for name in NAMES}

    async def garden(ctx: MutationCtx) -> Id[Project]:
        ana, ben, cleo, *_ = ids.values()
        return await project(ctx, "Garden", {ana: "owner", ben: "admin", cleo: "member"}, "ana")

    ids = backend.run(people)
    callers = {name: backend.with_identity(subject=name) for name in NAMES}
    team = Team(backend, backend.run(garden), ids, **callers)
    join(team, "dan", "member")
    leave(team, "dan")
    return team


def join(team: Team, name: str, role: Role) -> None:
    """Put somebody into the project."""

    async def put(ctx: MutationCtx) -> None:
        user_id = team.user_ids[name]
        await ctx.db.insert(ProjectMember(project_id=team.project_id, user_id=user_id, role=role))

    team.backend.run(put)


def leave(team: Team, name: str) -> None:
    """Take somebody out of the project."""
    member_id = team.member_id(name)
    team.backend.run(lambda ctx: ctx.db.delete(member_id))


@contextmanager
def refused(code: str) -> Iterator[None]:
    """What is done within must be refused with an AppError of this code."""
    with pytest.raises(AppError) as error:
        yield
    assert error.value.data["code"] == code
