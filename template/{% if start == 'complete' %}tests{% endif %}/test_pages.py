"""What pages of messages promise, and what they cost."""

from headwater import PaginationOptions
from headwater.testing import Backend

from backend.messages import page_messages, send_message


def page(number: int, cursor: str | None) -> PaginationOptions:
    """What a client asks for: so many messages, from there on."""
    return PaginationOptions(num_items=number, cursor=cursor)


def test_a_new_message_moves_no_page(backend: Backend) -> None:
    """The second page goes on where the first one ended."""
    ana = backend.with_identity(subject="ana")
    for number in range(6):
        ana.mutation(send_message, room_id="general", content=str(number))
        backend.advance(seconds=10)
    first = ana.query(page_messages, room_id="general", pagination_opts=page(3, None))
    ana.mutation(send_message, room_id="general", content="new")

    following = page(3, first.continue_cursor)
    second = ana.query(page_messages, room_id="general", pagination_opts=following)

    assert [message.content for message in first.page + second.page] == list("543210")


def test_a_later_page_reads_no_more_than_the_first(backend: Backend) -> None:
    """A cursor is a place in the index: what lies before it is not read again."""
    ana = backend.with_identity(subject="ana")
    for number in range(12):
        ana.mutation(send_message, room_id="general", content=str(number))
        backend.advance(seconds=10)
    reads, cursor = [], None
    for _ in range(4):
        found = ana.query(page_messages, room_id="general", pagination_opts=page(3, cursor))
        reads.append(backend.stats.documents_read)
        cursor = found.continue_cursor
    assert reads == [reads[0]] * 4
