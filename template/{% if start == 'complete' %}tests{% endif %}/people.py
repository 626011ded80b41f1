"""What the tests share: people, and a project they are in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from headwater import Id
from headwater.errors import AppError
from headwater.testing import Backend, Caller

from backend.invitations import accept_invitation, invite
from backend.members import MemberRow, get_members, remove_member
from backend.projects import create_project
from backend.schema import Project, ProjectMember, Role, User
from backend.users import store_user


@dataclass
class Team:
    """A project of ana's, with ben as an admin and cleo as a member. Dan was one; eve never was."""

    backend: Backend
    project_id: Id[Project]
    ana: Caller
    ben: Caller
    cleo: Caller
    dan: Caller
    eve: Caller

    def user_id(self, name: str) -> Id[User]:
        """The id of one of its members."""
        return self._row(name).user_id

    def member_id(self, name: str) -> Id[ProjectMember]:
        """The id of a membership."""
        return self._row(name).member_id

    def _row(self, name: str) -> MemberRow:
        rows = self.ana.query(get_members, project_id=self.project_id)
        return next(row for row in rows if row.name == name)


def make_team(backend: Backend) -> Team:
    """Five people who have signed in, and what they are to one project."""
    names = ("ana", "ben", "cleo", "dan", "eve")
    people = {name: backend.with_identity(subject=name) for name in names}
    for person in people.values():
        person.mutation(store_user)
    project_id = people["ana"].mutation(create_project, name="Garden")
    made = Team(backend, project_id, **people)
    join(made, made.ben, "admin")
    join(made, made.cleo, "member")
    join(made, made.dan, "member")
    people["ana"].mutation(remove_member, member_id=made.member_id("dan"))
    return made


def join(made: Team, person: Caller, role: Role) -> None:
    """Let somebody into the project, by an invitation of ana's."""
    code = made.ana.action(invite, project_id=made.project_id, role=role)
    person.mutation(accept_invitation, code=code)


@contextmanager
def refused(code: str) -> Iterator[None]:
    """What is done within must be refused with an AppError of this code."""
    with pytest.raises(AppError) as error:
        yield
    assert error.value.data["code"] == code
