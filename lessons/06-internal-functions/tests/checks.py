"""What lesson 6 asks of a project: clients may call what is for them, and nothing else is public.

Run by `headwater grade 6`. The host lists what is registered, calls it as a stranger would, and
looks at what is scheduled.
"""

import ast
from typing import Any

from headwater_workshop.checks import Lab, check

DELETE = "projects:deleteProject"
JOBS = {"cleanup:cleanUp": {}, "cleanup:oldRateLimits": {}, "cleanup:purgeProject": {"projectId"}}
WEB = {
    "fastapi",
    "flask",
    "starlette",
    "django",
    "quart",
    "sanic",
    "bottle",
    "aiohttp",
    "headwater",
}
HOUR_MS = 3_600_000
CLEANUP = "backend/cleanup.py"
TABLES = ("projects", "project_members", "tasks", "rate_limits")


def word(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=12))


def shown(lab: Lab, path: str) -> str:
    module, _, name = path.partition(":")
    return f"{module}.{lab.python_name(name)}"


def fields(lab: Lab, path: str) -> dict[str, Any]:
    """The arguments of a function, as plain data."""
    found: dict[str, Any] = lab.manifest.functions[path].arguments.to_json()["value"]
    return found


def required(lab: Lab, path: str) -> set[str]:
    """The arguments that a call of a function has to give."""
    return {name for name, about in fields(lab, path).items() if not about["optional"]}


def buckets(lab: Lab) -> dict[str, list[str]]:
    """Rate limits that are old, and some that are not."""
    made: dict[str, list[str]] = {}
    for age, hours in (("old", (25, 400)), ("new", (0, 23))):
        rows = [
            {
                "key": word(lab),
                "tokens": 5.0,
                "refilledAt": lab.now_ms - lab.random.uniform(*hours) * HOUR_MS,
            }
            for _ in range(lab.random.randint(3, 9))
        ]
        made[age] = lab.insert_many("rate_limits", rows)
    return made


def project(lab: Lab, owner: str, tasks: int, admin: str = "ben") -> str:
    """A project with tasks, and people in it."""
    made = lab.insert("projects", {"name": word(lab), "owner": owner})
    lab.insider(made, owner)
    lab.insider(made, admin, "admin")
    row = {"completed": False, "assignee": owner, "projectId": made}
    lab.insert_many("tasks", [{**row, "title": word(lab)} for _ in range(tasks)])
    return made


def ids(lab: Lab) -> set[str]:
    return {each["_id"] for table in TABLES for each in lab.documents(table)}


@check(objective="L6.2", title="What is registered stands in backend/", rule="HW102")
def places(lab: Lab) -> None:
    for path, source in lab.sources.items():
        if not path.startswith("backend/") and WEB & imported(source):
            lab.fail(
                "I503",
                seen=f"{path} is not loaded; functions live in backend/. Was another framework "
                "assumed?",
                fix="take the file away; what clients call is a function in backend/<domain>.py, "
                "what nobody calls needs no address",
                more="HW102",
            )


def imported(source: str) -> set[str]:
    """Top-level names of everything a source file imports."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def takes_project(lab: Lab, path: str) -> set[str]:
    """The arguments that are a project's id."""
    types = {name: about["fieldType"] for name, about in fields(lab, path).items()}
    return {name for name, each in types.items() if each.get("tableName") == "projects"}


@check(
    objective="L6.1",
    title="What is public is for clients",
    place=f"{CLEANUP} and backend/projects.py",
    rule="HW302",
)
def surface(lab: Lab) -> None:
    for path, spec in sorted(lab.manifest.functions.items()):
        module, _, name = path.partition(":")
        if not spec.is_public or (module != "cleanup" and not name.startswith("_")):
            continue
        if name.startswith("_"):
            lab.fail(
                "I502",
                seen=f"{module}.{name} is registered as public; a leading underscore hides "
                "nothing: any client may call it.",
                fix=f"make it an @internal_{spec.kind} with a plain name",
                more="HW302",
            )
        texts = [
            name
            for name, about in fields(lab, path).items()
            if about["fieldType"]["type"] == "string"
        ]
        if texts:
            lab.fail(
                "I504",
                seen=f"{shown(lab, path)} is public and guarded by an argument, "
                f"{lab.python_name(texts[0])}; make it internal. Whoever reads the code, a log or "
                "a page knows it.",
                fix=f"make it an @internal_{spec.kind}, and take the argument out",
                more="HW302",
            )
        lab.fail(
            "I501",
            seen=f"{shown(lab, path)} can be called by any browser, as often as it likes.",
            fix=f"make it an @internal_{spec.kind}, or move it to where clients look for it if "
            "it is for them",
            more="HW302",
        )


@check(
    objective="L6.1",
    title="Every job is there, and internal; deleting a project is public",
    needs=("surface",),
    place=f"{CLEANUP} and backend/projects.py",
)
def contract(lab: Lab) -> None:
    for path, arguments in JOBS.items():
        spec = lab.manifest.functions.get(path)
        if spec is None or spec.kind != "mutation" or required(lab, path) != set(arguments):
            lab.fail(
                "L6.1",
                seen=f"There is no mutation {shown(lab, path)} with "
                f"{', '.join(map(lab.python_name, arguments)) or 'no arguments'}.",
                fix=f"keep the job in {CLEANUP}, under that name",
                more="L6",
            )
    lab.expect_function(DELETE, "mutation")


