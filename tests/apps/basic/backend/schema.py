"""Tables of the backend that the scenarios run against."""

from typing import Annotated, Any, Literal

from pydantic import Field

from headwater import Document, Index


class Task(Document, table="tasks"):
    """Something somebody has to do."""

    title: Annotated[str, Field(max_length=200)]
    completed: bool = False
    assignee: str
    priority: Literal["low", "medium", "high"] | None = None
    by_assignee = Index("assignee")


class Counter(Document, table="counters"):
    """A number that must count every increment once."""

    name: str
    value: int
    by_name = Index("name")


class Sample(Document, table="samples"):
    """Any value at all, kept under a name."""

    name: str
    value: Any
    by_name = Index("name")


class Mark(Document, table="marks"):
    """The effect of one scheduled call."""

    number: int
