"""What lesson 10 asks of a project: pages that hold still, and counts that are true.

Run by `headwater grade 10`. Reads are counted, and the table is counted, in the grader's process.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from headwater_workshop.checks import Attempt, Caller, Lab, check

PAGE = "messages:pageMessages"
COUNT = "tasks:countTasks"
CREATE, TOGGLE = "tasks:createTask", "tasks:toggleTask"
MOVE, DELETE = "tasks:moveTask", "tasks:deleteTask"
KINDS = ["create", "create", "create", TOGGLE, TOGGLE, MOVE, DELETE, "alone"]
PAGES = "backend/messages.py page_messages"
COUNTS = "backend/tasks.py count_tasks"
KEPT = "backend/tasks.py and backend/counters.py"
Call = tuple[Caller, str, dict[str, Any]]
SIZE = 50
DEEP = 40
TASKS = 10_000
COUNT_READS = 10
SHARING = 7
ROUNDS = 25
MOST_PAGES = 200
HAND_ON = "hand the client's options to `.paginate(...)`: its cursor is a place, not a number"
ONE_PLACE = (
    "change the counter in the mutation that changes the task, on every way in and out: create, "
    "toggle, move, delete"
)


# Pages


def fill(lab: Lab, room: str, stamps: list[float]) -> list[str]:
    """Messages of a room, one at each time, stored in any order; gives their ids."""
    rows = [
        {"content": f"m{n}", "userId": "ana", "roomId": room, "timestamp": at}
        for n, at in enumerate(stamps)
    ]
    lab.random.shuffle(rows)
    return lab.insert_many("messages", rows)


def stamps(lab: Lab, count: int, sharing: int = 1) -> list[float]:
    """Times, each of them shared by so many."""
    start = float(lab.random.randint(10**12, 10**12 + 10**9))
    return [start + 10.0 * (n // sharing) for n in range(count)]


def newest_first(lab: Lab, room: str) -> list[str]:
    """The naive answer, from the host's own copy of the data."""
    found = [m for m in lab.documents("messages") if m["roomId"] == room]
    return [m["_id"] for m in sorted(found, key=lambda m: m["timestamp"], reverse=True)]


def ask(lab: Lab, room: str, size: int, cursor: str | None) -> Attempt:
    """One page; the check fails when it is none."""
    options = {"numItems": float(size), "cursor": cursor}
    arguments = {"roomId": room, "paginationOpts": options}
    attempt = lab.person("ana").attempt(PAGE, arguments, kind="query")
    result = lab.value_of(PAGE, attempt)
    shaped = isinstance(result, dict) and isinstance(result.get("page"), list)
    if not shaped or not {"isDone", "continueCursor"} <= result.keys():
        lab.fail(
            "L10.1",
            seen=f"{PAGE} returned {lab.describe(result)} without page, isDone or continueCursor.",
            fix="return what `.paginate(pagination_opts)` gives you",
            more="L10",
        )
    return attempt


def ids_of(attempt: Attempt) -> list[str]:
    return [item["_id"] for item in attempt.value["page"]]


def walk(lab: Lab, room: str, size: int) -> Iterator[Attempt]:
    """Page after page, as a client asks for them."""
    cursor = None
    for _ in range(MOST_PAGES):
        attempt = ask(lab, room, size, cursor)
        yield attempt
        if attempt.value["isDone"]:
            return
        cursor = attempt.value["continueCursor"]
    lab.fail(
        "L10.1",
        seen=f"{PAGE} was asked for {MOST_PAGES} pages and never said that it was done.",
        fix="return the result of `.paginate(...)`: it knows when nothing is left",
        more="L10",
    )


@check(objective="L10.1", title="messages:pageMessages is a public query")
def page_contract(lab: Lab) -> None:
    lab.expect_function(PAGE, "query")


