"""The tables of the measured backend: the hand-written server's, as documents."""

from typing import Annotated

from pydantic import Field

from headwater import Document, Index


class Task(Document, table="tasks"):
    """A task on a board."""

    board: str
    title: Annotated[str, Field(max_length=200)]
    completed: bool = False
    by_board = Index("board")


class Counter(Document, table="counters"):
    """A number that many clients increment."""

    name: str
    value: int
    by_name = Index("name")
