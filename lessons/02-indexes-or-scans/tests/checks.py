"""What lesson 2 asks of a project: a query reads what it returns, and no more.

Run by `headwater grade 2`. The database and its counters are in the grader's process: what a query
read is counted where the learner's code cannot reach.
"""

import ast
from functools import partial
from typing import Any

from headwater_workshop.checks import Attempt, Lab, check

LIST = "tasks:listOpen"
QUERY = "backend/tasks.py list_open"
MOST = 100
FEE_AT_MOST = 5
PROJECTS = 100
TASKS = 10_000
FOREIGN_DATABASES = {
    "sqlite3", "psycopg", "psycopg2", "asyncpg", "sqlalchemy", "aiosqlite", "peewee", "pymongo",
    "redis", "duckdb", "dbm", "shelve",
}  # fmt: skip


def task(lab: Lab, project: str | None, completed: bool) -> dict[str, Any]:
    letters = lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=12)
    made = {"title": "".join(letters), "completed": completed, "assignee": "ana"}
    return made if project is None else {**made, "projectId": project}


def projects(lab: Lab, count: int) -> list[str]:
    return lab.insert_many("projects", [{"name": f"P{n}", "owner": "ana"} for n in range(count)])


def open_newest_first(lab: Lab, project: str) -> list[dict[str, Any]]:
    """The naive answer, from the host's own copy of the data."""
    found = [t for t in lab.documents("tasks") if t.get("projectId") == project]
    return [t for t in reversed(found) if not t["completed"]][:MOST]


def ask(lab: Lab, project: str) -> Attempt:
    attempt = lab.insider(project).attempt(LIST, {"projectId": project}, kind="query")
    if not attempt.ok:
        explain_refusal(lab, attempt)
    return attempt


def entrance_fee(lab: Lab) -> int:
    """What the query reads of an empty project in an empty table: nothing, and once a project has
    members who asks and whether they are one.
    """
    lab.empty()
    attempt = ask(lab, projects(lab, 1)[0])
    lab.empty()
    return min(attempt.reads, FEE_AT_MOST)


def explain_refusal(lab: Lab, attempt: Attempt) -> None:
    """Say why the call failed; a wrong order of index fields has its own word."""
    for wanted in attempt.ranges:
        index = lab.manifest.table(wanted.table).index(wanted.index)
        given = [name for name, _ in wanted.equal]
        if index is not None and given and given[0] in index.fields[1:]:
            lab.fail(
                "Q104",
                seen=f"Index ({', '.join(map(lab.python_name, index.fields))}) cannot start at "
                f"{lab.python_name(given[0])}: an index is read from its first field on.",
                fix="name the fields in the order of the definition, or define an index that "
                "begins with the field you know",
                more="HW401",
            )
    lab.fail(
        "L2.1",
        seen=f"{LIST} raised an error: {attempt.text}",
        fix="read the error above; run the same call with `headwater run`",
        more="L2",
    )


def compare(lab: Lab, wanted: list[dict[str, Any]], attempt: Attempt) -> None:
    """The list must be the naive answer, document by document."""
    found = attempt.value
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        lab.fail(
            "L2.2",
            seen=f"{LIST} returned {lab.describe(found)}, not a list of tasks.",
            fix="return the list that `take` gives you",
            more="L2",
        )
    ids = [item.get("_id") for item in found]
    due = [item["_id"] for item in wanted]
    if len(ids) < len(due) and ids == due[: len(ids)] and attempt.reads >= MOST:
        lab.fail(
            "Q103",
            seen=f"Returned {len(ids)} of more matching tasks: the limit is applied before the "
            f"condition. {attempt.reads} documents were read; completed ones crowded out the rest.",
            fix="let the index range hold the condition on completed too, then take from it",
            more="HW401",
        )
    if ids != due:
        lab.fail("L2.2", seen=difference(lab, ids, due), fix=order_hint(ids, due), more="HW401")
    if any(lab.differs(item, full) for item, full in zip(found, wanted, strict=True)):
        lab.fail(
            "L2.2",
            seen=f"{LIST} returned tasks whose fields are not those that are stored.",
            fix="return the documents as they were read",
            more="L2",
        )