@check(
    objective="L10.1",
    title="All pages together are the room, newest first",
    needs=("page_contract",),
    place=PAGES,
    rule="HW402",
)
def whole_room(lab: Lab) -> None:
    for count in (0, 1, lab.random.randint(30, 60)):
        lab.empty()
        fill(lab, "elsewhere", stamps(lab, 20))
        fill(lab, "general", stamps(lab, count))
        size = lab.random.randint(4, 9)
        pages = [ids_of(attempt) for attempt in walk(lab, "general", size)]
        found, due = [id_ for page in pages for id_ in page], newest_first(lab, "general")
        if any(len(page) > size for page in pages):
            lab.fail(
                "L10.1",
                seen=f"A page was asked for {size} messages and had more.",
                fix="give as many as `num_items` says",
                more="L10",
            )
        if found != due:
            lab.fail("L10.1", seen=difference(found, due), fix=HAND_ON, more="HW402")


def difference(found: list[str], due: list[str]) -> str:
    """What is wrong with the pages of a room that nobody changed."""
    lost, more = len(set(due) - set(found)), len(found) - len(set(found) & set(due))
    if lost or more:
        return f"Of {len(due)} messages the pages left out {lost}, and gave {more} too many."
    return f"The pages have the right {len(due)} messages in another order than newest first."


@check(
    objective="L10.1",
    title="Page 40 costs what page 1 costs, and a new message moves it not",
    needs=("whole_room",),
    place=PAGES,
    rule="HW402",
)
def deep_page(lab: Lab) -> None:
    fill(lab, "general", stamps(lab, SIZE * (DEEP + 2)))
    before = ask(lab, "empty", SIZE, None).reads
    seen, reads = set[str](), list[int]()
    for number, attempt in enumerate(walk(lab, "general", SIZE), 1):
        ids = ids_of(attempt)
        reads.append(attempt.reads - before)
        if number == DEEP:
            judge_deep(lab, reads, len(seen & set(ids)))
            return
        seen |= set(ids)
        if number == DEEP - 1:
            fill(lab, "general", [2.0e12])


def judge_deep(lab: Lab, reads: list[int], twice: int) -> None:
    """Page 40, before which one message was written; and what any page before it read."""
    number = DEEP if reads[-1] > SIZE + 1 or twice else reads.index(max(reads)) + 1
    if reads[number - 1] <= SIZE + 1 and not twice:
        return
    came = "an item appeared twice" if twice == 1 else f"{twice} items appeared twice"
    after = f", and after one insert {came}" if twice else ""
    lab.fail(
        "P901",
        seen=f"Page {number} read {reads[number - 1]:,} documents to show {SIZE}{after}.",
        fix=HAND_ON,
        more="HW402",
    )


@check(
    objective="L10.1",
    title="Messages of the same millisecond are neither skipped nor repeated",
    needs=("deep_page",),
    place=PAGES,
    rule="HW402",
)
def ties(lab: Lab) -> None:
    for size in (lab.random.randint(2, SHARING - 1), lab.random.randint(SHARING + 1, 16)):
        lab.empty()
        due = fill(lab, "general", stamps(lab, SHARING * 10, SHARING))
        counted = Counter(id_ for page in walk(lab, "general", size) for id_ in ids_of(page))
        lost = len([id_ for id_ in due if not counted[id_]])
        twice = len([id_ for id_ in due if counted[id_] > 1])
        if lost or twice:
            what = f"{lost} of {len(due)} messages were skipped" if lost else f"{twice} came twice"
            lab.fail(
                "P903",
                seen=f"{SHARING} messages share a timestamp; with pages of {size}, {what}.",
                fix="a time is no place: two messages can have the same. Let `.paginate(...)` make "
                "the cursor",
                more="HW402",
            )


@check(
    objective="L10.1",
    title="Nothing twice and nothing lost, whatever others write between the pages",
    needs=("ties",),
    place=PAGES,
    rule="HW402",
)
def changes_between_pages(lab: Lab) -> None:
    for _ in range(3):
        lab.empty()
        there = set(fill(lab, "general", stamps(lab, lab.random.randint(60, 90), 3)))
        stayed, found = set(there), list[str]()
        inserted = deleted = 0
        for page in walk(lab, "general", lab.random.randint(3, 8)):
            found += ids_of(page)
            gone = set(lab.random.sample(sorted(stayed), lab.random.randint(0, 3)))
            lab.delete(sorted(gone))
            stayed -= gone
            came = [lab.random.uniform(0.9e12, 1.1e12) for _ in range(lab.random.randint(0, 3))]
            fill(lab, "general", [*came, 2.0e12])
            inserted, deleted = inserted + len(came) + 1, deleted + len(gone)
        judge_changed(lab, found, stayed, f"{inserted} inserts and {deleted} deletes")


