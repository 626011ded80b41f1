"""What an invitation is worth, to whom and how long."""

import pytest
from headwater.errors import AppError

from backend.invitations import (
    BURST,
    VALID_MS,
    accept_invitation,
    get_invitations,
    invite,
    revoke_invitation,
)
from backend.members import get_members, remove_member, set_role
from backend.projects import delete_project, get_projects
from backend.schema import Invitation
from tests.people import Team, join, refused


def test_a_code_lets_one_person_in(team: Team) -> None:
    """With the role it was made for; for the next one it is worth nothing."""
    code = team.ana.action(invite, project_id=team.project_id, role="admin")
    assert team.eve.mutation(accept_invitation, code=code) == team.project_id
    rows = team.eve.query(get_members, project_id=team.project_id)
    assert {row.name: row.role for row in rows}["eve"] == "admin"
    with refused("NOT_FOUND"):
        team.dan.mutation(accept_invitation, code=code)


def test_a_member_who_tries_a_code_changes_nothing(team: Team) -> None:
    """Cleo stays what she is, and the code stays good."""
    code = team.ana.action(invite, project_id=team.project_id, role="admin")
    assert team.cleo.mutation(accept_invitation, code=code) == team.project_id
    rows = team.cleo.query(get_members, project_id=team.project_id)
    assert {row.name: row.role for row in rows}["cleo"] == "member"
    team.eve.mutation(accept_invitation, code=code)


def test_the_code_itself_is_not_stored(team: Team) -> None:
    """Neither the database nor the list of invitations can give it away."""
    code = team.ana.action(invite, project_id=team.project_id, role="member")
    stored = team.backend.run(lambda ctx: ctx.db.query(Invitation).collect())
    assert code not in str(stored)
    assert code not in str(team.ana.query(get_invitations, project_id=team.project_id))


def test_the_list_holds_what_is_still_to_be_accepted(team: Team) -> None:
    """Those that made ben, cleo and dan members are not in it."""
    assert team.ben.query(get_invitations, project_id=team.project_id) == []
    code = team.ben.action(invite, project_id=team.project_id, role="member")
    (row,) = team.ana.query(get_invitations, project_id=team.project_id)
    assert (row.role, row.invited_by) == ("member", team.user_id("ben"))
    team.eve.mutation(accept_invitation, code=code)
    assert team.ana.query(get_invitations, project_id=team.project_id) == []


@pytest.mark.parametrize(("ms", "good"), [(VALID_MS - 1000, True), (VALID_MS, False)])
def test_a_code_is_good_for_seven_days(team: Team, ms: float, good: bool) -> None:
    """A second before it lets somebody in, after it no longer."""
    code = team.ana.action(invite, project_id=team.project_id, role="member")
    team.backend.advance(ms=ms)
    if good:
        team.eve.mutation(accept_invitation, code=code)
    else:
        with refused("NOT_FOUND"):
            team.eve.mutation(accept_invitation, code=code)


def test_a_revoked_code_is_worth_nothing(team: Team) -> None:
    """As if it had never been."""
    code = team.ana.action(invite, project_id=team.project_id, role="member")
    (row,) = team.ana.query(get_invitations, project_id=team.project_id)
    team.ben.mutation(revoke_invitation, invitation_id=row.invitation_id)
    with refused("NOT_FOUND"):
        team.eve.mutation(accept_invitation, code=code)


def test_who_was_taken_out_does_not_come_back_with_a_code_of_their_own(team: Team) -> None:
    """A code is worth what its maker may do now, not when they made it."""
    code = team.ben.action(invite, project_id=team.project_id, role="admin")
    team.ana.mutation(remove_member, member_id=team.member_id("ben"))
    with refused("NOT_FOUND"):
        team.ben.mutation(accept_invitation, code=code)
    join(team, "ben", "member")
    with refused("NOT_FOUND"):
        team.eve.mutation(accept_invitation, code=code)


def test_nobody_gives_a_higher_role_than_their_own(team: Team) -> None:
    """An admin invites admins; owners are made by owners."""
    with refused("FORBIDDEN"):
        team.ben.action(invite, project_id=team.project_id, role="owner")
    code = team.ana.action(invite, project_id=team.project_id, role="owner")
    team.ana.mutation(set_role, member_id=team.member_id("ben"), role="owner")
    team.ben.mutation(set_role, member_id=team.member_id("ana"), role="admin")
    with refused("NOT_FOUND"):
        team.eve.mutation(accept_invitation, code=code)


def test_a_deleted_project_lets_nobody_in(team: Team) -> None:
    """The code is good again if the project is restored; until then there is no such thing."""
    code = team.ana.action(invite, project_id=team.project_id, role="member")
    team.ana.mutation(delete_project, project_id=team.project_id)
    with refused("NOT_FOUND"):
        team.eve.mutation(accept_invitation, code=code)
    assert team.eve.query(get_projects) == []


def test_invitations_are_limited(team: Team) -> None:
    """After twenty at once the admin is told when to come back."""
    for _ in range(BURST):
        team.ben.action(invite, project_id=team.project_id, role="member")
    with pytest.raises(AppError) as error:
        team.ben.action(invite, project_id=team.project_id, role="member")
    assert error.value.data["code"] == "RATE_LIMITED"
    assert error.value.data["retry_after_ms"] > 0
