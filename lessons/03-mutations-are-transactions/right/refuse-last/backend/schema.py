"""The tables. A class is a table, an annotation is a validator, an Index is a way to read it."""

from typing import Annotated, Literal

from headwater import Document, Id, Index
from pydantic import Field

Priority = Literal["low", "medium", "high"]


class Project(Document, table="projects"):
    """Something people work on together."""

    name: Annotated[str, Field(max_length=100)]
    owner: str
    by_owner = Index("owner")


class Task(Document, table="tasks"):
    """One thing to do, and who does it."""

    title: Annotated[str, Field(max_length=200)]
    completed: bool = False
    assignee: str
    priority: Priority | None = None
    project_id: Id[Project] | None = None
    moved_at: float | None = None
    moves: int = 0
    by_assignee = Index("assignee")
    by_project_completed = Index("project_id", "completed")


class Counter(Document, table="counters"):
    """A number that changes in the same transaction as what it counts."""

    key: str
    value: int
    by_key = Index("key")


class Message(Document, table="messages"):
    """One line in a chat room."""

    content: Annotated[str, Field(max_length=2000)]
    user_id: str
    room_id: str
    timestamp: float
    by_room = Index("room_id", "timestamp")
