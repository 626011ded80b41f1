"""What the page does when somebody adds a task: it waits for the server."""

from typing import Any

from headwater.testing_page import Page


def create(page: Page, title: str) -> None:
    """Somebody has typed a title and pressed the button."""
    page.mutation("tasks:createTask", {"title": title})


def shown(page: Page) -> list[dict[str, Any]]:
    """The rows of the list, newest first."""
    return list(page.query("tasks:getTasks") or [])
