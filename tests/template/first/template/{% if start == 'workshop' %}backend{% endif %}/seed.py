"""Sample data, so that the first page is not empty: `headwater run seed:sample_data`."""

from headwater import MutationCtx, internal_mutation

from backend.schema import Message, Project, Task

PEOPLE = ("ana", "ben")
TASKS = (
    "Open this page in a second window",
    "Complete a task and watch the other window",
    "Edit backend/tasks.py",
)
MESSAGES = (("ana", "Hello! Sign in as ben in another window."), ("ben", "I am here already."))


@internal_mutation
async def sample_data(ctx: MutationCtx) -> bool:
    """Fill an empty database; where there already is a project, change nothing and say False."""
    if await ctx.db.query(Project).first() is not None:
        return False
    for person in PEOPLE:
        await ctx.db.insert(Project(name=f"{person.title()}'s project", owner=person))
        for title in reversed(TASKS):
            await ctx.db.insert(Task(title=title, assignee=person))
    for position, (person, content) in enumerate(MESSAGES):
        await ctx.db.insert(
            Message(
                content=content, user_id=person, room_id="general", timestamp=ctx.now + position
            )
        )
    return True
