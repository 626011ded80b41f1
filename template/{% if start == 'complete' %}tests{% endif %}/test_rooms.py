"""What the rooms of a project promise."""

import pytest
from headwater import AppError
from headwater.testing import Backend

from backend.projects import create_project
from backend.rooms import MOST, create_room, get_rooms
from tests.people import refused


def test_a_member_opens_rooms(backend: Backend) -> None:
    """They are listed in the order they were opened in."""
    ana = backend.with_identity(subject="ana")
    project_id = ana.mutation(create_project, name="Boats")
    for name in ("Harbour", "Engine room"):
        ana.mutation(create_room, project_id=project_id, name=name)
    rooms = ana.query(get_rooms, project_id=project_id)
    assert [room.name for room in rooms] == ["Harbour", "Engine room"]


def test_a_stranger_neither_sees_nor_opens_rooms(backend: Backend) -> None:
    """The project might as well not exist."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    project_id = ana.mutation(create_project, name="Boats")
    with refused("NOT_FOUND"):
        ben.query(get_rooms, project_id=project_id)
    with refused("NOT_FOUND"):
        ben.mutation(create_room, project_id=project_id, name="Harbour")


def test_rooms_have_a_limit(backend: Backend) -> None:
    """The list stays short enough to be read at once."""
    ana = backend.with_identity(subject="ana")
    project_id = ana.mutation(create_project, name="Boats")
    for number in range(MOST):
        ana.mutation(create_room, project_id=project_id, name=str(number))
    with pytest.raises(AppError, match="100 rooms"):
        ana.mutation(create_room, project_id=project_id, name="One more")
