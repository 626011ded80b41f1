"""Numbers that are kept, not counted: changed in the same transaction as what they count."""

from headwater import Id, MutationCtx, QueryCtx

from backend.schema import Project, Task

VALUES: dict[str, int] = {}


async def value_of(ctx: QueryCtx, key: str) -> int:
    """What a counter says; one that was never changed says 0."""
    return VALUES.get(key, 0)


async def bump(ctx: MutationCtx, key: str, by: int = 1) -> None:
    """Add to a counter, or take away."""
    VALUES[key] = VALUES.get(key, 0) + by


async def recount(ctx: MutationCtx, before: Task | None, after: Task | None) -> None:
    """Move a task from the counter it was in to the one it is in now: call it after every change
    of a task, in the same mutation. None is a task that is not there yet, or no longer.
    """
    old, new = counted_in(before), counted_in(after)
    if old == new:
        return
    if old is not None:
        await bump(ctx, old, -1)
    if new is not None:
        await bump(ctx, new)


def counted_in(task: Task | None) -> str | None:
    """The counter a task is in: none for one that is not there, and for one outside of projects."""
    if task is None or task.project_id is None:
        return None
    return tasks_key(task.project_id, completed=task.completed)


def tasks_key(project_id: Id[Project], *, completed: bool) -> str:
    """The counter of a project's open tasks, or of its completed ones."""
    return f"project:{project_id}:{'completed' if completed else 'open'}_tasks"
