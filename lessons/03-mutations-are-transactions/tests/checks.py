"""What lesson 3 asks of a project: a change of several documents is one transaction.

Run by `headwater grade 3`. What was committed, and when, is seen by the host; the learner's code
runs in another process.
"""

import ast
import re
from typing import Any, NamedTuple

from headwater_workshop.checks import Attempt, Caller, Lab, check

MOVE = "tasks:moveTask"
CREATE = "tasks:createTask"
TOGGLE = "tasks:toggleTask"
FUNCTION = "backend/tasks.py move_task"
WAITED_S = 0.25
KEPT = ("title", "completed", "assignee", "assigneeId", "priority")  # the rest may be a field more
FAULTS = {"HW104": "M203", "HW201": "M201", "HW202": "M201", "HW206": "M201", "HW204": "M204"}


class Scene(NamedTuple):
    """Ana, and two projects that she is in."""

    ana: Caller
    home: str
    garden: str


def scene(lab: Lab) -> Scene:
    names = ("Home", "Garden")
    home, garden = lab.insert_many("projects", [{"name": n, "owner": "ana"} for n in names])
    lab.insider(garden)
    return Scene(lab.insider(home), home, garden)


def new_task(lab: Lab, at: Scene, project: str | None, *, completed: bool = False) -> str:
    title = "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    arguments = {"title": title} if project is None else {"title": title, "projectId": project}
    task = at.ana.mutation(CREATE, arguments)
    if completed:
        at.ana.mutation(TOGGLE, {"taskId": task})
    return str(task)


def move(lab: Lab, at: Scene, task: str, project: str) -> Attempt:
    """A move that must succeed, in one call and in one transaction."""
    seen: list[str] = []
    with lab.between(lambda: seen.extend(amiss(lab, at, task))):
        attempt = at.ana.attempt(MOVE, {"taskId": task, "projectId": project})
        explain(lab, attempt)
        if stored(lab, task).get("projectId") != project:
            lab.settle()
    refuse_halves(lab, seen)
    return attempt


def explain(lab: Lab, attempt: Attempt) -> None:
    """Say why the call failed; a broken rule has its own word."""
    if attempt.ok:
        return
    code, text = FAULTS.get(attempt.rule, "L3.1"), attempt.text.removeprefix("Uncaught Error: ")
    if code == "M203":
        lab.fail(
            code,
            seen=f"{MOVE} called {called(lab, text)}. Such a call goes past the runtime and is "
            "refused.",
            fix="put the shared read in a plain helper taking ctx",
            more="HW104",
        )
    if code == "M201":
        lab.fail(
            code,
            seen=f"Replaying the call at another time did not do the same again: {text}",
            fix="take the time from ctx.now and chance from ctx.random",
            more=attempt.rule,
        )
    if code == "M204":
        lab.fail(
            code,
            seen=f"The mutation waited, holding its transaction: {text}",
            fix="schedule what comes later; a mutation is done at once",
            more="HW204",
        )
    lab.fail(
        code,
        seen=f"{MOVE} refused a move that it should make: {text}",
        fix="read the error above; run the same call in a test of your own",
        more="L3",
    )


def refused_politely(attempt: Attempt) -> bool:
    """It ended with an AppError: right for a task that is in the project already."""
    return not attempt.ok and attempt.data is not None


def called(lab: Lab, text: str) -> str:
    """What was called where the runtime's words point: "the query get_tasks"."""
    place = re.search(r"(backend/\S+\.py):(\d+):(\d+)", text)
    source = lab.sources.get(place[1], "") if place else ""
    for node in ast.walk(ast.parse(source)):
        if place and isinstance(node, ast.Call) and node.lineno == int(place[2]):
            name = ast.unparse(node.func)
            for path, spec in lab.manifest.functions.items():
                if lab.python_name(path.partition(":")[2]) == name.rpartition(".")[2]:
                    return f"the {spec.kind} {name}"
    return "a function with a decorator"


def stored(lab: Lab, task: str) -> dict[str, Any]:
    return next((each for each in lab.documents("tasks") if each["_id"] == task), {})


def counters(lab: Lab) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in lab.documents("counters")}


def key(project: str) -> str:
    return f"project:{project}:open_tasks"


def open_tasks(lab: Lab, project: str) -> int:
    """The naive count, from the host's own copy of the data."""
    here = [each for each in lab.documents("tasks") if each.get("projectId") == project]
    return len([each for each in here if not each["completed"] and "deletedAt" not in each])


def state(lab: Lab) -> Any:
    """All that a move may change."""
    return lab.documents("tasks"), sorted(counters(lab).items())