def difference(lab: Lab, ids: list[Any], due: list[str]) -> str:
    strangers = len([id_ for id_ in ids if id_ not in due])
    missing = len([id_ for id_ in due if id_ not in ids])
    if len(ids) > MOST:
        return f"{LIST} returned {len(ids)} tasks, the limit is {MOST}."
    if strangers or missing:
        return (
            f"{LIST} left out {missing} tasks that it should list, and listed {strangers} others."
        )
    return f"{LIST} returned the right {len(ids)} tasks in another order than newest first."


def order_hint(ids: list[Any], due: list[str]) -> str:
    if sorted(map(str, ids)) == sorted(due):
        return 'order by the index, backwards: `.order("desc")`'
    return "list the tasks of this project that are not completed, newest first, at most 100"


def judge_reads(lab: Lab, attempt: Attempt, fee: int) -> None:
    """Reads may be one more than results and who may see them, and no more."""
    results = len(attempt.value)
    if attempt.reads <= results + 1 + fee:
        return
    for wanted in attempt.ranges:
        bounds = [name for name in ("lower", "upper") if getattr(wanted, name) is not None]
        if len(bounds) == 1:
            lab.fail(
                "Q102",
                seen=f"Read {attempt.reads:,} documents for {results} results: only the "
                f"{bounds[0]} bound is in the range.",
                fix="say equality as equality: the field's name alone, without __gte",
                more="HW401",
            )
    lab.fail(
        "Q101",
        seen=f"Read {attempt.reads:,} documents to return {results}. Filtering after the read does "
        "not reduce reading.",
        fix="declare an index over both fields of the condition, and read through it with both "
        "values",
        more="HW401",
    )


def fill(lab: Lab, count: int, per_project: int) -> list[str]:
    """Projects with shuffled tasks, some completed; gives the projects."""
    made = projects(lab, count)
    rows = [task(lab, p, lab.random.random() < 0.6) for p in made for _ in range(per_project)]
    lab.random.shuffle(rows)
    lab.insert_many("tasks", rows)
    return made


