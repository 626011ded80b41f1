"""What the page does when somebody adds a task, with the new ones in the component's own state."""

from typing import Any

from headwater.testing_page import Page

LIST = "tasks:getTasks"
CREATE = "tasks:createTask"


def create(page: Page, title: str) -> None:
    """Somebody has typed a title and pressed the button."""
    page.state["new"] = [{"title": title, "completed": False}, *page.state.get("new", [])]
    page.mutation(CREATE, {"title": title})


def shown(page: Page) -> list[dict[str, Any]]:
    """The rows of the list, newest first."""
    return [*page.state.get("new", []), *(page.query(LIST) or [])]
