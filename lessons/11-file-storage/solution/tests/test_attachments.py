"""What images in messages promise."""

import hashlib

import pytest
from headwater import Id, StoredFile
from headwater.errors import AppError
from headwater.testing import Backend, Caller, FunctionFailed

from backend.attachments import MOST_BYTES, attach_image, generate_image_url, get_image
from backend.cleanup import BATCH
from backend.messages import delete_message, send_message
from backend.projects import create_project
from backend.rooms import create_room
from backend.schema import Message

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
    assert ana.query(get_image, message_id=message_id) is None
    ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    image = ana.query(get_image, message_id=message_id)
    assert image is not None
    assert (image.size, image.content_type) == (len(PNG), "image/png")
    assert image.sha256 == hashlib.sha256(PNG).hexdigest()
    blob = backend.download(image.url)
    assert blob is not None
    assert blob.content == PNG


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(PNG, "image/svg+xml"), (PNG, None), (bytes(MOST_BYTES + 1), "image/png")],
)
def test_a_file_that_is_no_image_is_refused(
    backend: Backend, ana: Caller, content: bytes, content_type: str | None
) -> None:
    """Judged by what the server noted of it; the message stays as it was."""
    message_id, image_id = said(ana), uploaded(backend, content, content_type)
    with pytest.raises(AppError):
        ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    assert ana.query(get_image, message_id=message_id) is None


def test_a_file_is_shown_in_one_message(backend: Backend, ana: Caller) -> None:
    """It would go with the first of two that is deleted; another image takes the place of one."""
    first, second, other = said(ana), said(ana), said(backend.with_identity(subject="ben"))
    image_id = uploaded(backend)
    ana.mutation(attach_image, message_id=first, image_id=image_id)
    for message_id in (second, other):
        with pytest.raises(AppError):
            ana.mutation(attach_image, message_id=message_id, image_id=image_id)
    ana.mutation(attach_image, message_id=first, image_id=uploaded(backend, PNG + b"2"))
    assert files(backend) == 1


def test_who_may_read_the_message_may_see_its_image(backend: Backend, ana: Caller) -> None:
    """For a stranger to the project there is no such message, and for a visitor none at all."""
    project_id = ana.mutation(create_project, name="Boat")
    room_id = ana.mutation(create_room, project_id=project_id, name="Plans")
    message_id = said(ana, room_id)
    ana.mutation(attach_image, message_id=message_id, image_id=uploaded(backend))
    with pytest.raises(AppError) as refused:
        backend.with_identity(subject="ben").query(get_image, message_id=message_id)
    assert refused.value.data["code"] == "NOT_FOUND"
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.query(get_image, message_id=message_id)


def test_a_deleted_message_takes_its_image_along(backend: Backend, ana: Caller) -> None:
    """The bytes too: whoever kept the URL finds nothing."""
    message_id = said(ana)
    ana.mutation(attach_image, message_id=message_id, image_id=uploaded(backend))
    image = ana.query(get_image, message_id=message_id)
    ana.mutation(delete_message, message_id=message_id)
    assert image is not None
    assert backend.download(image.url) is None
    assert files(backend) == 0


def test_what_nobody_attached_goes_after_a_day(backend: Backend, ana: Caller) -> None:
    """However many there are; what is shown stays, and so does what came an hour ago."""
    ana.mutation(attach_image, message_id=said(ana), image_id=uploaded(backend))
    for _ in range(BATCH + 1):
        uploaded(backend)
    backend.advance(days=3)
    assert files(backend) == 1
    uploaded(backend)
    backend.advance(hours=20)
    assert files(backend) == 2
