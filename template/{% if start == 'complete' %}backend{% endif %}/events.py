"""What another service tells us of tasks, in events whose origin `routes.py` has proved."""

from typing import Annotated, Literal

from headwater import Model, MutationCtx, internal_mutation
from pydantic import ConfigDict, Field, TypeAdapter

from backend.access import not_found
from backend.counters import bump_today
from backend.schema import Priority, Project, ProjectMember, Task, Title, WebhookEvent
from backend.task_changes import add_task, change

EventId = Annotated[str, Field(min_length=1, max_length=200)]


class Received(Model):
    """What every event has. It may say more than we know of: that is left out."""

    model_config = ConfigDict(extra="ignore")
    id: EventId
    type: str


class NewTask(Model):
    """A task for the owner of a project."""

    model_config = ConfigDict(extra="ignore")
    project_id: str
    title: Title
    priority: Priority | None = None


class DoneTask(Model):
    """Which task is done; `webhooks.py` sends the same."""

    model_config = ConfigDict(extra="ignore")
    task_id: str


class TaskCreated(Received):
    """Something new to do."""

    type: Literal["task.created"]
    data: NewTask


class TaskCompleted(Received):
    """Something is done."""

    type: Literal["task.completed"]
    data: DoneTask


Event = Annotated[TaskCreated | TaskCompleted, Field(discriminator="type")]
EVENT: TypeAdapter[TaskCreated | TaskCompleted] = TypeAdapter(Event)
TYPES = ("task.created", "task.completed")


def parse_event(body: bytes) -> TaskCreated | TaskCompleted | None:
    """The event in a body; None for one of a type that we have no use for.

    Raises:
        ValidationError: it is no event.
    """
    known = Received.model_validate_json(body).type in TYPES
    return EVENT.validate_json(body) if known else None


@internal_mutation
async def receive_event(ctx: MutationCtx, event: TaskCreated | TaskCompleted) -> bool:
    """Apply an event; False when it has been applied before, for who sends may send again.

    What it did and that it came are one transaction: a failure leaves neither.
    """
    seen = ctx.db.query(WebhookEvent).with_index("by_event_id", event_id=event.id)
    if await seen.first() is not None:
        return False
    await ctx.db.insert(WebhookEvent(event_id=event.id, received_at=ctx.now))
    if isinstance(event, TaskCreated):
        await _create(ctx, event.data)
    else:
        await _complete(ctx, event.data.task_id)
    return True


async def _create(ctx: MutationCtx, new: NewTask) -> None:
    project_id = ctx.db.normalize_id(Project, new.project_id)
    if project_id is None:
        raise not_found()
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=project_id)
    owner = await members.filter(lambda one: one.role == "owner").first()
    if owner is None:
        raise not_found()
    await add_task(ctx, owner.user_id, new.title, priority=new.priority, project_id=project_id)


async def _complete(ctx: MutationCtx, text: str) -> None:
    task_id = ctx.db.normalize_id(Task, text)
    task = await ctx.db.get(task_id) if task_id else None
    if task is None or task.deleted_at is not None:
        raise not_found()
    if not task.completed:
        await change(ctx, task, completed=True)
        await bump_today(ctx, "tasks_completed")
