"""What tasks promise. `backend` is the real engine on a database in memory, new for each test."""

import pytest
from headwater import PaginationOptions
from headwater.testing import Backend, Caller, FunctionFailed

from backend.members import remove_member
from backend.notifications import get_notifications
from backend.projects import create_project
from backend.tasks import (
    assign_task,
    count_tasks,
    create_task,
    delete_task,
    get_tasks,
    get_tasks_by_assignee,
    list_open,
    list_tasks,
    move_task,
    restore_task,
    toggle_task,
    update_task,
)
from backend.users import store_user
from tests.people import Team, refused


def test_a_created_task_is_listed_newest_first(backend: Backend) -> None:
    """What ana creates is on top of her list."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_task, title="Write")
    ana.mutation(create_task, title="Read")
    assert [task.title for task in ana.query(get_tasks)] == ["Read", "Write"]


def test_people_list_their_own_tasks(backend: Backend) -> None:
    """Ben does not see ana's tasks in his list, and a visitor sees none at all."""
    backend.with_identity(subject="ana").mutation(create_task, title="Write")
    assert backend.with_identity(subject="ben").query(get_tasks) == []
    assert backend.query(get_tasks) == []


def test_people_list_the_tasks_of_others_in_projects_they_share(team: Team) -> None:
    """What cleo does in the garden ben sees; her own list, and other projects, he does not."""
    team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    team.cleo.mutation(create_task, title="Sleep")
    elsewhere = team.cleo.mutation(create_project, name="Elsewhere")
    team.cleo.mutation(create_task, title="Travel", project_id=elsewhere)

    def titles(person: Caller) -> list[str]:
        return [task.title for task in person.query(get_tasks_by_assignee, assignee="cleo")]

    assert titles(team.cleo) == ["Travel", "Sleep", "Dig"]
    assert titles(team.ben) == ["Dig"]
    assert titles(team.eve) == []
    assert titles(team.backend) == []


def test_toggling_completes_and_opens_again(backend: Backend) -> None:
    """Two toggles leave a task as it was."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    ana.mutation(toggle_task, task_id=task_id)
    assert ana.query(get_tasks)[0].completed
    ana.mutation(toggle_task, task_id=task_id)
    assert not ana.query(get_tasks)[0].completed


def test_a_subscription_sees_the_change(backend: Backend) -> None:
    """A commit pushes the new list to everyone who is subscribed to it."""
    ana = backend.with_identity(subject="ana")
    subscription = ana.subscribe(get_tasks)
    ana.mutation(create_task, title="Write")
    assert [task.title for task in subscription.value] == ["Write"]
    subscription.close()


def test_nobody_changes_the_task_of_another(backend: Backend) -> None:
    """Ben may neither toggle nor delete ana's task, and it stays."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    task_id = ana.mutation(create_task, title="Write")
    for change in (toggle_task, delete_task):
        with refused("FORBIDDEN"):
            ben.mutation(change, task_id=task_id)
    assert not ana.query(get_tasks)[0].completed


def test_a_deleted_task_is_gone(backend: Backend) -> None:
    """Deleting twice says NOT_FOUND the second time."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    ana.mutation(delete_task, task_id=task_id)
    assert ana.query(get_tasks) == []
    with refused("NOT_FOUND"):
        ana.mutation(delete_task, task_id=task_id)


def test_a_title_that_is_too_long_is_refused(backend: Backend) -> None:
    """The signature is the validator: 201 characters never reach the handler."""
    ana = backend.with_identity(subject="ana")
    with pytest.raises(FunctionFailed, match="at most 200 characters"):
        ana.mutation(create_task, title="x" * 201)
    assert ana.query(get_tasks) == []


def test_every_member_works_on_a_projects_tasks(team: Team) -> None:
    """Cleo completes what ana has created; eve is told that there is no such task."""
    task_id = team.ana.mutation(create_task, title="Dig", project_id=team.project_id)
    team.cleo.mutation(toggle_task, task_id=task_id)
    assert team.ana.query(get_tasks)[0].completed
    with refused("NOT_FOUND"):
        team.eve.mutation(toggle_task, task_id=task_id)
    with refused("NOT_FOUND"):
        team.dan.mutation(toggle_task, task_id=task_id)


def test_a_deleted_task_can_be_restored(team: Team) -> None:
    """It comes back as it was; what is not deleted is not restored."""
    task_id = team.ana.mutation(create_task, title="Dig", project_id=team.project_id)
    before = team.ana.query(get_tasks)
    with refused("NOT_FOUND"):
        team.ana.mutation(restore_task, task_id=task_id)
    team.ana.mutation(delete_task, task_id=task_id)
    assert team.ana.query(list_open, project_id=team.project_id) == []
    team.cleo.mutation(restore_task, task_id=task_id)
    assert team.ana.query(get_tasks) == before


def test_an_update_changes_what_is_given(backend: Backend) -> None:
    """And leaves the rest."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write", priority="low")
    ana.mutation(update_task, task_id=task_id, title="Read", due_at=5.0)
    task = ana.query(get_tasks)[0]
    assert (task.title, task.priority, task.due_at) == ("Read", "low", 5.0)


