"""What the clean-up takes away, and who may start it."""

from headwater import Document, MutationCtx
from headwater.testing import Backend

from backend.cleanup import clean_up
from backend.projects import create_project, delete_project, get_projects
from backend.schema import ProjectMember, RateLimit, Task
from backend.tasks import create_task


def count(backend: Backend, table: type[Document]) -> int:
    """How many documents a table has."""
    return len(backend.run(lambda ctx: ctx.db.query(table).take(100)))


async def fill(ctx: MutationCtx) -> None:
    """Two buckets: one of 30 hours ago, one of an hour ago."""
    for hours in (30, 1):
        refilled_at = ctx.now - hours * 3_600_000
        await ctx.db.insert(RateLimit(key=f"{hours}", tokens=5, refilled_at=refilled_at))


def test_no_browser_reaches_the_clean_up(backend: Backend) -> None:
    """All of it is internal: the scheduler may call it, clients may not."""
    functions = backend.manifest.functions.values()
    cleaning = [each for each in functions if each.path.startswith("cleanup:")]
    assert cleaning
    assert not any(each.is_public for each in cleaning)


def test_old_buckets_go_and_new_ones_stay(backend: Backend) -> None:
    """A day is the limit."""
    backend.run(fill)
    backend.mutation(clean_up)
    backend.advance(seconds=1)
    assert [each.key for each in backend.run(lambda ctx: ctx.db.query(RateLimit).take(9))] == ["1"]


def test_a_deleted_project_takes_along_what_was_in_it(backend: Backend) -> None:
    """At once out of sight, and then gone."""
    ana = backend.with_identity(subject="ana")
    project_id = ana.mutation(create_project, name="Boat")
    ana.mutation(create_task, title="Paint", project_id=project_id)
    ana.mutation(delete_project, project_id=project_id)
    assert ana.query(get_projects) == []
    backend.advance(days=32)
    assert (count(backend, Task), count(backend, ProjectMember)) == (0, 0)