def amiss(lab: Lab, at: Scene, task: str) -> list[str]:
    """What another client sees now that no client should ever see."""
    found = []
    if stored(lab, task).get("projectId") not in (at.home, at.garden):
        found.append("the task in no project")
    kept = counters(lab)
    if any(kept.get(key(each), 0) != open_tasks(lab, each) for each in (at.home, at.garden)):
        found.append("a counter that does not count the tasks")
    return found


def refuse_halves(lab: Lab, seen: list[str]) -> None:
    """A change in several commits is seen between two of them."""
    if "the task in no project" in seen:
        lab.fail(
            "M205",
            seen="Between the two calls another client saw the task in no project.",
            fix="make the whole change in one mutation; what two mutations share is a plain helper",
            more="HW301",
        )


def judge_counters(lab: Lab, at: Scene, what: str) -> None:
    kept = counters(lab)
    for name, project in (("one", at.home), ("the other", at.garden)):
        says, truth = kept.get(key(project), 0), open_tasks(lab, project)
        if lab.differs(float(says), float(truth)):
            lab.fail(
                "L3.1",
                seen=f"After {what} the counter of {name} project says {says:g}, and {truth} of "
                "its tasks are open.",
                fix="for an open task take one from the old project's counter and add one to the "
                "new one's; a completed task is in neither",
                more="L3",
            )


def judge_moved(lab: Lab, before: dict[str, Any], project: str, what: str) -> None:
    after = stored(lab, before["_id"])
    if after.get("projectId") != project:
        lab.fail(
            "L3.1",
            seen=f"After {what} the task is not in the project it was moved to.",
            fix="patch the task's project_id",
            more="L3",
        )
    changed = [
        name
        for name in KEPT
        if lab.differs(before.get(name, lab.ABSENT), after.get(name, lab.ABSENT))
    ]
    if changed:
        names = ", ".join(sorted(map(lab.python_name, changed)))
        lab.fail(
            "L3.1",
            seen=f"After {what} other fields of the task had changed: {names}.",
            fix="patch project_id and moved_at, and leave the rest of the task",
            more="L3",
        )


@check(objective="L3.1", title="tasks:moveTask is one mutation", place=FUNCTION, rule="HW301")
def contract(lab: Lab) -> None:
    spec = lab.manifest.functions.get(MOVE)
    if spec is not None and spec.is_public and spec.kind == "action":
        at, seen = scene(lab), list[str]()
        task = new_task(lab, at, at.home)
        with lab.between(lambda: seen.extend(amiss(lab, at, task))):
            at.ana.attempt(MOVE, {"taskId": task, "projectId": at.garden}, kind="action")
        refuse_halves(lab, seen)
    lab.expect_function(MOVE, "mutation")


@check(
    objective="L3.2",
    title="The same call writes the same at another time",
    needs=("contract",),
    place=FUNCTION,
    rule="HW201",
)
def replayed(lab: Lab) -> None:
    at = scene(lab)
    task = new_task(lab, at, at.home)
    replay = lab.replay(at.ana, MOVE, {"taskId": task, "projectId": at.garden})
    if not replay.same:
        fields = [name.rpartition(".")[2] for name in replay.fields if "." in name]
        names = ", ".join(lab.python_name(each) for each in fields if each != "_id")
        what = f"wrote another value in {names}" if names else "did something else"
        lab.fail(
            "M201",
            seen=f"Replaying the call at another time {what}.",
            fix="use ctx.now for the time and ctx.random for chance",
            more="HW201",
        )


@check(
    objective="L3.3",
    title="It finds the task through a helper",
    needs=("replayed",),
    place=FUNCTION,
    rule="HW104",
)
def helper(lab: Lab) -> None:
    at = scene(lab)
    task = new_task(lab, at, at.home)
    move(lab, at, task, at.garden)


@check(
    objective="L3.2",
    title="It does not wait",
    needs=("helper",),
    place=FUNCTION,
    rule="HW204",
)
def waits(lab: Lab) -> None:
    at = scene(lab)
    task = new_task(lab, at, at.home)
    took = [move(lab, at, task, project).seconds for project in (at.garden, at.home, at.garden)]
    if min(took) > WAITED_S:
        lab.fail(
            "M204",
            seen=f"The mutation waited {min(took) * 1000:.0f} ms holding its transaction.",
            fix="take the waiting out; schedule work that comes later",
            more="HW204",
        )


@check(
    objective="L3.1",
    title="Both counters are right after every move",
    needs=("waits",),
    place=FUNCTION,
    rule="HW406",
)
def moves(lab: Lab) -> None:
    at = scene(lab)
    places = [at.home, at.home, at.garden, None]
    kinds = [(place, done) for place in places for done in (False, True)]
    lab.random.shuffle(kinds)
    tasks = [new_task(lab, at, place, completed=done) for place, done in kinds]
    judge_counters(lab, at, "creating and completing tasks")
    for _ in range(12):
        before = stored(lab, lab.random.choice(tasks))
        project = lab.random.choice([at.home, at.garden])
        what = f"moving {'a completed' if before['completed'] else 'an open'} task"
        attempt = at.ana.attempt(MOVE, {"taskId": before["_id"], "projectId": project})
        if before.get("projectId") != project or not refused_politely(attempt):
            explain(lab, attempt)
        judge_moved(lab, before, project, what)
        judge_counters(lab, at, what)


