"""Sample data, so that the first page is not empty: `headwater run seed:sample_data`."""

from typing import Literal

from headwater import Id, MutationCtx, internal_mutation

from backend.counters import day_of
from backend.notifications import notify
from backend.schema import (
    AiConversation,
    AiMessage,
    DailyStatistic,
    Message,
    Project,
    ProjectMember,
    Role,
    Room,
    User,
)
from backend.task_changes import add_task

ISSUER = "https://dev.headwater.invalid"  # who vouches for the people of a development server
PEOPLE = ("ana", "ben")
TASKS = (
    "Open this page in a second window",
    "Complete a task and watch the other window",
    "Edit backend/tasks.py",
)
SHARED_TASKS = (("Choose a name", True), ("Invite the others", False), ("Plant the trees", False))
MESSAGES = (("ana", "Hello! Sign in as ben in another window."), ("ben", "I am here already."))
CONVERSATION: tuple[tuple[Literal["user", "assistant"], str], ...] = (
    ("user", "What happens when I complete a task?"),
    ("assistant", "A mutation writes it, and every page that shows the task is pushed the change."),
)
DAY_MS = 24 * 3600 * 1000


@internal_mutation
async def sample_data(ctx: MutationCtx) -> bool:
    """Fill an empty database; where there already is a project, change nothing and say False."""
    if await ctx.db.query(Project).first() is not None:
        return False
    people = {name: await person(ctx, name) for name in PEOPLE}
    for name, user_id in people.items():
        own = await project(ctx, f"{name.title()}'s project", {user_id: "owner"}, name)
        for title in reversed(TASKS):
            await add_task(ctx, user_id, title, project_id=own)
    await shared_project(ctx, people["ana"], people["ben"])
    await say(ctx, people, "general")
    await conversation(ctx, people["ana"])
    await past_days(ctx)
    return True


async def shared_project(ctx: MutationCtx, ana: Id[User], ben: Id[User]) -> None:
    """One project for two: what one of them does there, the other sees."""
    garden = await project(ctx, "Garden", {ana: "owner", ben: "member"}, "ana")
    for title, completed in SHARED_TASKS:
        task_id = await add_task(ctx, ben, title, project_id=garden, completed=completed)
    await notify(ctx, ben, "assigned", f"ana gave you: {title}", task_id=task_id)
    room_id = await ctx.db.insert(Room(project_id=garden, name="Plans"))
    await say(ctx, {"ana": ana, "ben": ben}, room_id)


async def person(ctx: MutationCtx, name: str) -> Id[User]:
    """Somebody as the development sign-in knows them."""
    token = f"{ISSUER}|{name}"
    user = User(token_identifier=token, subject=name, name=name, last_active_at=ctx.now)
    return await ctx.db.insert(user)


async def project(
    ctx: MutationCtx, name: str, roles: dict[Id[User], Role], owner: str
) -> Id[Project]:
    """A project and its members."""
    project_id = await ctx.db.insert(Project(name=name, owner=owner))
    for user_id, role in roles.items():
        await ctx.db.insert(ProjectMember(project_id=project_id, user_id=user_id, role=role))
    return project_id


async def say(ctx: MutationCtx, people: dict[str, Id[User]], room_id: str) -> None:
    """The beginning of a talk."""
    for position, (name, content) in enumerate(MESSAGES):
        await ctx.db.insert(
            Message(
                content=content,
                user_id=name,
                author_id=people[name],
                room_id=room_id,
                timestamp=ctx.now + position,
            )
        )


async def conversation(ctx: MutationCtx, user_id: Id[User]) -> None:
    """A question to the model, and its answer."""
    conversation_id = await ctx.db.insert(AiConversation(user_id=user_id, title="First questions"))
    for role, content in CONVERSATION:
        said = AiMessage(conversation_id=conversation_id, role=role, content=content, status="done")
        await ctx.db.insert(said)


async def past_days(ctx: MutationCtx) -> None:
    """Two weeks of statistics, made up, for the report to draw."""
    for ago in range(14, 0, -1):
        created = ctx.random.randrange(4, 20)
        await ctx.db.insert(
            DailyStatistic(
                day=day_of(ctx.now - ago * DAY_MS),
                tasks_created=created,
                tasks_completed=ctx.random.randrange(2, created),
                messages=ctx.random.randrange(10, 60),
                active_users=ctx.random.randrange(1, 6),
            )
        )