def judge_changed(lab: Lab, found: list[str], stayed: set[str], changes: str) -> None:
    """What was there all the time must be there once."""
    twice, lost = len(found) - len(set(found)), len(stayed - set(found))
    if twice or lost:
        lab.fail(
            "L10.1",
            seen=f"With {changes} between the pages, {twice} messages came twice and {lost} that "
            "were there all the time came never.",
            fix=HAND_ON,
            more="HW402",
        )


@check(
    objective="L10.1",
    title="A cursor belongs to its room",
    needs=("ties",),
    place=PAGES,
    rule="HW402",
)
def bound(lab: Lab) -> None:
    for room in ("general", "elsewhere"):
        fill(lab, room, stamps(lab, 20))
    cursor = ask(lab, "general", 5, None).value["continueCursor"]
    for about, text in (("of another room", cursor), ("that was made up", "5")):
        options = {"numItems": 5.0, "cursor": text}
        arguments = {"roomId": "elsewhere", "paginationOpts": options}
        if lab.person("ana").attempt(PAGE, arguments, kind="query").ok:
            lab.fail(
                "L10.1",
                seen=f"A page was given for a cursor {about}.",
                fix="hand the options to `.paginate(...)`: its cursors are bound to their query, "
                "and refused by any other",
                more="HW402",
            )


@check(
    objective="L10.1",
    title="Pages on a screen stay side by side while others write",
    needs=("changes_between_pages",),
    place=PAGES,
    rule="HW402",
)
def followed_pages(lab: Lab) -> None:
    there, ana = fill(lab, "general", stamps(lab, 30)), lab.person("ana")
    cursor, pages = None, []
    for _ in range(3):
        options = {"numItems": 8.0, "cursor": cursor}
        pages.append(lab.follow(ana, PAGE, {"roomId": "general", "paginationOpts": options}))
        cursor = pages[-1].value["continueCursor"]
    newest = newest_first(lab, "general")
    fill(lab, "general", [2.0e12 + n for n in range(5)])
    lab.delete(gone := newest[3:6])
    shown = [item["_id"] for page in pages for item in page.value["page"]]
    for page in pages:
        page.close()
    due = [id_ for id_ in newest[:24] if id_ not in gone]
    judge_changed(lab, shown, set(due) & set(there), "5 inserts and 3 deletes under the eyes")


# Counters


def projects(lab: Lab, count: int) -> list[str]:
    return lab.insert_many("projects", [{"name": f"P{n}", "owner": "ana"} for n in range(count)])


def count(lab: Lab, project: str) -> Attempt:
    """The answer of countTasks; the check fails when it is none."""
    attempt = lab.insider(project).attempt(COUNT, {"projectId": project}, kind="query")
    value = lab.value_of(COUNT, attempt)
    if not isinstance(value, dict) or not {"open", "completed"} <= value.keys():
        lab.fail(
            "L10.2",
            seen=f"{COUNT} returned {lab.describe(value)}, without open or completed.",
            fix="return TaskCounts(open=..., completed=...)",
            more="L10",
        )
    return attempt


def of_project(lab: Lab, project: str) -> list[dict[str, Any]]:
    """A project's tasks, from the host's own copy; one in the trash is none."""
    tasks = [t for t in lab.documents("tasks") if t.get("projectId") == project]
    return [t for t in tasks if "deletedAt" not in t]


def compare(lab: Lab, project: str, after: str) -> None:
    """The counters must say what the table holds."""
    said, tasks = count(lab, project).value, of_project(lab, project)
    for name, completed in (("open", False), ("completed", True)):
        holds = len([task for task in tasks if task["completed"] is completed])
        if said[name] != holds:
            lab.fail(
                "P904",
                seen=f"Counter says {said[name]:g}, table holds {holds}: {name} tasks of a project "
                f"{after}.",
                fix=ONE_PLACE,
                more="L10",
            )