@check(
    objective="L6.1",
    title="Nobody cleans up by another door",
    needs=("contract",),
    place=f"{CLEANUP} and what else lies in backend/",
    rule="HW302",
)
def doors(lab: Lab) -> None:
    public = [path for path, spec in lab.manifest.functions.items() if spec.is_public]
    for path in sorted(public):
        kind, projects = lab.manifest.functions[path].kind, takes_project(lab, path)
        if kind == "query" or required(lab, path) - projects:
            continue
        lab.empty()
        here = project(lab, "ana", 2)
        buckets(lab)
        before = ids(lab)
        lab.anonymous.attempt(path, dict.fromkeys(projects, here), kind=kind)
        lab.advance(seconds=1)
        if before - ids(lab):
            lab.fail(
                "I501",
                seen=f"{shown(lab, path)} can be called by any browser: a visitor called it, and "
                f"{len(before - ids(lab))} documents were gone.",
                fix=f"make it an @internal_{kind}",
                more="HW302",
            )


@check(
    objective="L6.1",
    title="A client is refused, the scheduler is not",
    needs=("contract",),
    place=CLEANUP,
    rule="HW302",
)
def jobs_work(lab: Lab) -> None:
    for path in ("cleanup:oldRateLimits", "cleanup:cleanUp"):
        lab.empty()
        made = buckets(lab)
        for who in (lab.anonymous, lab.person("ana")):
            if who.attempt(path, {}).ok:
                lab.fail(
                    "I501",
                    seen=f"{shown(lab, path)} can be called by any browser.",
                    fix="make it an @internal_mutation",
                    more="HW302",
                )
        attempt = lab.call_internal(path, {})
        lab.advance(seconds=1)
        left = {each["_id"] for each in lab.documents("rate_limits")}
        if not attempt.ok or left != set(made["new"]):
            old, new = len(left & set(made["old"])), len(set(made["new"]) - left)
            lab.fail(
                "L6.1",
                seen=f"After {shown(lab, path)} {old} of {len(made['old'])} old buckets were left, "
                f"and {new} of {len(made['new'])} new ones were gone"
                + (f": {attempt.text}" if attempt.text else "."),
                fix="let the job do what it did before; only who may call it changes",
                more="L6",
            )


@check(
    objective="L6.1",
    title="Only an owner deletes a project",
    needs=("contract",),
    place="backend/projects.py delete_project",
    rule="HW303",
)
def owners_only(lab: Lab) -> None:
    owner, admin, stranger = lab.names(3)
    here = project(lab, owner, 3, admin)
    before = ids(lab)
    for who in (lab.anonymous, lab.person(stranger), lab.person(admin)):
        attempt = who.attempt(DELETE, {"projectId": here})
        lab.advance(seconds=1)
        if attempt.ok or before - ids(lab):
            lab.fail(
                "L6.1",
                seen=f"{shown(lab, DELETE)} was done for somebody who is no owner of the project.",
                fix='begin with `await member(ctx, project_id, "owner")`',
                more="HW303",
            )


@check(
    objective="L6.2",
    title="Schedules point at internal functions",
    needs=("contract", "owners_only"),
    place=f"{CLEANUP} and backend/projects.py",
    rule="HW302",
)
def schedules(lab: Lab) -> None:
    here, other = project(lab, "ana", 120), project(lab, "ana", 2)
    stays = {each["_id"] for each in lab.documents("tasks") if each["projectId"] == other}
    lab.person("ana").mutation(DELETE, {"projectId": here})
    listed = lab.person("ana").query("projects:getProjects", {})
    if here in [each["_id"] for each in listed]:
        lab.fail(
            "L6.2",
            seen="A deleted project is still in its owner's list.",
            fix="delete the project in the mutation that the owner calls; the rest may wait",
            more="L6",
        )
    lab.call_internal("cleanup:cleanUp", {})
    for _ in range(30):
        lab.sleep(days=1)
    lab.advance(days=2)
    for job in lab.jobs():
        if lab.manifest.functions[job.path].is_public:
            lab.fail(
                "I501",
                seen=f"{shown(lab, job.path)} is scheduled, and can be called by any browser too.",
                fix="schedule an @internal_mutation",
                more="HW302",
            )
    tasks = {each["_id"] for each in lab.documents("tasks")}
    members = [each for each in lab.documents("project_members") if each["projectId"] == here]
    if tasks != stays or members:
        lab.fail(
            "L6.2",
            seen=f"A month after a project with 120 tasks was deleted, {len(tasks - stays)} of "
            f"them and {len(members)} memberships are left, and {len(stays - tasks)} tasks of "
            "another project are gone.",
            fix="schedule purge_project with the project's id, and let it go on while it finds "
            "something",
            more="L6",
        )