def middle(made: list[str]) -> str:
    return sorted(made)[len(made) // 2]


def crowded(lab: Lab) -> tuple[str, list[dict[str, Any]]]:
    """10,000 tasks; gives one of their projects, and the naive answer for it."""
    project = middle(fill(lab, PROJECTS, TASKS // PROJECTS))
    return project, open_newest_first(lab, project)


def beside(lab: Lab, others: int, rows: list[bool]) -> str:
    """A project with these tasks, completed or not, and some others; gives the project."""
    project = middle(fill(lab, others, 10))
    lab.insert_many("tasks", [task(lab, project, completed) for completed in rows])
    return project


@check(objective="L2.3", title="Reads go only through ctx.db", rule="HW203")
def only_ctx_db(lab: Lab) -> None:
    for path, source in lab.sources.items():
        for name in imported(source):
            if name in FOREIGN_DATABASES:
                lab.fail(
                    "Q105",
                    seen=f"{path} opened {name}. Subscriptions cannot see reads outside ctx.db, so "
                    "no client would update.",
                    fix="read through ctx.db.query(...)",
                    more="HW203",
                )


def imported(source: str) -> set[str]:
    """Top-level names of everything a source file imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@check(
    objective="L2.1", title="tasks:listOpen is a public query", needs=("only_ctx_db",), place=QUERY
)
def contract(lab: Lab) -> None:
    lab.expect_function(LIST, "query")


@check(
    objective="L2.3",
    title="Index fields are used in the order of the definition",
    needs=("contract",),
    place=f"{QUERY} and backend/schema.py Task",
    rule="HW401",
)
def field_order(lab: Lab) -> None:
    (project,) = projects(lab, 1)
    lab.insert("tasks", task(lab, project, completed=False))
    ask(lab, project)


@check(
    objective="L2.2",
    title="The list equals a naive one on random data",
    needs=("field_order",),
    place=QUERY,
    rule="HW401",
)
def oracle(lab: Lab) -> None:
    for _ in range(3):
        lab.empty()
        made = fill(lab, lab.random.randint(2, 6), lab.random.randint(5, 25))
        lab.insert_many("tasks", [task(lab, None, completed=False) for _ in range(5)])
        for project in made:
            compare(lab, open_newest_first(lab, project), ask(lab, project))


@check(
    objective="L2.2",
    title="A project without open tasks gives an empty list",
    needs=("oracle",),
    place=QUERY,
    rule="HW401",
)
def nothing_open(lab: Lab) -> None:
    empty, done = projects(lab, 2)
    lab.insert_many("tasks", [task(lab, done, completed=True) for _ in range(7)])
    for project in (empty, done):
        compare(lab, open_newest_first(lab, project), ask(lab, project))


@check(
    objective="L2.2",
    title="At most 100, and nothing is crowded out",
    needs=("oracle",),
    place=QUERY,
    rule="HW401",
)
def at_most(lab: Lab) -> None:
    crowd, target = projects(lab, 2)
    old = [task(lab, target, completed=False) for _ in range(lab.random.randint(120, 150))]
    lab.insert_many("tasks", old)
    compare(lab, open_newest_first(lab, target), ask(lab, target))
    lab.empty()
    crowd, target = projects(lab, 2)
    lab.insert_many("tasks", [task(lab, target, False) for _ in range(lab.random.randint(20, 40))])
    lab.insert_many("tasks", [task(lab, target, completed=True) for _ in range(150)])
    lab.insert_many("tasks", [task(lab, crowd, completed=False) for _ in range(150)])
    compare(lab, open_newest_first(lab, target), ask(lab, target))


@check(
    objective="L2.1",
    title="An id of another table is refused",
    needs=("contract",),
    place=QUERY,
    rule="HW103",
)
def foreign_id(lab: Lab) -> None:
    (project,) = projects(lab, 1)
    wrong = lab.insert("tasks", task(lab, project, completed=False))
    if lab.insider(project).attempt(LIST, {"projectId": wrong}, kind="query").entered:
        lab.fail(
            "V003",
            seen=f"project_id of {LIST} accepted an id from table tasks.",
            fix="use the id validator of its table in the signature",
            more="L2",
        )


@check(
    objective="L2.1",
    title="10,000 tasks in 100 projects: it reads what it returns",
    needs=("at_most",),
    place=f"{QUERY} and backend/schema.py Task",
    rule="HW401",
)
def reads(lab: Lab) -> None:
    fee = entrance_fee(lab)
    project, wanted = lab.filled(partial(crowded, lab))
    attempt = ask(lab, project)
    compare(lab, wanted, attempt)
    judge_reads(lab, attempt, fee)


@check(
    objective="L2.1",
    title="A table ten times as large costs the same",
    needs=("reads",),
    place=f"{QUERY} and backend/schema.py Task",
    rule="HW401",
)
def same_when_larger(lab: Lab) -> None:
    counts = []
    rows = [lab.random.random() < 0.5 for _ in range(40)]
    for others in (10, 100):
        project = lab.filled(partial(beside, lab, others, rows))
        attempt = ask(lab, project)
        counts.append(attempt.reads - len(attempt.value))
    if counts[1] > counts[0] + 1:
        lab.fail(
            "Q101",
            seen=f"With ten times as many tasks of other projects it read {counts[1] - counts[0]} "
            "documents more for the same kind of answer.",
            fix="put the whole condition into the index range",
            more="HW401",
        )