def test_a_task_moves_to_where_its_assignee_may_see_it(team: Team) -> None:
    """Cleo's task does not move to a project of ana's alone, and nothing moves to a stranger's."""
    task_id = team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    alone = team.ana.mutation(create_project, name="Alone")
    with refused("INVALID"):
        team.ana.mutation(update_task, task_id=task_id, project_id=alone)
    with refused("NOT_FOUND"):
        team.cleo.mutation(update_task, task_id=task_id, project_id=alone)
    team.ana.mutation(assign_task, task_id=task_id, user_id=team.user_id("ana"))
    team.ana.mutation(update_task, task_id=task_id, project_id=alone)
    assert [task.title for task in team.ana.query(list_open, project_id=alone)] == ["Dig"]
    assert team.ana.query(list_open, project_id=team.project_id) == []


def test_a_move_takes_both_counters_with_it(team: Team) -> None:
    """One project's number goes down and the other's up in one commit, and the task says when."""
    task_id = team.ana.mutation(create_task, title="Dig", project_id=team.project_id)
    alone = team.ana.mutation(create_project, name="Alone")
    here = team.ana.subscribe(count_tasks, project_id=team.project_id)
    there = team.ana.subscribe(count_tasks, project_id=alone)
    team.backend.advance(seconds=5)
    team.ana.mutation(move_task, task_id=task_id, project_id=alone)
    assert [each.open for each in here.updates] == [1, 0]
    assert [each.open for each in there.updates] == [0, 1]
    moved_at = team.ana.query(get_tasks)[0].moved_at
    assert moved_at is not None
    with refused("NOT_FOUND"):
        team.cleo.mutation(move_task, task_id=task_id, project_id=team.project_id)
    here.close()
    there.close()


def test_who_is_given_a_task_is_told(team: Team) -> None:
    """It is in cleo's list now, and one notification says who gave it."""
    task_id = team.ana.mutation(create_task, title="Dig", project_id=team.project_id)
    team.ana.mutation(assign_task, task_id=task_id, user_id=team.user_id("cleo"))
    assert team.ana.query(get_tasks) == []
    assert [task.assignee for task in team.cleo.query(get_tasks)] == ["cleo"]
    assert [told.text for told in team.cleo.query(get_notifications)] == ["ana gave you: Dig"]


def test_a_task_goes_to_members_only(team: Team) -> None:
    """A stranger gets none, and a task outside of projects stays with whose it is."""
    ana, eve = team.ana, team.eve.mutation(store_user)
    in_project = ana.mutation(create_task, title="Dig", project_id=team.project_id)
    alone = ana.mutation(create_task, title="Sleep")
    with refused("INVALID"):
        ana.mutation(assign_task, task_id=in_project, user_id=eve)
    with refused("INVALID"):
        ana.mutation(assign_task, task_id=alone, user_id=team.user_id("cleo"))


def test_tasks_come_page_by_page_the_open_ones_first(team: Team) -> None:
    """Each page goes on where the one before has ended."""
    for title in ("one", "two", "three"):
        task_id = team.ana.mutation(create_task, title=title, project_id=team.project_id)
        if title == "one":
            team.ana.mutation(toggle_task, task_id=task_id)
    titles: list[list[str]] = []
    cursor: str | None = None
    for _ in range(2):
        page = team.cleo.query(
            list_tasks,
            project_id=team.project_id,
            pagination_opts=PaginationOptions(num_items=2, cursor=cursor),
        )
        titles.append([task.title for task in page.page])
        cursor = page.continue_cursor
    assert titles == [["two", "three"], ["one"]]


def test_tasks_are_counted_as_they_change(team: Team) -> None:
    """A subscription to the counts sees each step, and reads no task."""
    counts = team.cleo.subscribe(count_tasks, project_id=team.project_id)
    task_id = team.ana.mutation(create_task, title="Dig", project_id=team.project_id)
    for change in (toggle_task, delete_task, restore_task, toggle_task):
        team.ana.mutation(change, task_id=task_id)
    seen = [(each.open, each.completed) for each in counts.updates]
    assert seen == [(0, 0), (1, 0), (0, 1), (0, 0), (0, 1), (1, 0)]
    counts.close()


def test_who_has_left_a_project_no_longer_sees_its_tasks(team: Team) -> None:
    """Not even those that are still theirs; and in a deleted project nobody does."""
    team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    team.cleo.mutation(create_task, title="Sleep")
    team.ana.mutation(remove_member, member_id=team.member_id("cleo"))
    assert [task.title for task in team.cleo.query(get_tasks)] == ["Sleep"]