@check(objective="L10.2", title="tasks:countTasks is a public query")
def count_contract(lab: Lab) -> None:
    lab.expect_function(COUNT, "query")


@check(
    objective="L10.2",
    title="A project's first tasks are counted",
    needs=("count_contract",),
    place=COUNTS,
)
def first_tasks(lab: Lab) -> None:
    (project,) = projects(lab, 1)
    compare(lab, project, "before its first task")
    for number in range(lab.random.randint(3, 6)):
        lab.insider(project).mutation(CREATE, {"title": f"T{number}", "projectId": project})
    compare(lab, project, "that were just created")


@check(
    objective="L10.2",
    title="10,000 tasks are counted without being read",
    needs=("count_contract",),
    place=COUNTS,
    rule="HW402",
)
def cheap_count(lab: Lab) -> None:
    big, small = lab.filled(partial(big_and_small, lab))
    few, many = count(lab, small).reads, count(lab, big).reads
    if many > few + 1 or many > COUNT_READS:
        lab.fail(
            "P902",
            seen=f"Read {many:,} documents to answer one number, and {few} where there are 2 tasks "
            "to count.",
            fix="keep the number: read the project's counters, and let the mutations change them",
            more="HW402",
        )


def big_and_small(lab: Lab) -> list[str]:
    """A project with 10,000 tasks, and one with two."""
    made = projects(lab, 2)
    rows = [
        {"title": f"T{n}", "completed": n % 3 == 0, "assignee": "ana", "projectId": project}
        for project, tasks in zip(made, (TASKS, 2), strict=True)
        for n in range(tasks)
    ]
    lab.insert_many("tasks", rows)
    return made


def some_calls(lab: Lab, made: dict[str, Caller], count: int) -> list[Call]:
    """What people do with tasks; now and then what must be refused."""
    tasks = [task["_id"] for task in lab.documents("tasks")]
    return [random_call(lab, made, tasks) for _ in range(count)]


def random_call(lab: Lab, made: dict[str, Caller], tasks: list[str]) -> Call:
    project = lab.random.choice(list(made))
    caller = made[project] if lab.random.random() < 0.9 else lab.person("nobody here")
    kind = lab.random.choice(KINDS)
    if kind == "alone":
        return caller, CREATE, {"title": "Alone"}
    if kind == "create" or not tasks:
        return caller, CREATE, {"title": "Here", "projectId": project}
    arguments = {"taskId": lab.random.choice(tasks)}
    return caller, kind, arguments | ({"projectId": project} if kind == MOVE else {})


def insiders(lab: Lab, count: int) -> dict[str, Caller]:
    """New projects, each with somebody who may change its tasks."""
    return {project: lab.insider(project) for project in projects(lab, count)}


@check(
    objective="L10.3",
    title="Created, toggled, moved and deleted: the counters say what the table holds",
    needs=("first_tasks", "cheap_count"),
    place=KEPT,
    rule="HW406",
)
def one_after_another(lab: Lab) -> None:
    made = insiders(lab, 3)
    for _ in range(100):
        ((caller, path, arguments),) = some_calls(lab, made, 1)
        caller.attempt(path, arguments)
        for project in made:
            compare(lab, project, f"after {path}")


@check(
    objective="L10.3",
    title="1,000 changes, some failing, some at the same time: still true",
    needs=("one_after_another",),
    place=KEPT,
    rule="HW406",
)
def whatever_happens(lab: Lab) -> None:
    made = insiders(lab, 2)
    for number in range(ROUNDS):
        for caller, path, arguments in some_calls(lab, made, 20):
            caller.attempt(path, arguments)
        with lab.break_write(lab.random.randint(1, 3)):
            for caller, path, arguments in some_calls(lab, made, 5):
                caller.attempt(path, arguments)
        lab.together(some_calls(lab, made, 15))
        if number == ROUNDS // 2:
            lab.restart()
        for project in made:
            compare(lab, project, f"after {(number + 1) * 40} changes, of which some were refused")