@check(
    objective="L3.1",
    title="A move that is refused leaves nothing",
    needs=("waits",),
    place=FUNCTION,
    rule="HW406",
)
def refused(lab: Lab) -> None:
    at = scene(lab)
    task = new_task(lab, at, at.home)
    (gone,) = lab.insert_many("projects", [{"name": "Gone", "owner": "ana"}])
    ana = lab.insider(gone)
    lab.delete([gone])
    before = state(lab)
    attempt = ana.attempt(MOVE, {"taskId": task, "projectId": gone})
    judge_whole(lab, before, attempt)
    if attempt.ok:
        lab.fail(
            "L3.1",
            seen="A move into a project that does not exist was not refused.",
            fix="read the project; raise an AppError when it is None",
            more="L3",
        )
    stranger = lab.person("eve").attempt(MOVE, {"taskId": task, "projectId": at.garden})
    if stranger.ok or state(lab) != before:
        lab.fail(
            "L3.3",
            seen="Somebody moved a task that is not theirs.",
            fix="take the task from own_task, as toggle_task does",
            more="L3",
        )


def judge_whole(lab: Lab, before: Any, attempt: Attempt) -> None:
    """A call that could not do everything must have done nothing, and said so."""
    if state(lab) == before:
        return
    tasks, kept = before
    now, said = lab.documents("tasks"), "without an error" if attempt.ok else "with an error"
    what = "the task had moved" if now != tasks else "the source counter was already changed"
    if now == tasks and sorted(counters(lab).items()) == kept:
        what = "something was already changed"
    lab.fail(
        "M202",
        seen=f"After a refused move {what}; the call ended {said}.",
        fix="let the error leave the function; the transaction rolls back",
        more="HW406",
    )


@check(
    objective="L3.1",
    title="A fault half-way leaves nothing",
    needs=("waits",),
    place=FUNCTION,
    rule="HW406",
)
def faults(lab: Lab) -> None:
    at = scene(lab)
    for _ in range(2):  # so that both counters are there
        new_task(lab, at, at.garden)
    writes = move(lab, at, new_task(lab, at, at.home), at.garden).writes
    for nth in range(1, writes + 1):
        task = new_task(lab, at, at.home)
        before = state(lab)
        with lab.break_write(nth):
            attempt = at.ana.attempt(MOVE, {"taskId": task, "projectId": at.garden})
        whole = attempt.ok and stored(lab, task).get("projectId") == at.garden
        if whole and not amiss(lab, at, task):
            continue  # it tried again, and everything is there
        judge_whole(lab, before, attempt)
        if attempt.ok:
            lab.fail(
                "M202",
                seen="A move that failed half-way ended without an error: its caller believes that "
                "the task has moved.",
                fix="let the error leave the function; nothing has to be undone by hand",
                more="HW406",
            )


@check(
    objective="L3.1",
    title="Moves at the same time lose nothing",
    needs=("moves",),
    place=FUNCTION,
    rule="HW406",
)
def together(lab: Lab) -> None:
    at = scene(lab)
    there = [new_task(lab, at, at.home) for _ in range(4)]
    back = [new_task(lab, at, at.garden) for _ in range(2)]
    moves = [(task, at.garden) for task in there] + [(task, at.home) for task in back]
    moves += [(there[0], at.home), (there[0], at.garden)]
    calls = [(at.ana, MOVE, {"taskId": task, "projectId": project}) for task, project in moves]
    for (task, _), attempt in zip(moves, lab.together(calls), strict=True):
        if task != there[0] or not refused_politely(attempt):  # it may be there already
            explain(lab, attempt)
    judge_counters(lab, at, f"{len(calls)} moves at the same time")


@check(
    objective="L3.2",
    title="The task says when it was moved",
    needs=("waits",),
    place=FUNCTION,
    rule="HW201",
)
def moved_at(lab: Lab) -> None:
    at = scene(lab)
    task = new_task(lab, at, at.home)
    lab.advance(seconds=lab.random.randint(10, 1000))
    began = lab.now_ms
    move(lab, at, task, at.garden)
    found = stored(lab, task).get("movedAt")
    if not isinstance(found, float) or not began <= found <= lab.now_ms:
        lab.fail(
            "L3.2",
            seen="moved_at is absent after a move."
            if found is None
            else "moved_at is not the time of the call, in ms since 1970.",
            fix="store ctx.now in moved_at, in the patch that moves the task",
            more="L3",
        )
