"""The tables. A class is a table, an annotation is a validator, an Index is a way to read it."""

from typing import Annotated, Literal

from headwater import Document, Id, Index, StoredFile
from pydantic import Field

Priority = Literal["low", "medium", "high"]
Role = Literal["member", "admin", "owner"]


class User(Document, table="users"):
    """Somebody who has signed in. Who may do what goes by the id of this document."""

    token_identifier: str
    subject: str
    name: str
    email: str | None = None
    last_active_at: float
    by_token_identifier = Index("token_identifier")


class Project(Document, table="projects"):
    """Something people work on together."""

    name: Annotated[str, Field(max_length=100)]
    owner: str  # the subject, to show; who may do what goes by project_members
    by_owner = Index("owner")


class ProjectMember(Document, table="project_members"):
    """Somebody who may see a project, and what they may do there."""

    project_id: Id[Project]
    user_id: Id[User]
    role: Role
    by_project = Index("project_id", "user_id")
    by_user = Index("user_id")


class Task(Document, table="tasks"):
    """One thing to do, and who does it."""

    title: Annotated[str, Field(max_length=200)]
    completed: bool = False
    assignee: str  # the subject, to show; who may change the task goes by assignee_id
    assignee_id: Id[User] | None = None
    priority: Priority | None = None
    project_id: Id[Project] | None = None
    moved_at: float | None = None
    by_assignee = Index("assignee")
    by_assignee_id = Index("assignee_id")
    by_project_completed = Index("project_id", "completed")


class Counter(Document, table="counters"):
    """A number that changes in the same transaction as what it counts."""

    key: str
    value: int
    by_key = Index("key")


class Room(Document, table="rooms"):
    """A place in a project where its members talk."""

    project_id: Id[Project]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    by_project = Index("project_id")


class Message(Document, table="messages"):
    """One line in a chat room."""

    content: Annotated[str, Field(max_length=2000)]
    user_id: str
    room_id: str  # the id of a Room, or any other text: a room that is open to all
    timestamp: float
    image_id: Id[StoredFile] | None = None
    by_room = Index("room_id", "timestamp")
    by_image_id = Index("image_id")


class ApiKey(Document, table="api_keys"):
    """A key to the HTTP routes."""

    user_id: Id[User]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    key_hash: str
    salt: str
    last_four: str
    uses: int = 0
    last_used_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    by_user = Index("user_id")


class RateLimit(Document, table="rate_limits"):
    """How many calls somebody may still make: a bucket of tokens, one document per key."""

    key: str
    tokens: float
    refilled_at: float
    by_key = Index("key")
    by_refilled_at = Index("refilled_at")


class Notification(Document, table="notifications"):
    """Something that a person is told."""

    user_id: Id[User]
    kind: Literal["reminder", "assigned", "summary"]
    text: str
    task_id: Id[Task] | None = None
    read_at: float | None = None
    by_user = Index("user_id", "read_at")
    by_task = Index("task_id", "user_id", "kind", "read_at")


class AiConversation(Document, table="ai_conversations"):
    """One person's talk with the model."""

    user_id: Id[User]
    title: Annotated[str, Field(max_length=200)]
    by_user = Index("user_id")


class AiMessage(Document, table="ai_messages"):
    """What one side of a conversation says; an answer grows while it is streaming."""

    conversation_id: Id[AiConversation]
    role: Literal["user", "assistant"]
    content: str
    status: Literal["streaming", "done", "failed"]
    error: str | None = None
    started_at: float | None = None  # when an action took the answer on: a second one does not
    by_conversation = Index("conversation_id")
