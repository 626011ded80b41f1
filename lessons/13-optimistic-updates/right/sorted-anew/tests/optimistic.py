"""What the page does when somebody adds a task: a copy of the list, and the guess put into it."""

import copy
import itertools
from typing import Any

from headwater.testing_page import LocalStore, Page

NUMBERS = itertools.count(1)


def optimistic_create(store: LocalStore, arguments: dict[str, Any]) -> None:
    """The list as it will be, as far as a page can know."""
    known = store.get_query("tasks:getTasks", {})
    if known is not None:
        guessed = copy.deepcopy(known)
        newest = max((task["_creationTime"] for task in guessed), default=0.0)
        guessed.append({"_id": f"new {next(NUMBERS)}", "_creationTime": newest + 1, **arguments})
        guessed[-1].setdefault("completed", False)
        guessed.sort(key=lambda task: task["_creationTime"], reverse=True)
        store.set_query("tasks:getTasks", {}, guessed)


def create(page: Page, title: str) -> None:
    """The button."""
    arguments = {"title": title}
    page.mutation("tasks:createTask", arguments, optimistic_update=optimistic_create)


def shown(page: Page) -> list[dict[str, Any]]:
    """The rows."""
    tasks = page.query("tasks:getTasks")
    return [] if tasks is None else list(tasks)
