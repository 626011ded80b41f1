"""Who may do what in a project, and what everybody else is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from headwater.errors import AppError
from headwater.testing import Backend

from backend.members import invite_member, remove_member
from backend.projects import create_project
from backend.schema import Role
from backend.tasks import create_task, list_open, update_task
from backend.users import store_user


@contextmanager
def refused(code: str) -> Iterator[None]:
    """What is done within must be refused with an AppError of this code."""
    with pytest.raises(AppError) as error:
        yield
    assert error.value.data["code"] == code


def test_a_member_changes_a_task_and_a_stranger_does_not(backend: Backend) -> None:
    """Ben is invited, eve is not."""
    ana, ben, eve = (backend.with_identity(subject=name) for name in ("ana", "ben", "eve"))
    project_id = ana.mutation(create_project, name="Boat")
    task_id = ana.mutation(create_task, title="Paint", project_id=project_id)
    ana.mutation(invite_member, project_id=project_id, user_id=ben.mutation(store_user))

    ben.mutation(update_task, task_id=task_id, title="Paint it green")
    with refused("NOT_FOUND"):
        eve.mutation(update_task, task_id=task_id, title="Sink it")

    titles = [task.title for task in ana.query(list_open, project_id=project_id)]
    assert titles == ["Paint it green"]


def test_one_name_from_two_issuers_is_two_people(backend: Backend) -> None:
    """Whoever else signs people in may call somebody ana too."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Paint")
    other = backend.with_identity(subject="ana", issuer="https://elsewhere.example")
    with refused("FORBIDDEN"):
        other.mutation(update_task, task_id=task_id, title="Sink it")


def test_who_was_taken_out_is_a_stranger_again(backend: Backend) -> None:
    """At once, and with the same error."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    project_id = ana.mutation(create_project, name="Boat")
    user_id = ben.mutation(store_user)
    member_id = ana.mutation(invite_member, project_id=project_id, user_id=user_id)
    assert ben.query(list_open, project_id=project_id) == []
    ana.mutation(remove_member, member_id=member_id)
    with refused("NOT_FOUND"):
        ben.query(list_open, project_id=project_id)


def test_nobody_invites_above_their_own_role(backend: Backend) -> None:
    """A member invites nobody, an admin no owner."""
    ana, ben, cleo = (backend.with_identity(subject=name) for name in ("ana", "ben", "cleo"))
    bens, cleos = ben.mutation(store_user), cleo.mutation(store_user)
    roles: tuple[Role, ...] = ("member", "admin")
    for role in roles:
        project_id = ana.mutation(create_project, name="Boat")
        ana.mutation(invite_member, project_id=project_id, user_id=bens, role=role)
        with refused("FORBIDDEN"):
            ben.mutation(invite_member, project_id=project_id, user_id=cleos, role="owner")
