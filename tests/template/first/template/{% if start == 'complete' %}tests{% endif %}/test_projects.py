"""What projects and the sample data promise."""

from headwater.testing import Backend

from backend.messages import list_messages
from backend.projects import create_project, get_projects
from backend.seed import sample_data
from backend.tasks import get_tasks


def test_people_list_the_projects_they_own(backend: Backend) -> None:
    """Ana's project is in her list only."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_project, name="Garden")
    assert [project.name for project in ana.query(get_projects)] == ["Garden"]
    assert backend.with_identity(subject="ben").query(get_projects) == []
    assert backend.query(get_projects) == []


def test_sample_data_is_added_once(backend: Backend) -> None:
    """Filling twice gives the same database as filling once."""
    assert backend.mutation(sample_data) is True
    ana = backend.with_identity(subject="ana")
    first = (ana.query(get_tasks), ana.query(list_messages, room_id="general"))
    assert backend.mutation(sample_data) is False
    assert (ana.query(get_tasks), ana.query(list_messages, room_id="general")) == first
    assert len(first[0]) == 3
