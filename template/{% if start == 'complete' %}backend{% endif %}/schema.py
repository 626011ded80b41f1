"""The tables. A class is a table, an annotation is a validator, an Index is a way to read it."""

from typing import Annotated, Literal

from headwater import Document, Id, Index, SearchIndex, StoredFile
from pydantic import Field

Priority = Literal["low", "medium", "high"]
Role = Literal["member", "admin", "owner"]
ProjectName = Annotated[str, Field(max_length=100)]
Title = Annotated[str, Field(max_length=200)]


# People and what they work on together


class User(Document, table="users"):
    """Somebody who has signed in. Who may do what goes by the id of this document."""

    token_identifier: str
    subject: str
    name: str
    email: str | None = None
    last_active_at: float  # the first change of a day, not every one: readers would run again
    by_token_identifier = Index("token_identifier")
    by_last_active_at = Index("last_active_at")


class Project(Document, table="projects"):
    """Something people work on together."""

    name: ProjectName
    owner: str  # the subject, to show; who may do what goes by project_members
    logo_id: str | None = None
    deleted_at: float | None = None
    by_owner = Index("owner")
    by_logo_id = Index("logo_id")
    by_deleted = Index("deleted_at")


class ProjectMember(Document, table="project_members"):
    """Somebody who may see a project, and what they may do there."""

    project_id: Id[Project]
    user_id: Id[User]
    role: Role
    by_project = Index("project_id", "user_id")
    by_user = Index("user_id")


class Invitation(Document, table="invitations"):
    """A code that makes whoever has it a member; only its hash is kept."""

    project_id: Id[Project]
    role: Role
    code_hash: str
    invited_by: Id[User]
    expires_at: float
    accepted_at: float | None = None
    by_code_hash = Index("code_hash")
    by_project = Index("project_id")
    by_expires_at = Index("expires_at")


class Task(Document, table="tasks"):
    """One thing to do, and who does it."""

    title: Title
    completed: bool = False
    assignee: str  # the subject, to show; who may change the task goes by assignee_id
    assignee_id: Id[User] | None = None
    priority: Priority | None = None
    project_id: Id[Project] | None = None
    moved_at: float | None = None
    due_at: float | None = None
    deleted_at: float | None = None
    by_assignee = Index("assignee")
    by_assignee_id = Index("assignee_id", "deleted_at")
    by_project_completed = Index("project_id", "completed")
    by_project_open = Index("project_id", "deleted_at", "completed")
    by_deleted = Index("deleted_at")


# Talking


class Room(Document, table="rooms"):
    """A place in a project where its members talk."""

    project_id: Id[Project]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    by_project = Index("project_id")


class Message(Document, table="messages"):
    """One line in a chat room."""

    content: Annotated[str, Field(max_length=2000)]
    user_id: str
    author_id: Id[User] | None = None
    room_id: str  # the id of a Room, or "general": the lobby of everyone who is signed in
    timestamp: float
    image_id: Id[StoredFile] | None = None
    by_room = Index("room_id", "timestamp")
    by_image_id = Index("image_id")
    search_content = SearchIndex("content", filter_fields=("room_id",))


class Presence(Document, table="presence"):
    """Somebody who is in a room now."""

    room_id: str
    user_id: Id[User]
    name: str
    seen_at: float
    by_room = Index("room_id")
    by_user_room = Index("user_id", "room_id")
    by_seen_at = Index("seen_at")


class AiConversation(Document, table="ai_conversations"):
    """One person's talk with the model."""

    user_id: Id[User]
    title: Title
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


# Keys


class ApiKey(Document, table="api_keys"):
    """A key to the HTTP routes, as its SHA-256; the key itself is shown once and not kept."""

    user_id: Id[User]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    key_hash: str
    last_four: str
    uses: int = 0
    last_used_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    by_key_hash = Index("key_hash")
    by_user = Index("user_id")


class ProviderKey(Document, table="provider_keys"):
    """Somebody's own key for a model provider, encrypted."""

    user_id: Id[User]
    provider: Literal["anthropic"]
    encrypted: bytes
    last_four: str
    by_user_provider = Index("user_id", "provider")


# Keeping house


class RateLimit(Document, table="rate_limits"):
    """How many calls somebody may still make; kept full or nearly so, one document per key."""

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


class Counter(Document, table="counters"):
    """A number that changes in the same transaction as what it counts."""

    key: str
    value: int
    by_key = Index("key")


class DailyStatistic(Document, table="daily_statistics"):
    """What happened on one day (in UTC), such as "2026-11-21"."""

    day: str
    tasks_created: int = 0
    tasks_completed: int = 0
    messages: int = 0
    active_users: int = 0
    by_day = Index("day")


class WebhookEvent(Document, table="webhook_events"):
    """An event that has been applied, so that the same one is not applied twice."""

    event_id: str
    received_at: float
    by_event_id = Index("event_id")
    by_received_at = Index("received_at")
