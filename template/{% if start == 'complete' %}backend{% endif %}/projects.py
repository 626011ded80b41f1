"""Projects. A member sees one, an admin renames it, an owner deletes it and brings it back."""

from headwater import UNSET, Id, Model, MutationCtx, QueryCtx, mutation, query

from backend.access import member, membership, signed_in, viewer
from backend.counters import tasks_key, value_of
from backend.schema import Project, ProjectMember, ProjectName, Role


class ProjectPage(Model):
    """What the page of a project shows."""

    project: Project
    role: Role
    logo_url: str | None
    open_tasks: int
    completed_tasks: int


@query
async def get_projects(ctx: QueryCtx) -> list[Project]:
    """The signed-in person's projects, oldest first; none for a visitor who has not signed in."""
    user = await viewer(ctx)
    if user is None:
        return []
    mine = await ctx.db.query(ProjectMember).with_index("by_user", user_id=user.id).take(100)
    projects = [await ctx.db.get(each.project_id) for each in mine]
    return [each for each in projects if each is not None and each.deleted_at is None]


@query
async def get_project(ctx: QueryCtx, project_id: Id[Project]) -> ProjectPage | None:
    """One project with the caller's role in it; null for who may not see it."""
    user = await viewer(ctx)
    if user is None:
        return None
    project, mine = await ctx.db.get(project_id), await membership(ctx, project_id, user.id)
    if mine is None or project is None or project.deleted_at is not None:
        return None
    return ProjectPage(
        project=project,
        role=mine.role,
        logo_url=await ctx.storage.get_url(project.logo_id) if project.logo_id else None,
        open_tasks=await value_of(ctx, tasks_key(project_id, completed=False)),
        completed_tasks=await value_of(ctx, tasks_key(project_id, completed=True)),
    )


@mutation
async def create_project(ctx: MutationCtx, name: ProjectName) -> Id[Project]:
    """Start a project that the signed-in person owns."""
    user = await signed_in(ctx)
    project_id = await ctx.db.insert(Project(name=name, owner=user.subject))
    await ctx.db.insert(ProjectMember(project_id=project_id, user_id=user.id, role="owner"))
    return project_id


@mutation
async def rename_project(ctx: MutationCtx, project_id: Id[Project], name: ProjectName) -> None:
    """Give a project another name. For admins."""
    await member(ctx, project_id, "admin")
    await ctx.db.patch(project_id, name=name)


@mutation
async def delete_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Hide a project from everyone; the clean-up takes it away 30 days later. For owners."""
    await member(ctx, project_id, "owner")
    await ctx.db.patch(project_id, deleted_at=ctx.now)


@mutation
async def restore_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Bring a deleted project back, with everything in it. For owners."""
    await member(ctx, project_id, "owner", deleted=True)
    await ctx.db.patch(project_id, deleted_at=UNSET)
