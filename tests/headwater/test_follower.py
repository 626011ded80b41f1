"""The follower: every record once and in order, and an end that waits for the last."""

from __future__ import annotations

from headwater.follower import Follower
from headwater.records import Reading, Records
from headwater.settings import Limits
from tests.headwater.test_records import add


class Reader(Follower):
    """Keeps the functions of what it takes, in batches of two."""

    def __init__(self, records: Records, patience: int = 99) -> None:
        self.batches: list[list[str]] = []
        self.patience = patience
        super().__init__(records, "reader", batch=2, gather_s=0.01, last_s=20)

    def take(self, reading: Reading) -> bool:
        """Notes a batch."""
        self.batches.append([record.function for record in reading.records])
        return len(self.batches) < self.patience


def test_what_came_before_the_end_is_taken() -> None:
    """In batches, each record once; what was there before is not."""
    records = Records(Limits())
    add(records, "old")
    reader = Reader(records)
    add(records, "a", "b", "c")
    reader.stop()
    assert [name for batch in reader.batches for name in batch] == ["a", "b", "c"]
    assert all(len(batch) <= 2 for batch in reader.batches)


def test_a_reader_that_wants_no_more_is_not_asked_again() -> None:
    """At the end it is given one batch more, not all that is left."""
    records = Records(Limits())
    reader = Reader(records, patience=0)
    reader.stop()
    assert reader.batches == []
    add(records, "a", "b", "c")
    reader._take_all()  # what its thread would do
    assert reader.batches == [["a", "b"]]
