"""Reminders that were asked for, one document each."""

from headwater import Document, Id

from backend.schema import Task, User


class Reminder(Document, table="reminders"):
    """Somebody wants to be reminded of a task; gone once they were."""

    task_id: Id[Task]
    user_id: Id[User]
