"""What lesson 13 asks of a page: the change at once, and the server's word in the end.

Run by `headwater grade 13`. The page's code runs in the jail; the client around it, its server and
the 800 ms between them are here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headwater.testing_page import SimulatedPage
from headwater_workshop.checks import Caller, Lab, PageBroken, check

MODULE = "tests.optimistic"
FILE = "tests/optimistic.py"
LIST, CREATE = "tasks:getTasks", "tasks:createTask"
LATENCY_MS = 800
TOO_LONG = 201


def word(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=10))


@contextmanager
def told(lab: Lab, objective: str) -> Iterator[None]:
    """An error of the page's code is a finding."""
    try:
        yield
    except PageBroken as error:
        lab.fail(
            objective,
            seen=f"The page's code failed: {error}",
            fix="run it yourself with a SimulatedPage, as the lesson's tests do",
            more="L13",
        )


def with_tasks(lab: Lab, count: int = 3) -> Caller:
    """Ana, who has some tasks."""
    ana = lab.person("ana")
    for _ in range(count):
        ana.mutation(CREATE, {"title": word(lab)})
    return ana


def titles(rows: list[Any]) -> list[Any]:
    return [row.get("title") if isinstance(row, dict) else row for row in rows]


def stored(ana: Caller) -> list[Any]:
    return titles(ana.query(LIST, {}))


@check(
    objective="L13.1",
    title="A new task is on top of the list at once",
    place=f"{FILE} optimistic_create",
)
def at_once(lab: Lab) -> None:
    ana, title = with_tasks(lab), word(lab)
    with told(lab, "L13.1"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        page.create(title)
        page.wait(ms=20)
        rows = page.shown()
        if title not in titles(rows):
            page.wait(ms=LATENCY_MS)
            late = title in titles(page.shown())
            lab.fail(
                "O1202" if late else "L13.1",
                seen=f"Nothing changed for {LATENCY_MS} ms." if late else "The task never came.",
                fix="give the mutation an optimistic update",
                more="L13",
            )
        if titles(rows) != [title, *stored(ana)] or rows[0].get("completed") is not False:
            lab.fail(
                "L13.1",
                seen="The new task is shown, but not as an open one on top of the others.",
                fix="put it before the tasks that are there: the list is newest first",
                more="L13",
            )


@check(
    objective="L13.1",
    title="What the client has cached stays as it is",
    needs=("at_once",),
    place=f"{FILE} optimistic_create",
)
def not_in_place(lab: Lab) -> None:
    ana = with_tasks(lab)
    with told(lab, "L13.1"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        page.create(word(lab))
        page.shown()
        if page.changed_in_place:
            lab.fail(
                "O1203",
                seen="The cached value was changed in place; the rollback could not restore it.",
                fix="set a new list: [task, *tasks]",
                more="L13",
            )


@check(
    objective="L13.2",
    title="After the server has answered it is there once",
    needs=("at_once",),
    place=f"{FILE} shown",
)
def once(lab: Lab) -> None:
    ana, title = with_tasks(lab), word(lab)
    with told(lab, "L13.2"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        page.create(title)
        page.wait(ms=LATENCY_MS + 1)
        found = titles(page.shown())
        if found.count(title) > 1:
            times = "twice" if found.count(title) == 2 else f"{found.count(title)} times"
            lab.fail(
                "O1201",
                seen=f"The task is shown {times} after confirmation.",
                fix="keep no copy: show the result of the query, and nothing besides",
                more="L13",
            )
        if page.shown() != ana.query(LIST, {}):
            lab.fail(
                "L13.2",
                seen=f"After the answer the page shows {len(found)} tasks, not what the server has.",
                fix="show the result of the query as it is",
                more="L13",
            )


@check(
    objective="L13.1",
    title="A refused task goes away, and one that cannot be shown harms nothing",
    needs=("not_in_place", "once"),
    place=f"{FILE} optimistic_create",
)
def taken_back(lab: Lab) -> None:
    ana, good = with_tasks(lab), word(lab)
    with told(lab, "L13.1"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        page.create("x" * TOO_LONG)
        page.wait(ms=50)
        page.create(good)
        page.wait(ms=LATENCY_MS + 1)
        if titles(page.shown()) != stored(ana) or good not in stored(ana):
            lab.fail(
                "L13.1",
                seen=f"The server refused one of two tasks; {LATENCY_MS} ms later the page shows "
                f"{len(page.shown())} tasks, the server has {len(stored(ana))}.",
                fix="leave taking back to the client: it lays the updates anew that are open",
                more="L13",
            )
        empty = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS, queries=())
        empty.create(good)
        if empty.shown() != []:
            lab.fail(
                "L13.1",
                seen="The list was not loaded yet, and the page showed tasks all the same.",
                fix="set nothing when get_query gives None",
                more="L13",
            )


@check(
    objective="L13.2",
    title="Two quick ones keep their order, whatever comes between",
    needs=("not_in_place", "once"),
    place=f"{FILE} optimistic_create",
)
def in_order(lab: Lab) -> None:
    ana = with_tasks(lab)
    before, (one, two, phone) = stored(ana), [word(lab) for _ in range(3)]
    with told(lab, "L13.2"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        page.create(one)
        page.wait(ms=100)
        page.create(two)
        judge_order(lab, page, [two, one, *before], "after two quick clicks")
        ana.mutation(CREATE, {"title": phone})
        page.told()
        judge_order(lab, page, [two, one, phone, *before], "after a push from elsewhere")
        page.wait(ms=LATENCY_MS - 50)
        judge_order(lab, page, [two, one, phone, *before], "when one of two was answered")
        page.wait(ms=LATENCY_MS)
        judge_order(lab, page, [two, one, phone, *before], "when both were answered")


def judge_order(lab: Lab, page: SimulatedPage, wanted: list[str], when: str) -> None:
    found = titles(page.shown())
    if found == wanted:
        return
    what = "in another order" if sorted(map(str, found)) == sorted(wanted) else "not each once"
    lab.fail(
        "L13.2",
        seen=f"{when.capitalize()} the page shows {len(found)} tasks for {len(wanted)}, {what}.",
        fix="let the update work on whatever list get_query gives: it is laid anew on each result",
        more="L13",
    )


@check(
    objective="L13.2",
    title="The subscription is enough: nothing is asked again",
    needs=("at_once",),
    place=f"{FILE} create",
)
def asked_once(lab: Lab) -> None:
    ana = with_tasks(lab)
    with told(lab, "L13.2"):
        page = lab.open_page(ana, MODULE, latency_ms=LATENCY_MS)
        for _ in range(3):
            page.create(word(lab))
            page.wait(ms=LATENCY_MS + 1)
        if page.fetches:
            lab.fail(
                "O1204",
                seen=f"{page.fetches} extra queries; the subscription already delivers the result.",
                fix="take the fetch out",
                more="L13",
            )
