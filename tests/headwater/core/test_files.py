"""Files as transactions see them."""

from __future__ import annotations

import pytest

from headwater.clock import VirtualClock
from headwater.core import requests
from headwater.core.database import Database
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.transaction import Transaction
from headwater.errors import FilesUnavailable, QueryInvalid
from headwater.settings import Limits


def transaction(*, writable: bool) -> Transaction:
    """One of a database that keeps no files, as a grader has it."""
    database = Database(SqliteStorage(), VirtualClock(), Limits())
    return Transaction(database, writable=writable)


@pytest.mark.parametrize("request_", [requests.UploadUrl(), requests.DeleteFile("x")])
def test_a_query_may_not_even_if_it_asks(request_: object) -> None:
    """A worker's handler may send any request; the host refuses those of mutations."""
    with pytest.raises(QueryInvalid, match="a query only reads"):
        transaction(writable=False).answer(request_)


def test_where_no_files_are_kept() -> None:
    """It is said, with what to do."""
    with pytest.raises(FilesUnavailable) as refused:
        transaction(writable=True).answer(requests.UploadUrl())
    assert "no file storage here" in str(refused.value)
    assert "on a server" in refused.value.message
