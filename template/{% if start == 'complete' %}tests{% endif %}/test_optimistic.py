"""A page that is 800 ms away from its server does not feel like it."""

import pytest
from headwater.testing import Backend
from headwater.testing_page import SimulatedPage

from tests import optimistic


@pytest.fixture
def page(backend: Backend) -> SimulatedPage:
    """Ana's page, with one task on it."""
    ana = backend.with_identity(subject="ana")
    ana.mutation("tasks:createTask", {"title": "Old"})
    return SimulatedPage(optimistic, ana)


def titles(page: SimulatedPage) -> list[str]:
    """What the list shows now."""
    return [task["title"] for task in page.shown()]


def test_a_new_task_is_there_at_once_and_once(page: SimulatedPage) -> None:
    """Before the server knows, and after it has answered."""
    page.create("New")
    assert titles(page) == ["New", "Old"]
    page.wait(ms=800)
    assert titles(page) == ["New", "Old"]
    assert page.fetches == 0


def test_a_refused_task_goes_away(page: SimulatedPage) -> None:
    """A title may have 200 characters."""
    page.create("x" * 201)
    page.wait(ms=800)
    assert titles(page) == ["Old"]
    assert page.changed_in_place == 0


def test_two_quick_ones_keep_their_order(page: SimulatedPage) -> None:
    """Also while the first is answered and the second is not."""
    page.create("One")
    page.wait(ms=100)
    page.create("Two")
    for _ in range(10):
        page.wait(ms=100)
        assert titles(page) == ["Two", "One", "Old"]
