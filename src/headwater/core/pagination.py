"""Pages of a query: the options a client sends and the result it gets."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from headwater.core.codecs import OR_NULL
from headwater.core.schema import Model

T = TypeVar("T")
U = TypeVar("U")


class PaginationOptions(Model):
    """What `usePaginatedQuery` sends as `paginationOpts`.

    Attributes:
        num_items: how many documents the client wants, 1 or more.
        cursor: where the page begins; None for the first.
        end_cursor: where the page must end, whatever its length.
        maximum_rows_read: documents to read at most; a page that comes near it asks to be split.
    """

    num_items: int
    cursor: str | None
    end_cursor: Annotated[str | None, OR_NULL] = None
    maximum_rows_read: Annotated[int | None, OR_NULL] = None
    maximum_bytes_read: Annotated[int | None, OR_NULL] = None
    id: Any = None


class PaginationResult(Model, Generic[T]):
    """One page: `page`, whether it was the last, and the cursor of the next."""

    page: list[T]
    is_done: bool
    continue_cursor: str
    split_cursor: str | None
    page_status: Literal["SplitRecommended", "SplitRequired"] | None

    def with_page(self, page: list[U]) -> PaginationResult[U]:
        """The same place in the query with other items: `result.with_page([f(x) for x in ...])`."""
        return PaginationResult[U](
            page=page,
            is_done=self.is_done,
            continue_cursor=self.continue_cursor,
            split_cursor=self.split_cursor,
            page_status=self.page_status,
        )
