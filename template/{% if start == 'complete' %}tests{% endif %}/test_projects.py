"""What projects and the sample data promise."""

from headwater.testing import Backend

from backend.messages import list_messages
from backend.projects import (
    create_project,
    delete_project,
    get_project,
    get_projects,
    rename_project,
    restore_project,
)
from backend.seed import sample_data
from backend.statistics import get_days
from backend.tasks import count_tasks, create_task, get_tasks, toggle_task
from tests.people import Team, refused


def test_people_list_the_projects_they_are_members_of(team: Team) -> None:
    """Ana's own and shared ones; a stranger and a visitor list none."""
    team.ana.mutation(create_project, name="Boat")
    assert [project.name for project in team.ana.query(get_projects)] == ["Garden", "Boat"]
    assert [project.name for project in team.cleo.query(get_projects)] == ["Garden"]
    assert team.eve.query(get_projects) == []
    assert team.backend.query(get_projects) == []


def test_a_project_says_ones_role_and_how_many_tasks_it_has(team: Team) -> None:
    """What the page of a project needs, in one query; null for who may not see it."""
    for title in ("Dig", "Rest"):
        task_id = team.ana.mutation(create_task, title=title, project_id=team.project_id)
    team.ana.mutation(toggle_task, task_id=task_id)
    page = team.ben.query(get_project, project_id=team.project_id)
    assert page is not None
    assert (page.role, page.open_tasks, page.completed_tasks) == ("admin", 1, 1)
    assert (page.project.name, page.logo_url) == ("Garden", None)
    assert team.dan.query(get_project, project_id=team.project_id) is None


def test_an_admin_renames_and_a_member_does_not(team: Team) -> None:
    """Everyone sees the new name."""
    watched = team.cleo.subscribe(get_projects)
    with refused("FORBIDDEN"):
        team.cleo.mutation(rename_project, project_id=team.project_id, name="Jungle")
    team.ben.mutation(rename_project, project_id=team.project_id, name="Park")
    assert [project.name for project in watched.value] == ["Park"]
    watched.close()


def test_a_deleted_project_is_gone_for_everyone_until_it_is_restored(team: Team) -> None:
    """Its tasks too; and the owner brings it all back."""
    team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    team.ana.mutation(delete_project, project_id=team.project_id)
    assert team.ana.query(get_projects) == []
    assert team.cleo.query(get_tasks) == []
    assert team.ana.query(get_project, project_id=team.project_id) is None
    with refused("NOT_FOUND"):
        team.ana.query(count_tasks, project_id=team.project_id)
    team.ana.mutation(restore_project, project_id=team.project_id)
    assert [task.title for task in team.cleo.query(get_tasks)] == ["Dig"]


def test_sample_data_is_added_once(backend: Backend) -> None:
    """Filling twice gives the same database as filling once."""
    assert backend.mutation(sample_data) is True
    ana = backend.with_identity(subject="ana")
    first = (ana.query(get_tasks), ana.query(list_messages, room_id="general"))
    assert backend.mutation(sample_data) is False
    assert (ana.query(get_tasks), ana.query(list_messages, room_id="general")) == first
    assert len(first[0]) == 3


def test_sample_data_shows_what_two_people_share(backend: Backend) -> None:
    """Both see the garden, counted as if they had made it; the report has two weeks to draw."""
    backend.mutation(sample_data)
    for name in ("ana", "ben"):
        person = backend.with_identity(subject=name)
        own, shared = person.query(get_projects)
        assert (own.name, shared.name) == (f"{name.title()}'s project", "Garden")
        counts = person.query(count_tasks, project_id=shared.id)
        assert (counts.open, counts.completed) == (2, 1)
    assert len(backend.query(get_days, limit=30)) == 14
