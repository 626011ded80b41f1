"""The tables. A class is a table, an annotation is a validator, an Index is a way to read it."""

from typing import Annotated

from headwater import Document, Index
from pydantic import Field


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
    by_assignee = Index("assignee")


class Message(Document, table="messages"):
    """One line in a chat room."""

    content: Annotated[str, Field(max_length=2000)]
    user_id: str
    room_id: str
    timestamp: float
    by_room = Index("room_id", "timestamp")
