"""What the page does when somebody adds a task. The page itself is TypeScript; this is the same in
Python, so that it can be tried without a browser.
"""

import time
from typing import Any
from uuid import uuid4

from headwater.testing_page import LocalStore, Page

LIST = "tasks:getTasks"
CREATE = "tasks:createTask"


def optimistic_create(store: LocalStore, arguments: dict[str, Any]) -> None:
    """Show the new task on top of the list, until the server has answered."""
    tasks = store.get_query(LIST)
    if tasks is None:
        return
    guess = {
        "_id": f"optimistic-{uuid4()}",
        "_creationTime": time.time() * 1000,
        "title": arguments["title"],
        "completed": False,
    }
    store.set_query(LIST, {}, [guess, *tasks])


def create(page: Page, title: str) -> None:
    """Somebody has typed a title and pressed the button."""
    page.mutation(CREATE, {"title": title}, optimistic_update=optimistic_create)


def shown(page: Page) -> list[dict[str, Any]]:
    """The rows of the list, newest first."""
    return list(page.query(LIST) or [])
