"""What roles promise."""

from backend.members import get_members, invite_member, remove_member, set_role
from tests.people import Team, refused


def roles(team: Team) -> dict[str, str]:
    """Everyone in the project, as ana sees them."""
    rows = team.ana.query(get_members, project_id=team.project_id)
    return {row.name: row.role for row in rows}


def test_members_see_each_other(team: Team) -> None:
    """By name and role; who was taken out is gone from the list."""
    assert roles(team) == {"ana": "owner", "ben": "admin", "cleo": "member"}
    assert len(team.cleo.query(get_members, project_id=team.project_id)) == 3


def test_an_owner_changes_roles_and_an_admin_does_not(team: Team) -> None:
    """A second owner may then change the first."""
    with refused("FORBIDDEN"):
        team.ben.mutation(set_role, member_id=team.member_id("ben"), role="owner")
    team.ana.mutation(set_role, member_id=team.member_id("ben"), role="owner")
    team.ben.mutation(set_role, member_id=team.member_id("ana"), role="member")
    assert roles(team) == {"ana": "member", "ben": "owner", "cleo": "member"}


def test_an_admin_invites_up_to_their_own_role(team: Team) -> None:
    """Who is invited a second time stays what they are."""
    project_id, eve = team.project_id, team.user_id("eve")
    with refused("FORBIDDEN"):
        team.ben.mutation(invite_member, project_id=project_id, user_id=eve, role="owner")
    with refused("FORBIDDEN"):
        team.cleo.mutation(invite_member, project_id=project_id, user_id=eve)
    first = team.ben.mutation(invite_member, project_id=project_id, user_id=eve)
    second = team.ana.mutation(invite_member, project_id=project_id, user_id=eve, role="admin")
    assert second == first
    assert roles(team)["eve"] == "member"


def test_the_last_owner_stays_one(team: Team) -> None:
    """They can neither step down nor leave; once there is another they can."""
    ana = team.member_id("ana")
    with refused("INVALID"):
        team.ana.mutation(set_role, member_id=ana, role="admin")
    with refused("INVALID"):
        team.ana.mutation(remove_member, member_id=ana)
    team.ana.mutation(set_role, member_id=team.member_id("cleo"), role="owner")
    team.ana.mutation(remove_member, member_id=ana)
    rows = team.cleo.query(get_members, project_id=team.project_id)
    assert {row.name: row.role for row in rows} == {"ben": "admin", "cleo": "owner"}


def test_an_admin_takes_members_out_but_no_owner(team: Team) -> None:
    """And whoever was taken out sees the project no longer, at once."""
    with refused("FORBIDDEN"):
        team.ben.mutation(remove_member, member_id=team.member_id("ana"))
    team.ben.mutation(remove_member, member_id=team.member_id("cleo"))
    assert roles(team) == {"ana": "owner", "ben": "admin"}
    with refused("NOT_FOUND"):
        team.cleo.query(get_members, project_id=team.project_id)


def test_a_member_leaves_and_takes_nobody_along(team: Team) -> None:
    """Oneself needs no role, others do."""
    with refused("FORBIDDEN"):
        team.cleo.mutation(remove_member, member_id=team.member_id("ben"))
    gone = team.member_id("cleo")
    team.cleo.mutation(remove_member, member_id=gone)
    with refused("NOT_FOUND"):
        team.ana.mutation(remove_member, member_id=gone)
