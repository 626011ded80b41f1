"""What the daily summaries promise."""

from collections.abc import Iterator

import pytest
from headwater import MutationCtx, ScheduledFunction
from headwater.fake_model import FakeModel
from headwater.testing import Backend

from backend.notifications import get_notifications
from backend.schema import User
from backend.summaries import BATCH, schedule_summaries
from backend.tasks import create_task, toggle_task

pytestmark = pytest.mark.model


@pytest.fixture
def model(backend: Backend) -> Iterator[FakeModel]:
    """A stand-in for the model."""
    with FakeModel(answer="Begin with digging.", word_delay_s=0) as model:
        backend.set_env(ANTHROPIC_API_KEY="fake", ANTHROPIC_BASE_URL=model.url)
        yield model


def summaries(backend: Backend, subject: str) -> list[str]:
    """What somebody was told."""
    told = backend.with_identity(subject=subject).query(get_notifications)
    return [one.text for one in told if one.kind == "summary"]


def test_everyone_who_was_there_is_told(backend: Backend, model: FakeModel) -> None:
    """Of their own open tasks: the model sees no others."""
    for name, title in (("ana", "Dig"), ("ben", "Plant")):
        backend.with_identity(subject=name).mutation(create_task, title=title)
    backend.mutation(schedule_summaries)
    backend.finish_scheduled()
    assert summaries(backend, "ana") == summaries(backend, "ben") == ["Begin with digging."]
    first, second = (request["messages"][0]["content"] for request in model.requests)
    assert "<task>Dig</task>" in first
    assert "Plant" not in first
    assert "<task>Plant</task>" in second


def test_who_has_nothing_to_do_is_left_alone(backend: Backend, model: FakeModel) -> None:
    """A completed task is nothing to do."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(toggle_task, task_id=ana.mutation(create_task, title="Dig"))
    backend.mutation(schedule_summaries)
    backend.finish_scheduled()
    assert summaries(backend, "ana") == []
    assert not model.requests


def test_it_comes_every_morning_after_a_day_with_changes(
    backend: Backend, model: FakeModel
) -> None:
    """A day without a change is a day without a summary."""
    backend.with_identity(subject="ana").mutation(create_task, title="Dig")
    backend.advance(days=3)
    assert len(summaries(backend, "ana")) == 1


def test_many_people_come_in_batches(backend: Backend) -> None:
    """Each comes once, however many there are."""

    async def crowd(ctx: MutationCtx) -> None:
        for number in range(2 * BATCH + 5):
            name = f"person {number}"
            user = User(token_identifier=name, subject=name, name=name, last_active_at=ctx.now)
            await ctx.db.insert(user)

    backend.run(crowd)
    backend.advance(ms=1)
    backend.mutation(schedule_summaries)
    backend.finish_scheduled()
    jobs = backend.run(lambda ctx: ctx.db.system.query(ScheduledFunction).take(1000))
    begun = [job.args[0]["userId"] for job in jobs if job.name == "summaries.js:summarize"]
    assert len(begun) == len(set(begun)) == 2 * BATCH + 5


def test_a_model_that_fails_tells_nothing(backend: Backend, model: FakeModel) -> None:
    """Tomorrow is another day."""
    model.refusals, model.retry_after_s = 10, 0.001
    backend.with_identity(subject="ana").mutation(create_task, title="Dig")
    backend.mutation(schedule_summaries)
    backend.finish_scheduled()
    assert summaries(backend, "ana") == []
