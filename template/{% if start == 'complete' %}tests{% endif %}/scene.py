"""A project with something of everything in it: what the access matrix is tried on."""

from dataclasses import replace

from cryptography.fernet import Fernet
from headwater import MutationCtx
from headwater.testing import Caller

from backend.ai import start_conversation
from backend.api_keys import create_api_key
from backend.attachments import generate_image_url
from backend.invitations import get_invitations, invite
from backend.logos import generate_logo_url
from backend.messages import send_message
from backend.notifications import get_notifications
from backend.polls import start_poll
from backend.projects import create_project, delete_project
from backend.rooms import create_room
from backend.seed import person
from backend.tasks import assign_task, create_task, delete_task
from tests.people import Team, join, leave

SOON_MS = 60_000


class Scene:
    """A project with something of everything in it, and everyone who calls."""

    def __init__(self, team: Team) -> None:
        self.callers: dict[str, Caller] = {
            "anonymous": team.backend,
            "stranger": team.eve,
            "ex_member": team.dan,
            "member": team.cleo,
            "admin": team.ben,
            "owner": team.ana,
        }
        self.backend = team.backend
        self.soon = SOON_MS + team.backend.run(now)
        self.ids: dict[str, str] = {"project": team.project_id, "ben": team.user_id("ben")}
        self._add_people(team)
        self._add_tasks(team)
        self._add_deleted_project(team)
        self._add_talk(team)
        self._add_keys(team)
        self._add_poll(team)

    def _add_people(self, team: Team) -> None:
        team.user_ids["finn"] = team.backend.run(lambda ctx: person(ctx, "finn"))
        join(team, "finn", "member")
        self.ids["cleo's membership"] = team.member_id("cleo")
        self.ids["finn's membership"] = team.member_id("finn")
        team.ana.action(invite, project_id=team.project_id, role="member")
        (invitation,) = team.ana.query(get_invitations, project_id=team.project_id)
        self.ids["invitation"] = invitation.invitation_id

    def _add_tasks(self, team: Team) -> None:
        project_id = team.project_id
        gone = team.ana.mutation(create_task, title="Rest", project_id=project_id)
        team.ana.mutation(delete_task, task_id=gone)
        self.ids["deleted task"] = gone
        self.ids["cleo's own task"] = team.cleo.mutation(create_task, title="Sleep")
        task = team.ana.mutation(create_task, title="Dig", project_id=project_id)
        team.ana.mutation(assign_task, task_id=task, user_id=team.user_id("cleo"))
        self.ids["task"] = task
        self.ids["cleo's notification"] = team.cleo.query(get_notifications)[0].id
        join(team, "dan", "member")
        team.dan.mutation(create_task, title="Left behind", project_id=project_id)
        leave(team, "dan")

    def _add_talk(self, team: Team) -> None:
        ana, cleo, project_id = team.ana, team.cleo, team.project_id
        room_id = self.ids["room"] = ana.mutation(create_room, project_id=project_id, name="Plans")
        self.ids["message"] = ana.mutation(send_message, room_id=room_id, content="Hello")
        self.ids["cleo's conversation"] = cleo.mutation(start_conversation)
        url = ana.mutation(generate_logo_url, project_id=project_id)
        self.ids["picture"] = team.backend.upload(url, b"PNG", content_type="image/png")
        url = ana.mutation(generate_image_url)
        self.ids["image"] = team.backend.upload(url, b"PNG", content_type="image/png")

    def _add_keys(self, team: Team) -> None:
        team.backend.set_env(ENCRYPTION_KEY=Fernet.generate_key().decode())
        self.ids["cleo's key"] = team.cleo.action(create_api_key, name="laptop").id

    def _add_poll(self, team: Team) -> None:
        team.backend.set_env(POLL_LINK_KEY="a secret of the tests")
        poll_id = team.cleo.mutation(start_poll, question="Cake?", choices=["Yes", "No"])
        self.ids["cleo's poll"] = poll_id

    def _add_deleted_project(self, team: Team) -> None:
        """A project of its own, with the same people in it: the other one must stay."""
        old = team.ana.mutation(create_project, name="Old garden")
        past = replace(team, project_id=old)
        join(past, "ben", "admin")
        join(past, "cleo", "member")
        team.ana.mutation(delete_project, project_id=old)
        self.ids["deleted project"] = old


async def now(ctx: MutationCtx) -> float:
    """The time of the backend under test."""
    return ctx.now
