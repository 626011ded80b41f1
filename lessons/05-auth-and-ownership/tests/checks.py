"""What lesson 5 asks of a project: who calls comes from the token, and who may is asked each time.

Run by `headwater grade 5`. Every function that touches a project is tried by a visitor, a stranger,
somebody who was a member, and members; the host looks at what was stored.
"""

from typing import Any, NamedTuple

from headwater_workshop.checks import Attempt, Caller, Lab, check

UPDATE, INVITE = "tasks:updateTask", "members:inviteMember"
TABLES = ("projects", "project_members", "tasks")
KINDS = {
    "users:storeUser": "mutation",
    "projects:getProjects": "query",
    "projects:createProject": "mutation",
    "members:getMembers": "query",
    "members:removeMember": "mutation",
    INVITE: "mutation",
    "tasks:getTasks": "query",
    "tasks:getTasksByAssignee": "query",
    "tasks:listOpen": "query",
    "tasks:createTask": "mutation",
    "tasks:toggleTask": "mutation",
    "tasks:deleteTask": "mutation",
}
GIVEN = {  # the arguments that each function has in this lesson; later lessons may add others
    "members:getMembers": ("projectId",),
    "tasks:listOpen": ("projectId",),
    "tasks:createTask": ("projectId", "title"),
    "tasks:toggleTask": ("taskId",),
    UPDATE: ("taskId", "title"),
    INVITE: ("projectId", "userId"),
    "tasks:moveTask": ("taskId", "projectId"),
    "tasks:deleteTask": ("taskId",),
}
PLACES = "backend/access.py member, and the functions of backend/tasks.py and backend/members.py"
ELSEWHERE = "https://elsewhere.example"


class Scene(NamedTuple):
    """A project of an owner's with an admin, a member, somebody who was one, and a task in it."""

    lab: Lab
    project: str
    task: str
    users: dict[str, str]
    names: dict[str, str]

    def person(self, role: str) -> Caller:
        """Somebody by what they are to the project."""
        return self.lab.anonymous if role == "anonymous" else self.lab.person(self.names[role])

    def arguments(self, path: str, **instead: str) -> dict[str, Any]:
        """What a call of a function of the project is given."""
        known = {
            "projectId": self.project,
            "taskId": self.task,
            "title": word(self.lab),
            "userId": self.users["stranger"],
        } | instead
        return {name: known[name] for name in GIVEN[path]}


def word(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=12))


def scene(lab: Lab) -> Scene:
    """A new project, and people under names of chance. The stranger has a project of their own, and
    who was a member has looked at this one before they were taken out.
    """
    lab.empty()
    people = lab.random.sample(["ana", "ben", "chi", "dora", "emil", "finn", "gita"], 5)
    names = dict(zip(("owner", "admin", "member", "former", "stranger"), people, strict=True))
    users = {role: lab.person(name).mutation("users:storeUser", {}) for role, name in names.items()}
    project = lab.person(names["owner"]).mutation("projects:createProject", {"name": word(lab)})
    for role in ("admin", "member"):
        row = {"projectId": project, "userId": users[role], "role": role}
        lab.insert("project_members", row)
    was = {"projectId": project, "userId": users["former"], "role": "member"}
    gone = lab.insert("project_members", was)
    lab.person(names["former"]).attempt("tasks:listOpen", {"projectId": project}, kind="query")
    lab.delete([gone])
    lab.person(names["stranger"]).mutation("projects:createProject", {"name": word(lab)})
    return Scene(lab, project, new_task(lab, project, names["owner"], users["owner"]), users, names)


def new_task(lab: Lab, project: str | None, subject: str, user: str) -> str:
    task = {"title": word(lab), "completed": False, "assignee": subject, "assigneeId": user}
    return lab.insert("tasks", task if project is None else {**task, "projectId": project})


def call(lab: Lab, who: Caller, path: str, arguments: dict[str, Any]) -> Attempt:
    """A call, whatever kind of function it is."""
    return who.attempt(path, arguments, kind=lab.manifest.functions[path].kind)


