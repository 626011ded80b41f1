"""What lesson 1 asks of a project: what is declared is checked by the runtime.

Run by `headwater grade 1`. These checks run in the grader's process; the learner's functions run in
another one, so reading this file gives nothing away that the lesson does not say.
"""

from typing import Any

from headwater_workshop.checks import Caller, Lab, check

CREATE = "tasks:createTask"
PUBLIC = {
    "tasks:getTasks": "query",
    "tasks:getTasksByAssignee": "query",
    "tasks:createTask": "mutation",
    "tasks:toggleTask": "mutation",
    "tasks:deleteTask": "mutation",
    "projects:getProjects": "query",
    "projects:createProject": "mutation",
    "messages:listMessages": "query",
    "messages:sendMessage": "mutation",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz ÄÖÜßéñ漢字🙂"
FUNCTION = "backend/tasks.py create_task"
BOTH = "backend/tasks.py create_task and backend/schema.py Task"
FIELDS = ("title", "completed", "assignee", "priority", "projectId")  # later lessons add others
INSERTS = 200
GROWTH_ALLOWED_BYTES = 1_000


def text(lab: Lab, length: int) -> str:
    return "".join(lab.random.choices(LETTERS, k=length))


def title(lab: Lab) -> str:
    return text(lab, lab.random.randint(1, 200))


def new_project(lab: Lab) -> str:
    return lab.insert("projects", {"name": text(lab, 20), "owner": "ana"})


def caller(lab: Lab, person: str, arguments: dict[str, Any]) -> Caller:
    """Somebody who may make this call: in a project one of its people."""
    project = arguments.get("projectId")
    return lab.person(person) if project is None else lab.insider(project, person)


def stored_as_sent(lab: Lab, arguments: dict[str, Any], person: str) -> None:
    """Create a task with these arguments; the host then looks at what was stored."""
    made = caller(lab, person, arguments).mutation(CREATE, arguments)
    tasks = lab.documents("tasks")
    if len(tasks) != 1 or tasks[0]["_id"] != made:
        lab.fail(
            "L1.1",
            seen=f"{CREATE} stored {len(tasks)} documents in tasks and returned "
            f"{lab.describe(made)}; one task and its id were due.",
            fix="insert one Task and return what ctx.db.insert gives you",
            more="L1",
        )
    fields = {name: tasks[0][name] for name in FIELDS if name in tasks[0]}
    wanted = {**arguments, "assignee": person, "completed": False}
    for name in FIELDS:
        if lab.differs(fields.get(name, lab.ABSENT), wanted.get(name, lab.ABSENT)):
            lab.fail(
                "L1.2" if name in ("priority", "projectId") else "L1.1",
                seen=f"{CREATE} was given {lab.listed(arguments)}; the stored field {name} is "
                f"{lab.describe(fields.get(name, lab.ABSENT))}, not what the call said.",
                fix=f"store {name} as it came: absent stays absent, and the assignee is the "
                "subject of ctx.auth's identity",
                more="L1",
            )


def times(entered: list[str]) -> str:
    return "once" if len(entered) == 1 else f"{len(entered)} times"


def refuse_all(lab: Lab, payloads: dict[str, dict[str, Any]], more: str = "HW103") -> None:
    """Each payload must be refused, and the handler entered by none of them."""
    ana = lab.person("ana")
    entered, stored = [], []
    for about, arguments in payloads.items():
        attempt = ana.attempt(CREATE, arguments)
        if attempt.entered:
            entered.append(about)
        if attempt.ok:
            stored.append(about)
    if entered:
        kept = f" and {len(stored)} of the calls went through" if stored else ""
        lab.fail(
            "V002",
            seen=f"The handler of {CREATE} was entered {times(entered)} with invalid arguments "
            f"({'; '.join(entered)}){kept}.",
            fix="declare the shape in the annotations of the arguments, so that the runtime "
            "refuses such a call first, and remove the checks made by hand",
            more=more,
        )


@check(objective="L1.1", title="Every public function is there")
def contract(lab: Lab) -> None:
    for path, kind in PUBLIC.items():
        lab.expect_function(path, kind)


@check(
    objective="L1.1",
    title="A good call stores exactly what it said",
    needs=("contract",),
    place=FUNCTION,
    rule="HW103",
)
def good_call(lab: Lab) -> None:
    for person in lab.random.sample(["ana", "ben", "chi", "dora", "emil"], 3):
        lab.empty()
        stored_as_sent(lab, {"title": title(lab)}, person)
    lab.empty()
    stored_as_sent(lab, {"title": text(lab, 200)}, "ana")


@check(
    objective="L1.1",
    title="Nobody creates a task without signing in",
    needs=("contract",),
    place=FUNCTION,
    rule="HW303",
)
def signed_in(lab: Lab) -> None:
    attempt = lab.anonymous.attempt(CREATE, {"title": title(lab)})
    if attempt.ok or lab.documents("tasks"):
        lab.fail(
            "L1.1",
            seen=f"A caller who had not signed in created a task through {CREATE}.",
            fix="begin with `identity = await ctx.auth.require_identity()`",
            more="L1",
        )


@check(
    objective="L1.1",
    title="An unknown field is refused",
    needs=("contract",),
    place=FUNCTION,
    rule="HW103",
)
def unknown_field(lab: Lab) -> None:
    name = "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=8))
    arguments = {"title": title(lab), name: lab.random.choice([True, 1.0, "x", None])}
    if lab.person("ana").attempt(CREATE, arguments).entered:
        lab.fail(
            "V001",
            seen=f"{CREATE} accepted an unknown field. Every public function declares its "
            "arguments; any() is not a declaration.",
            fix="name each argument, with a type that says what it may be and how long",
            more="HW103",
        )


@check(
    objective="L1.1",
    title="A bad title is refused before the handler is entered",
    needs=("unknown_field",),
    place=FUNCTION,
    rule="HW103",
)
def bad_titles(lab: Lab) -> None:
    too_long = lab.random.randint(202, 400)
    refuse_all(
        lab,
        {
            "no title": {},
            "title null": {"title": None},
            "title a boolean": {"title": True},
            "title a number": {"title": float(lab.random.randint(2, 99))},
            "title NaN": {"title": float("nan")},
            "title a list": {"title": [title(lab)]},
            "title of 201 characters": {"title": text(lab, 201)},
            f"title of {too_long} characters": {"title": text(lab, too_long)},
        },
    )


@check(
    objective="L1.2",
    title="Priority and project are stored as they came, and may be absent",
    needs=("good_call",),
    place=BOTH,
    rule="HW405",
)
def optional_fields(lab: Lab) -> None:
    choices = ["low", "medium", "high"]
    lab.random.shuffle(choices)
    for priority in choices:
        lab.empty()
        stored_as_sent(lab, {"title": title(lab), "priority": priority}, "ana")
    lab.empty()
    stored_as_sent(lab, {"title": title(lab), "projectId": new_project(lab)}, "ben")
    lab.empty()
    both = {"title": title(lab), "priority": choices[0], "projectId": new_project(lab)}
    stored_as_sent(lab, both, "ana")


@check(
    objective="L1.2",
    title="A bad priority is refused before the handler is entered",
    needs=("unknown_field",),
    place=BOTH,
    rule="HW405",
)
def bad_priorities(lab: Lab) -> None:
    refuse_all(
        lab,
        {
            "priority urgent": {"title": title(lab), "priority": "urgent"},
            "priority in capitals": {"title": title(lab), "priority": "HIGH"},
            "priority empty": {"title": title(lab), "priority": ""},
            "priority a random word": {"title": title(lab), "priority": "p" + text(lab, 5)},
            "priority a number": {"title": title(lab), "priority": 2.0},
            "priority null": {"title": title(lab), "priority": None},
            "priority a list": {"title": title(lab), "priority": ["high"]},
        },
        more="HW405",
    )


@check(
    objective="L1.2",
    title="An id of another table is refused",
    needs=("unknown_field",),
    place=BOTH,
    rule="HW405",
)
def foreign_ids(lab: Lab) -> None:
    message = {"content": "hello", "userId": "ana", "roomId": "general", "timestamp": 1.0}
    task = {"title": "a task", "completed": False, "assignee": "ana"}
    entered = []
    for table, document in (("messages", message), ("tasks", task)):
        arguments = {"title": title(lab), "projectId": lab.insert(table, document)}
        attempt = lab.person("ana").attempt(CREATE, arguments)
        if attempt.ok:
            lab.fail(
                "V003",
                seen=f"project_id of {CREATE} accepted an id from table {table}.",
                fix="use the id validator of its table, and let it be absent where it is optional",
                more="L1",
            )
        if attempt.entered:
            entered.append(f"projectId from {table}")
    if entered:
        lab.fail(
            "V002",
            seen=f"The handler of {CREATE} was entered {times(entered)} with invalid arguments "
            f"({'; '.join(entered)}).",
            fix="use the id validator of its table, so that the runtime refuses such a call first",
            more="L1",
        )


@check(
    objective="L1.2",
    title="What is no project's id is refused before the handler is entered",
    needs=("foreign_ids",),
    place=BOTH,
    rule="HW405",
)
def bad_project_ids(lab: Lab) -> None:
    refuse_all(
        lab,
        {
            "projectId no id at all": {"title": title(lab), "projectId": text(lab, 12)},
            "projectId a number": {"title": title(lab), "projectId": 7.0},
            "projectId null": {"title": title(lab), "projectId": None},
        },
        more="HW405",
    )


@check(
    objective="L1.2",
    title="The tasks table says the same as the function",
    needs=("contract",),
    place="backend/schema.py Task",
    rule="HW405",
)
def table_says_it(lab: Lab) -> None:
    task = {"title": title(lab), "completed": False, "assignee": "ana"}
    project = new_project(lab)
    good = {**task, "priority": "low", "projectId": project}
    problem = lab.misfit("tasks", good) or lab.misfit("tasks", task)
    if problem is not None:
        lab.fail(
            "L1.2",
            seen=f"The table tasks refuses a good task: {problem}.",
            fix="give Task the fields priority and project_id, both optional (default None)",
            more="L1",
        )
    if lab.misfit("tasks", {**task, "priority": "urgent"}) is None:
        lab.fail(
            "L1.2",
            seen="The table tasks would store the priority 'urgent', which no part of the program "
            "knows.",
            fix="say in the schema which words there are: a choice of literals, no text",
            more="L1",
        )
    if lab.misfit("tasks", {**task, "projectId": lab.insert("tasks", task)}) is None:
        lab.fail(
            "V003",
            seen="project_id of the table tasks accepted an id from table tasks.",
            fix="use the id validator of its table in the schema too",
            more="L1",
        )


@check(
    objective="L1.3",
    title="A project's document stays as small as it was",
    needs=("optional_fields",),
    place="backend/schema.py Project",
    rule="HW405",
)
def children_apart(lab: Lab) -> None:
    project = new_project(lab)
    ana = lab.insider(project)
    before = lab.stored_bytes(project)
    for _ in range(INSERTS):
        ana.mutation(CREATE, {"title": text(lab, 100), "projectId": project})
    after = lab.stored_bytes(project)
    if after > before + GROWTH_ALLOWED_BYTES:
        lab.fail(
            "S004",
            seen=f"One projects document grew from {before / 1000:.1f} to {after / 1000:.1f} kB "
            f"over {INSERTS} inserts and was rewritten each time.",
            fix="give children their own table: a task names its project, the project does not "
            "list its tasks",
            more="L1",
        )
    if len(lab.documents("tasks")) != INSERTS:
        lab.fail(
            "L1.3",
            seen=f"{INSERTS} calls of {CREATE} left {len(lab.documents('tasks'))} tasks.",
            fix="insert one Task for each call",
            more="L1",
        )
