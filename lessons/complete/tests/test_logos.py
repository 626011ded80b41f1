"""What logos promise."""

import pytest
from headwater import AppError

from backend.logos import MOST_BYTES, generate_logo_url, set_logo
from backend.projects import get_project
from tests.people import Team, refused

PNG = b"\x89PNG\r\n\x1a\n"


def uploaded(team: Team, content: bytes = PNG, content_type: str | None = "image/png") -> str:
    """The storage id of a file that an admin has uploaded."""
    url = team.ben.mutation(generate_logo_url, project_id=team.project_id)
    return team.backend.upload(url, content, content_type=content_type)


def logo_url(team: Team) -> str | None:
    """Where a member finds the logo."""
    page = team.cleo.query(get_project, project_id=team.project_id)
    assert page is not None
    return page.logo_url


def test_an_admin_gives_the_project_a_logo(team: Team) -> None:
    """Everyone in it sees it."""
    team.ben.mutation(set_logo, project_id=team.project_id, storage_id=uploaded(team))
    url = logo_url(team)
    assert url is not None
    file = team.backend.download(url)
    assert file is not None
    assert file.content == PNG


def test_the_old_file_is_deleted(team: Team) -> None:
    """When another takes its place; to set the same again changes nothing."""
    first = uploaded(team)
    for _ in range(2):
        team.ben.mutation(set_logo, project_id=team.project_id, storage_id=first)
    old = logo_url(team)
    assert old is not None
    team.ben.mutation(set_logo, project_id=team.project_id, storage_id=uploaded(team, PNG + b"2"))
    assert team.backend.download(old) is None
    assert logo_url(team) not in (None, old)


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (PNG, "image/svg+xml", "PNG, JPEG"),
        (PNG, None, "PNG, JPEG"),
        (bytes(MOST_BYTES + 1), "image/png", "at most"),
    ],
)
def test_a_file_that_is_no_logo_is_refused(
    team: Team, content: bytes, content_type: str | None, said: str
) -> None:
    """Judged by what the server knows of it; the old logo stays."""
    storage_id = uploaded(team, content, content_type)
    with pytest.raises(AppError, match=said):
        team.ben.mutation(set_logo, project_id=team.project_id, storage_id=storage_id)
    assert logo_url(team) is None


def test_the_logo_of_another_project_cannot_be_taken(team: Team) -> None:
    """It would be deleted with the next change, though it is not theirs."""
    from backend.projects import create_project

    taken = uploaded(team)
    team.ben.mutation(set_logo, project_id=team.project_id, storage_id=taken)
    own = team.eve.mutation(create_project, name="Eve's")
    with refused("INVALID"):
        team.eve.mutation(set_logo, project_id=own, storage_id=taken)


def test_members_and_strangers_give_no_logo(team: Team) -> None:
    """Nor a place to upload one to."""
    for person, code in (
        (team.cleo, "FORBIDDEN"),
        (team.dan, "NOT_FOUND"),
        (team.eve, "NOT_FOUND"),
    ):
        with refused(code):
            person.mutation(generate_logo_url, project_id=team.project_id)
        with refused(code):
            person.mutation(set_logo, project_id=team.project_id, storage_id=uploaded(team))
