"""Databases that a check has filled, kept from one verdict of `--watch` to the next."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from headwater_workshop.lab.lab import Lab
from headwater_workshop.lab.stock import Stock
from tests.workshop.labs import SCHEMA, TASKS, made_lab

INDEXED = SCHEMA.replace('Index("done")', 'Index("done", "at")')


class Filling:
    """Stores some tasks by chance, and counts how often it did."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, lab: Lab) -> list[str]:
        self.times += 1
        titles = [str(lab.random.random()) for _ in range(20)]
        return lab.insert_many(
            "tasks", [{"title": title, "done": False, "at": 0.0} for title in titles]
        )


def outcome(lab: Lab, fill: Filling) -> tuple[Any, ...]:
    """What a check sees that fills its database, writes to it, and asks."""
    ids = lab.filled(partial(fill, lab))
    before = lab.documents("tasks")
    lab.anonymous.mutation("tasks:add", {"title": "mine"})
    titles = lab.anonymous.query("tasks:titles", {"done": False})
    return ids, before, titles, lab.now_ms, lab.random.random(), lab.documents("tasks")


def test_a_database_is_filled_once_and_is_as_if_it_was_filled_anew(tmp_path: Path) -> None:
    """Documents, chance and time are those of a run without a stock, run after run."""
    fill, stock = Filling(), Stock()
    seen = []
    for each in (None, stock, stock, stock):
        lab = made_lab(tmp_path, stock=each)
        seen.append(outcome(lab, fill))
        lab.close()
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert fill.times == 2


def test_other_tables_or_another_seed_fill_anew(tmp_path: Path) -> None:
    """What is stored depends on both."""
    fill, stock = Filling(), Stock()
    for schema, seed in ((SCHEMA, "7"), (INDEXED, "7"), (SCHEMA, "8"), (INDEXED, "7")):
        files = {"schema.py": schema, "tasks.py": TASKS}
        lab = made_lab(tmp_path, files=files, seed=seed, stock=stock)
        lab.filled(partial(fill, lab))
        assert len(lab.documents("tasks")) == 20
        lab.close()
    assert fill.times == 3


def test_a_database_in_use_is_not_given_to_another(tmp_path: Path) -> None:
    """The second is filled by itself."""
    fill, stock = Filling(), Stock()
    first, second = made_lab(tmp_path, stock=stock), made_lab(tmp_path, stock=stock)
    assert outcome(first, fill) == outcome(second, fill)
    assert fill.times == 2
    first.close()
    second.close()


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    """A long watch does not grow."""
    fill, stock = Filling(), Stock()
    for seed in (*range(20), 0):
        lab = made_lab(tmp_path, seed=str(seed), stock=stock)
        lab.filled(partial(fill, lab))
        lab.close()
    assert fill.times == 21
