"""What images in messages promise."""

import hashlib

import pytest
from headwater import AppError, Id, StoredFile
from headwater.testing import Backend, Caller

from backend.attachments import BURST, MOST_BYTES, attach_image, generate_image_url, get_image
from backend.cleanup import BATCH, DAY_MS
from backend.logos import generate_logo_url, set_logo
from backend.messages import delete_message, list_messages, send_message
from backend.rooms import create_room
from backend.schema import Message
from tests.people import Team, refused

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def ana(backend: Backend) -> Caller:
    """Somebody who talks."""
    return backend.with_identity(subject="ana")


def uploaded(
    backend: Backend, content: bytes = PNG, content_type: str | None = "image/png"
) -> Id[StoredFile]:
    """The id of a file that ana has uploaded, and that is shown nowhere yet."""
    url = backend.with_identity(subject="ana").mutation(generate_image_url)
    return Id(backend.upload(url, content, content_type=content_type))


def said(person: Caller, room_id: str = "general") -> Id[Message]:
    """A message of somebody's."""
    return person.mutation(send_message, room_id=room_id, content="Look!")


def files(backend: Backend) -> int:
    """How many files are stored."""
    return len(backend.run(lambda ctx: ctx.db.system.query(StoredFile).collect()))


def test_an_image_is_shown_with_what_the_server_knows_of_it(backend: Backend, ana: Caller) -> None:
    """Size, type and hash are those of the bytes that arrived."""
    message_id, image_id = said(ana), uploaded(backend)
    ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    image = ana.query(get_image, message_id=message_id)
    assert image is not None
    assert (image.size, image.content_type) == (len(PNG), "image/png")
    assert image.sha256 == hashlib.sha256(PNG).hexdigest()
    blob = backend.download(image.url)
    assert blob is not None
    assert blob.content == PNG
    (message,) = ana.query(list_messages, room_id="general")
    assert message.image_id == image_id


def test_a_message_without_an_image_says_so(ana: Caller) -> None:
    """No error: most messages have none."""
    assert ana.query(get_image, message_id=said(ana)) is None


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (PNG, "image/svg+xml", "PNG, JPEG"),
        (PNG, None, "PNG, JPEG"),
        (bytes(MOST_BYTES + 1), "image/png", "at most"),
    ],
)
def test_a_file_that_is_no_image_is_refused(
    backend: Backend, ana: Caller, content: bytes, content_type: str | None, reason: str
) -> None:
    """Judged by what the server noted of it; the message stays as it was."""
    message_id, image_id = said(ana), uploaded(backend, content, content_type)
    with pytest.raises(AppError, match=reason):
        ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    assert ana.query(get_image, message_id=message_id) is None


def test_another_image_takes_the_place_of_the_first(backend: Backend, ana: Caller) -> None:
    """And the first file goes; the same one again changes nothing."""
    message_id, first, second = said(ana), uploaded(backend), uploaded(backend, PNG + b"2")
    for image_id in (first, first, second):
        ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    image = ana.query(get_image, message_id=message_id)
    assert image is not None
    assert image.size == len(PNG) + 1
    assert files(backend) == 1


def test_a_file_is_shown_in_one_place(team: Team) -> None:
    """It would go with the first message that is deleted, or with the next logo."""
    backend, ana = team.backend, team.ana
    image_id = uploaded(backend)
    ana.mutation(attach_image, message_id=said(ana), image_id=image_id)
    with refused("INVALID"):
        team.ben.mutation(attach_image, message_id=said(team.ben), image_id=image_id)
    with refused("INVALID"):
        ana.mutation(set_logo, project_id=team.project_id, storage_id=image_id)
    url = ana.mutation(generate_logo_url, project_id=team.project_id)
    logo = Id[StoredFile](backend.upload(url, PNG, content_type="image/png"))
    ana.mutation(set_logo, project_id=team.project_id, storage_id=logo)
    with refused("INVALID"):
        ana.mutation(attach_image, message_id=said(ana), image_id=logo)


def test_who_may_read_the_message_may_see_its_image(team: Team) -> None:
    """Members of the project may; for a stranger there is no such message."""
    room_id = team.ana.mutation(create_room, project_id=team.project_id, name="Plans")
    message_id = said(team.ana, room_id)
    team.ana.mutation(attach_image, message_id=message_id, image_id=uploaded(team.backend))
    assert team.cleo.query(get_image, message_id=message_id) is not None
    with refused("NOT_FOUND"):
        team.eve.query(get_image, message_id=message_id)
    with refused("FORBIDDEN"):
        team.cleo.mutation(
            attach_image, message_id=message_id, image_id=uploaded(team.backend, PNG + b"2")
        )


def test_a_deleted_message_takes_its_image_along(backend: Backend, ana: Caller) -> None:
    """The bytes too: whoever kept the URL finds nothing."""
    message_id = said(ana)
    ana.mutation(attach_image, message_id=message_id, image_id=uploaded(backend))
    image = ana.query(get_image, message_id=message_id)
    ana.mutation(delete_message, message_id=message_id)
    assert image is not None
    assert backend.download(image.url) is None
    assert files(backend) == 0


def test_uploads_have_a_limit(ana: Caller) -> None:
    """An upload URL is permission to store a file."""
    for _ in range(BURST):
        ana.mutation(generate_image_url)
    with refused("RATE_LIMITED"):
        ana.mutation(generate_image_url)


def test_what_nobody_attached_goes_after_a_day(team: Team) -> None:
    """However many there are; what is shown stays, and so does what came an hour ago."""
    backend, ana = team.backend, team.ana
    message_id = said(ana)
    ana.mutation(attach_image, message_id=message_id, image_id=uploaded(backend))
    url = ana.mutation(generate_logo_url, project_id=team.project_id)
    logo = backend.upload(url, PNG, content_type="image/png")
    ana.mutation(set_logo, project_id=team.project_id, storage_id=logo)
    for _ in range(BATCH + 1):
        backend.upload(url, PNG, content_type="image/png")
    backend.clock.advance(2 * DAY_MS)  # the clock alone: no cron runs
    fresh = uploaded(backend)
    backend.advance(hours=23)
    assert files(backend) == 3
    ana.mutation(attach_image, message_id=message_id, image_id=fresh)
    assert files(backend) == 2