def stored(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    return {table: lab.documents(table) for table in TABLES}


def title_of(lab: Lab, task: str) -> Any:
    return {each["_id"]: each["title"] for each in lab.documents("tasks")}.get(task)


def shown(lab: Lab, path: str) -> str:
    module, _, name = path.partition(":")
    return f"{module}.{lab.python_name(name)}"


def in_project(lab: Lab) -> list[str]:
    """The functions of a project, those first that do not take away what others need."""
    return [path for path in GIVEN if path in lab.manifest.functions]


@check(objective="L5.1", title="Every function of the lesson is there", place=PLACES)
def contract(lab: Lab) -> None:
    for path, kind in KINDS.items():
        lab.expect_function(path, kind)
    update = lab.manifest.functions.get(UPDATE)
    lab.expect_function(UPDATE, "mutation" if update is None else update.kind)


@check(
    objective="L5.1",
    title="Nobody is who an argument says",
    needs=("contract",),
    place="backend/tasks.py update_task",
    rule="HW303",
)
def forged(lab: Lab) -> None:
    for path in in_project(lab):
        here = scene(lab)
        for claim in claims(here, path):
            before = stored(lab)
            attempt = call(lab, here.person("stranger"), path, here.arguments(path) | claim)
            if stored(lab) != before or (attempt.ok and attempt.value not in (None, [])):
                lab.fail(
                    "A401",
                    seen=f"{shown(lab, path)} takes {lab.listed(claim)}: a stranger put a member "
                    "there, and the call was done. The caller chooses who they are.",
                    fix="leave the argument out, and take identity from ctx.auth: access.py's "
                    "signed_in(ctx), viewer(ctx) and member(ctx, ...) do it",
                    more="HW303",
                )


def claims(here: Scene, path: str) -> list[dict[str, Any]]:
    """What a stranger could say about who they are, in the arguments that the function declares
    beyond those of the lesson.
    """
    fields = here.lab.manifest.functions[path].arguments.to_json()["value"]
    found = []
    for name in sorted(fields.keys() - set(GIVEN[path])):
        subject = here.names["owner"]
        issuer = "https://dev.headwater.invalid"
        values = [here.users["owner"], subject, f"{issuer}|{subject}", f"{subject}@example.com"]
        found += [{name: value} for value in values]
    return found


@check(
    objective="L5.2",
    title="Members can do what a project is for",
    needs=("forged",),
    place=PLACES,
    rule="HW303",
)
def members_may(lab: Lab) -> None:
    for path in in_project(lab):
        for role in ("admin",) if path == INVITE else ("member", "owner"):
            here = scene(lab)
            attempt = call(lab, here.person(role), path, here.arguments(path))
            if not attempt.ok:
                lab.fail(
                    "L5.2",
                    seen=f"{shown(lab, path)} refused a call of somebody in the project, "
                    f"{a(role)}: {attempt.text}",
                    fix="ask for a membership of the caller's, whoever does the task; member(ctx, "
                    "project_id) lets every role pass",
                    more="L5",
                )
    here = scene(lab)
    title = word(lab)
    call(lab, here.person("member"), UPDATE, {"taskId": here.task, "title": title})
    lab.settle()
    if title_of(lab, here.task) != title:
        lab.fail(
            "L5.2",
            seen=f"{shown(lab, UPDATE)} returned, and the task's title is what it was.",
            fix="patch the task with what was given",
            more="L5",
        )


def a(role: str) -> str:
    return f"{'a' if role[0] not in 'aeiou' else 'an'} {role}"


@check(
    objective="L5.2",
    title="Nobody else can do anything in it",
    needs=("forged",),
    place=PLACES,
    rule="HW303",
)
def matrix(lab: Lab) -> None:
    opened: dict[str, list[str]] = {}
    for role in ("anonymous", "stranger"):
        for path in in_project(lab):
            here = scene(lab)
            before = stored(lab)
            attempt = call(lab, here.person(role), path, here.arguments(path))
            changed = stored(lab) != before
            if changed or (attempt.ok and lab.manifest.functions[path].kind == "query"):
                opened.setdefault(path, []).append(role)
    protected = [path for path in in_project(lab) if path not in opened]
    if opened and (not protected or "anonymous" not in opened.get(UPDATE, ["anonymous"])):
        lab.fail(
            "A402",
            seen=f"{somebody(opened[UPDATE]).capitalize()}, not a member, changed a task of "
            f"somebody else's project through {shown(lab, UPDATE)}: {len(opened)} of "
            f"{len(in_project(lab))} functions ask only who is signed in.",
            fix="look the caller's membership up: no document in project_members, no access",
            more="HW303",
        )
    for path, roles in opened.items():
        who = somebody(roles)
        done = "was answered" if lab.manifest.functions[path].kind == "query" else "changed data"
        lab.fail(
            "A403",
            seen=f"{shown(lab, protected[0])} is protected, {shown(lab, path)} is not: a call by "
            f"{who} {done}.",
            fix=f"let {shown(lab, path)} ask member(ctx, project_id) before it reads or writes",
            more="HW303",
        )


@check(
    objective="L5.2",
    title="Who was taken out is a stranger again",
    needs=("matrix",),
    place=PLACES,
    rule="HW303",
)
def former(lab: Lab) -> None:
    for path in in_project(lab):
        here = scene(lab)
        before = stored(lab)
        attempt = call(lab, here.person("former"), path, here.arguments(path))
        if attempt.ok or stored(lab) != before:
            lab.fail(
                "L5.2",
                seen=f"{shown(lab, path)} still works for somebody who was taken out of the "
                "project.",
                fix="look the membership up in each call; keep nothing of it elsewhere",
                more="L5",
            )


@check(
    objective="L5.2",
    title="A task in no project is its assignee's",
    needs=("matrix",),
    place="backend/tasks.py changeable",
    rule="HW303",
)
def own_tasks(lab: Lab) -> None:
    here = scene(lab)
    for path in ("tasks:toggleTask", UPDATE, "tasks:deleteTask"):
        own = here.person("member").mutation("tasks:createTask", {"title": word(lab)})
        arguments = here.arguments(path, taskId=own)
        before = stored(lab)
        for role in ("owner", "stranger", "anonymous"):
            if call(lab, here.person(role), path, arguments).ok or stored(lab) != before:
                lab.fail(
                    "A402",
                    seen=f"{shown(lab, path)} let somebody else change a task that is in no "
                    "project.",
                    fix="compare the task's assignee_id with the caller's id",
                    more="HW303",
                )
        attempt = call(lab, here.person("member"), path, arguments)
        if not attempt.ok:
            lab.fail(
                "L5.2",
                seen=f"{shown(lab, path)} refused the task of one's own, which is in no project: "
                f"{attempt.text}",
                fix="ask for a membership only where the task has a project",
                more="L5",
            )


@check(
    objective="L5.2",
    title="Nobody moves a task into a project that is not theirs",
    needs=("own_tasks",),
    place="backend/tasks.py move_task",
    rule="HW303",
)
def moved_in(lab: Lab) -> None:
    if "tasks:moveTask" not in lab.manifest.functions:
        return
    here = scene(lab)
    own = here.person("stranger").mutation("tasks:createTask", {"title": word(lab)})
    before = stored(lab)
    attempt = call(
        lab, here.person("stranger"), "tasks:moveTask", {"taskId": own, "projectId": here.project}
    )
    if attempt.ok or stored(lab) != before:
        lab.fail(
            "A403",
            seen="tasks.create_task is protected, tasks.move_task is not: a stranger moved a task "
            "of their own into somebody else's project.",
            fix="a move has two projects: ask member(ctx, project_id) of the one it goes to, too",
            more="HW303",
        )


def somebody(roles: list[str]) -> str:
    words = {"anonymous": "a visitor", "stranger": "a stranger", "former": "a former member"}
    return words[roles[0]]


@check(
    objective="L5.2",
    title="Lists show a project's tasks to its members only",
    needs=("matrix",),
    place="backend/tasks.py get_tasks_by_assignee, backend/projects.py get_projects",
    rule="HW303",
)
def lists(lab: Lab) -> None:
    here = scene(lab)
    owner = {"assignee": here.names["owner"]}
    for role in ("anonymous", "stranger", "former"):
        found = here.person(role).attempt("tasks:getTasksByAssignee", owner, kind="query")
        projects = here.person(role).attempt("projects:getProjects", {}, kind="query")
        others = [each for each in projects.value or [] if each["_id"] == here.project]
        if (found.ok and found.value) or (projects.ok and others):
            path = "tasks.get_tasks_by_assignee" if found.value else "projects.get_projects"
            lab.fail(
                "A403",
                seen=f"tasks.list_open is protected, {path} is not: {somebody([role])} was shown "
                "what is in somebody else's project.",
                fix="list what the caller is a member of, and nothing else",
                more="HW303",
            )


@check(
    objective="L5.2",
    title="What is missing and what is forbidden look alike",
    needs=("matrix",),
    place=PLACES,
)
def look_alike(lab: Lab) -> None:
    for path in in_project(lab):
        here = scene(lab)
        missing = here.arguments(path, projectId=gone(lab, "projects"), taskId=gone(lab, "tasks"))
        stranger = here.person("stranger")
        one = call(lab, stranger, path, here.arguments(path))
        other = call(lab, stranger, path, missing)
        newcomer = call(lab, lab.person(word(lab)), path, here.arguments(path))
        if (newcomer.text, newcomer.data) != (other.text, other.data):
            lab.fail(
                "L5.2",
                seen=f"{shown(lab, path)} answers somebody who is not in users yet with "
                f"{newcomer.text!r}, and others with {other.text!r}.",
                fix="viewer(ctx) gives None for who has never changed anything: raise not_found()",
                more="L5",
            )
        if (one.text, one.data) != (other.text, other.data):
            lab.fail(
                "L5.2",
                seen=f"{shown(lab, path)} tells a stranger whether an id exists: for one that "
                f"does it says {one.text!r}, for one that does not {other.text!r}.",
                fix="raise not_found() in both cases: the same code and the same words",
                more="L5",
            )


@check(
    objective="L5.2",
    title="A project that is gone has no members",
    needs=("look_alike",),
    place="backend/access.py member",
)
def left_over(lab: Lab) -> None:
    for path in ("tasks:createTask", "tasks:listOpen"):
        here = scene(lab)
        lab.delete([here.project])
        attempt = call(lab, here.person("member"), path, here.arguments(path))
        if attempt.ok:
            lab.fail(
                "L5.2",
                seen=f"{shown(lab, path)} let a member into a project that does not exist any "
                "more.",
                fix="let member(ctx, ...) get the project too, and raise not_found() without it",
                more="L5",
            )


def gone(lab: Lab, table: str) -> str:
    """The id of a document that was deleted."""
    known = {
        "projects": {"name": word(lab), "owner": "ana"},
        "tasks": {"title": word(lab), "completed": False, "assignee": "ana"},
    }
    made = lab.insert(table, known[table])
    lab.delete([made])
    return made


@check(
    objective="L5.1",
    title="One name from two issuers is two people",
    needs=("matrix",),
    place="backend/tasks.py changeable, backend/access.py member",
    rule="HW303",
)
def two_issuers(lab: Lab) -> None:
    here = scene(lab)
    subject = here.names["owner"]
    mail = f"{subject}@example.com"
    own = lab.person(subject).mutation("tasks:createTask", {"title": word(lab)})
    twins = {
        "one subject": lab.person(subject, issuer=ELSEWHERE, email=mail),
        "one e-mail address": lab.person(word(lab), issuer=ELSEWHERE, email=mail),
    }
    for about, twin in twins.items():
        twin.mutation("users:storeUser", {})
        before = stored(lab)
        calls = [(path, here.arguments(path)) for path in in_project(lab)]
        calls += [(path, {"taskId": own}) for path in ("tasks:toggleTask", "tasks:deleteTask")]
        calls += [(UPDATE, {"taskId": own, "title": word(lab)})]
        for path, arguments in calls:
            attempt = call(lab, twin, path, arguments)
            query = lab.manifest.functions[path].kind == "query"
            if stored(lab) != before or (query and attempt.ok):
                share_data(lab, about, path)
        for path in ("tasks:getTasks", "projects:getProjects"):
            if twin.attempt(path, {}, kind="query").value:
                share_data(lab, about, path)


def share_data(lab: Lab, about: str, path: str) -> None:
    lab.fail(
        "A404",
        seen=f"Two people with {about} from different issuers share data: the second one came "
        f"through {shown(lab, path)} to what is the first one's.",
        fix="compare ids of documents in users, which are found by token_identifier: issuer and "
        "subject together",
        more="HW303",
    )


@check(
    objective="L5.2",
    title="Admins invite, and nobody above their own role",
    needs=("matrix",),
    place="backend/members.py invite_member",
    rule="HW303",
)
def inviting(lab: Lab) -> None:
    ranks = ("member", "admin", "owner")
    for role in ranks:
        for given in ranks:
            here = scene(lab)
            arguments = here.arguments(INVITE) | {"role": given}
            before = len(lab.documents("project_members"))
            attempt = here.person(role).attempt(INVITE, arguments)
            may = role != "member" and ranks.index(given) <= ranks.index(role)
            made = lab.documents("project_members")[before:]
            if may and [(each["userId"], each["role"]) for each in made] != [
                (here.users["stranger"], given)
            ]:
                lab.fail(
                    "L5.2",
                    seen=f"{a(role).capitalize()} invited somebody as {a(given)}, and "
                    f"{len(made)} memberships were stored, or another one"
                    + (f": {attempt.text}" if attempt.text else "."),
                    fix="insert one ProjectMember with the project, the person and the role",
                    more="L5",
                )
            if not may and (attempt.ok or made):
                lab.fail(
                    "L5.2",
                    seen=f"{a(role).capitalize()} made somebody {a(given)} of the project.",
                    fix='ask member(ctx, project_id, "admin"), and refuse a role above the '
                    "caller's own",
                    more="L5",
                )


@check(
    objective="L5.2",
    title="Somebody is invited once, and only who exists",
    needs=("inviting",),
    place="backend/members.py invite_member",
)
def invited_once(lab: Lab) -> None:
    here = scene(lab)
    for role in ("member", "admin", "member"):
        arguments = here.arguments(INVITE) | {"role": role}
        here.person("owner").attempt(INVITE, arguments)
    mine = [
        each
        for each in lab.documents("project_members")
        if (each["userId"], each["projectId"]) == (here.users["stranger"], here.project)
    ]
    if len(mine) != 1:
        lab.fail(
            "L5.2",
            seen=f"After three invitations of one person there are {len(mine)} memberships of "
            "theirs in the project.",
            fix="look for their membership first, and return its id if there is one",
            more="L5",
        )
    row = {"tokenIdentifier": "x|y", "subject": "y", "name": "y", "lastActiveAt": 0.0}
    nobody = lab.insert("users", row)
    lab.delete([nobody])
    before = stored(lab)
    attempt = here.person("owner").attempt(INVITE, here.arguments(INVITE, userId=nobody))
    if attempt.ok or stored(lab) != before:
        lab.fail(
            "L5.2",
            seen="Somebody who does not exist any more was made a member.",
            fix="get the User first, and raise not_found() when there is none",
            more="L5",
        )


@check(
    objective="L5.3",
    title="A membership that is withdrawn stops the write",
    needs=("matrix",),
    place="backend/tasks.py update_task",
    rule="HW303",
)
def withdrawn(lab: Lab) -> None:
    here = scene(lab)
    member, user = here.person("member"), here.users["member"]
    rows = [row["_id"] for row in lab.documents("project_members") if row["userId"] == user]
    owner = here.names["owner"], here.users["owner"]
    tasks = [here.task, *(new_task(lab, here.project, *owner) for _ in range(4))]
    old = [title_of(lab, task) for task in tasks]
    in_time: list[int] = []

    def changed() -> list[int]:
        return [n for n, task in enumerate(tasks) if title_of(lab, task) != old[n]]

    def take_out() -> None:
        """As soon as one write has landed, the owner takes the member out."""
        if rows and changed():
            lab.delete(rows)
            rows.clear()
            in_time.extend(changed())

    calls = [(member, UPDATE, here.arguments(UPDATE, taskId=task)) for task in tasks]
    with lab.between(take_out):
        lab.together(calls, kind=lab.manifest.functions[UPDATE].kind)
        lab.settle()
    if late := [n for n in changed() if n not in in_time]:
        write = "write" if len(late) == 1 else "writes"
        lab.fail(
            "A405",
            seen=f"Membership was withdrawn between check and write; the write still landed: "
            f"{len(late)} {write} came after somebody had been taken out of the project.",
            fix="check and write in one mutation: what another call has checked is old when the "
            "write comes",
            more="L5",
        )
