"""Sample data, so that the first page is not empty: `headwater run seed:sample_data`."""

from headwater import Id, MutationCtx, internal_mutation

from backend.schema import Message, Project, ProjectMember, Role, Task, User

ISSUER = "https://dev.headwater.invalid"  # who vouches for the people of a development server
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
    for name in PEOPLE:
        user_id = await person(ctx, name)
        await project(ctx, f"{name.title()}'s project", {user_id: "owner"}, name)
        for title in reversed(TASKS):
            await ctx.db.insert(Task(title=title, assignee=name, assignee_id=user_id))
    for position, (name, content) in enumerate(MESSAGES):
        await ctx.db.insert(
            Message(content=content, user_id=name, room_id="general", timestamp=ctx.now + position)
        )
    return True


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
