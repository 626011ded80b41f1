"""What lesson 7 asks of a project: work that is due later, and work that repeats.

Run by `headwater grade 7`. Time is the grader's: it moves when a check says so, and what is due on
the way runs. The checks look at what was stored and when; how a job is called, and what it is
given, is the learner's.
"""

from typing import Any

from headwater_workshop.checks import Attempt, Caller, Lab, check

REMIND_ME = "tasks:remindMe"
PLACE = "backend/tasks.py remind_me"
JOB = "backend/notifications.py remind"
CLEANUP = "backend/cleanup.py old_rate_limits"
CRONS = "backend/crons.py"
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
OLD, TOUCHED_MOST = 2_500, 1_000
ROUNDS_MOST = 2 * OLD  # even one document at a time comes to an end


def words(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=10))


def somebody(lab: Lab) -> Caller:
    """A person that no check before has met."""
    return lab.person(words(lab))


def new_task(lab: Lab, person: Caller) -> str:
    return str(person.mutation("tasks:createTask", {"title": words(lab)}))


def ask(lab: Lab, person: Caller, task: str, in_ms: float) -> Attempt:
    """Ask for a reminder; how long it is until then."""
    return person.attempt(REMIND_ME, {"taskId": task, "at": lab.now_ms + in_ms})


def must_take(lab: Lab, attempt: Attempt) -> None:
    """A reminder that is asked for rightly is taken on."""
    if attempt.ok:
        return
    if attempt.rule in ("HW204", "HW206"):
        lab.fail(
            "C601",
            seen="The runtime refused a timer. After a restart the reminder never fired: it lived "
            "in memory.",
            fix="let ctx.scheduler.run_at call an internal mutation; a scheduled call is a "
            "document, and is still there after a restart",
            more="HW204",
        )
    lab.fail(
        "L7.1",
        seen=f"{REMIND_ME} refused a reminder of the caller's own task: {attempt.text}",
        fix="read the error above; make the same call with `headwater run`",
        more="L7",
    )


def live(lab: Lab) -> float:
    """A minute in which somebody asks for a reminder in some days; gives the time they want."""
    person = somebody(lab)
    wanted = lab.now_ms + lab.random.randint(100, 300) * HOUR_MS
    must_take(lab, ask(lab, person, new_task(lab, person), wanted - lab.now_ms))
    lab.advance(minutes=1)
    return wanted


def told(lab: Lab, task: str) -> int:
    """How many reminders of a task there are."""
    return sum(each.get("taskId") == task for each in lab.documents("notifications"))


def counts(count: int) -> str:
    return {0: "none", 1: "one", 2: "two"}.get(count, str(count))


def limits(lab: Lab, count: int, age_ms: float) -> list[str]:
    """Buckets that were last taken from some time ago."""
    rows = [
        {"key": words(lab), "tokens": 4.0, "refilledAt": lab.now_ms - age_ms} for _ in range(count)
    ]
    return lab.insert_many("rate_limits", rows)


def left(lab: Lab, ids: list[str]) -> int:
    return len(set(ids) & {each["_id"] for each in lab.documents("rate_limits")})


def run_crons(lab: Lab) -> None:
    """Run what each cron calls, now, and all that it schedules for soon."""
    for cron in lab.manifest.crons.values():
        lab.call_internal(cron.path, cron.arguments)
    for _ in range(ROUNDS_MOST):
        waiting = [job.due_ms for job in lab.jobs() if job.state == "pending"]
        soon = [due_ms for due_ms in waiting if due_ms < lab.now_ms + HOUR_MS]
        if not soon:
            return
        lab.advance(ms=max(0.0, max(soon) - lab.now_ms))


@check(objective="L7.1", title="tasks:remindMe is a public mutation", place=PLACE)
def contract(lab: Lab) -> None:
    lab.expect_function(REMIND_ME, "mutation")


@check(
    objective="L7.1",
    title="A reminder comes at its time",
    needs=("contract",),
    place=f"{PLACE} and {JOB}",
    rule="HW204",
)
def in_time(lab: Lab) -> None:
    person = somebody(lab)
    task, hours = new_task(lab, person), lab.random.randint(2, 20)
    must_take(lab, ask(lab, person, task, hours * HOUR_MS))
    lab.advance(ms=hours * HOUR_MS - MINUTE_MS)
    early = told(lab, task)
    lab.advance(ms=2 * MINUTE_MS)
    if early or told(lab, task) != 1:
        when = "a minute early" if early else "a minute after its time"
        lab.fail(
            "L7.1",
            seen=f"Of one reminder there were {counts(told(lab, task))} {when}.",
            fix="schedule an internal mutation for the time `at`, and let it insert one "
            "Notification with the task's id",
            more="L7",
        )
    (reminder,) = (each for each in lab.documents("notifications") if each.get("taskId") == task)
    users = {each["_id"]: each["subject"] for each in lab.documents("users")}
    if users.get(reminder["userId"]) != (person.identity or {})["subject"]:
        lab.fail(
            "L7.1",
            seen="The reminder went to somebody who had not asked for it.",
            fix="a job runs in nobody's name: give it the id of the user as an argument",
            more="HW302",
        )


@check(
    objective="L7.1",
    title="What a mutation refused is never done",
    needs=("in_time",),
    place=PLACE,
)
def rollback(lab: Lab) -> None:
    person, stranger = somebody(lab), somebody(lab)
    task = new_task(lab, person)
    jobs = len(lab.jobs())
    asked = {
        "of somebody else's task": ask(lab, stranger, task, HOUR_MS),
        "for a time that is over": ask(lab, person, task, -HOUR_MS),
    }
    scheduled = len(lab.jobs()) - jobs
    lab.advance(hours=3)
    sent = told(lab, task)
    if scheduled or sent:
        polite = any(attempt.ok for attempt in asked.values())
        how = " (it returned, so nothing was rolled back)" if polite else ""
        lab.fail(
            "C603",
            seen=f"The mutation failed, its job still ran{how}: reminders {' and '.join(asked)} "
            f"were refused, {scheduled} jobs were there and {counts(sent)} of them told somebody.",
            fix="refuse by raising an error, and schedule through ctx.scheduler: what a failed "
            "mutation has scheduled never was",
            more="L7",
        )
    for about, attempt in asked.items():
        if attempt.ok:
            lab.fail(
                "L7.1",
                seen=f"{REMIND_ME} took a reminder {about}, and did nothing.",
                fix="raise an AppError, so that the page can say what is wrong",
                more="L7",
            )


@check(
    objective="L7.1",
    title="A restart between asking and firing",
    needs=("rollback",),
    place=PLACE,
    rule="HW204",
)
def restart(lab: Lab) -> None:
    person = somebody(lab)
    task = new_task(lab, person)
    must_take(lab, ask(lab, person, task, 5 * HOUR_MS))
    lab.advance(hours=2)
    lab.restart()
    lab.advance(hours=3, minutes=2)
    if told(lab, task) != 1:
        lab.fail(
            "C601",
            seen="After a restart the reminder never fired: it lived in memory.",
            fix="let ctx.scheduler.run_at call an internal mutation; a scheduled call is a "
            "document, and is still there after a restart",
            more="HW204",
        )


@check(
    objective="L7.1",
    title="What is scheduled is internal",
    needs=("restart",),
    place=JOB,
    rule="HW302",
)
def internal(lab: Lab) -> None:
    person = somebody(lab)
    must_take(lab, ask(lab, person, new_task(lab, person), HOUR_MS))
    for path in sorted({job.path for job in lab.jobs()}):
        if lab.manifest.functions[path].is_public:
            lab.fail(
                "L7.1",
                seen=f"The scheduled function {path} can be called by any browser: anybody may "
                "remind anybody of anything.",
                fix="make it an @internal_mutation",
                more="HW302",
            )


@check(
    objective="L7.3",
    title="A job looks at the task as it is when it runs",
    needs=("restart",),
    place=JOB,
)
def looks_again(lab: Lab) -> None:
    person = somebody(lab)
    done, gone, still_open = (new_task(lab, person) for _ in range(3))
    for task in (done, gone, still_open):
        must_take(lab, ask(lab, person, task, HOUR_MS))
    person.mutation("tasks:toggleTask", {"taskId": done})
    person.mutation("tasks:deleteTask", {"taskId": gone})
    lab.advance(hours=2)
    failed = [job for job in lab.jobs() if job.state == "failed"]
    for task, about in ((done, "was completed"), (gone, "was deleted")):
        if told(lab, task):
            lab.fail(
                "L7.3",
                seen=f"A task {about} after the reminder was asked for, and was reminded of.",
                fix="read the task in the job, when it runs, and return if nothing is to be done",
                more="L7",
            )
    if failed or told(lab, still_open) != 1:
        lab.fail(
            "L7.3",
            seen=f"Of three reminders, one of them for a task that is open, {len(failed)} jobs "
            f"failed and {counts(told(lab, still_open))} of the open task arrived.",
            fix="a task that is gone is no error in a job: return",
            more="L7",
        )


@check(
    objective="L7.3",
    title="Running a job twice is running it once",
    needs=("looks_again",),
    place=JOB,
)
def twice(lab: Lab) -> None:
    person = somebody(lab)
    task = new_task(lab, person)
    before = len(lab.jobs())
    must_take(lab, ask(lab, person, task, HOUR_MS))
    jobs = lab.jobs()[before:]
    lab.advance(hours=1, minutes=2)
    for job in jobs:
        lab.call_internal(job.path, job.arguments)
    run_crons(lab)
    if told(lab, task) != 1:
        lab.fail(
            "C605",
            seen=f"Running the job twice sent {counts(told(lab, task))} reminders.",
            fix="let the job look for what it would leave behind, and return if it is there",
            more="L7",
        )


@check(
    objective="L7.3",
    title="A reminder that was read does not stand in the way of another",
    needs=("twice",),
    place=JOB,
)
def another(lab: Lab) -> None:
    person = somebody(lab)
    task = new_task(lab, person)
    for _ in range(2):
        must_take(lab, ask(lab, person, task, HOUR_MS))
        lab.advance(hours=1, minutes=2)
        for each in lab.documents("notifications"):
            lab.patch(each["_id"], {"readAt": lab.now_ms})
    if told(lab, task) != 2:
        lab.fail(
            "L7.3",
            seen=f"Who had read a reminder and asked for another of the same task got "
            f"{counts(told(lab, task))} in all.",
            fix="a reminder that is still unread makes a second one needless; one that was read "
            "does not (read_at=None)",
            more="L7",
        )


@check(
    objective="L7.3",
    title="Who has left the project is not reminded",
    needs=("looks_again",),
    place=JOB,
)
def left_project(lab: Lab) -> None:
    project = lab.insert("projects", {"name": words(lab), "owner": "ana"})
    stays, leaves = (lab.insider(project, words(lab), "member") for _ in range(2))
    tasks = []
    for person in (stays, leaves):
        about = {"title": words(lab), "projectId": project}
        tasks.append(str(person.mutation("tasks:createTask", about)))
        must_take(lab, ask(lab, person, tasks[-1], HOUR_MS))
    lab.delete([lab.documents("project_members")[-1]["_id"]])
    lab.advance(hours=1, minutes=2)
    if [told(lab, task) for task in tasks] != [1, 0]:
        lab.fail(
            "L7.3",
            seen="Of two members with a reminder, one left the project before it was due; "
            f"{counts(told(lab, tasks[0]))} came to who stayed, {counts(told(lab, tasks[1]))} to "
            "who had left.",
            fix="ask for the membership in the job, when it runs",
            more="L5",
        )


@check(
    objective="L7.2",
    title="Old buckets are gone after a day, others are not touched",
    needs=("restart",),
    place=f"{CRONS} and {CLEANUP}",
    rule="HW501",
)
def daily(lab: Lab) -> None:
    live(lab)
    old, later = limits(lab, 20, 2 * DAY_MS), limits(lab, 20, -3 * DAY_MS)
    before = lab.documents("rate_limits")[20:]
    lab.advance(days=1, minutes=1)
    if left(lab, old):
        lab.fail(
            "L7.2",
            seen=f"A day later {left(lab, old)} of 20 old buckets were still there.",
            fix='in backend/crons.py: crons = Crons(), then crons.daily("clean up", clean_up, '
            "hour_utc=3)",
            more="HW501",
        )
    if left(lab, later) != 20 or lab.differs(lab.documents("rate_limits"), before):
        lab.fail(
            "L7.2",
            seen=f"Of 20 buckets that were taken from within the last day {left(lab, later)} are "
            "there as they were.",
            fix="delete what was refilled before ctx.now minus a day: a range of the index "
            "by_refilled_at",
            more="HW401",
        )


@check(
    objective="L7.2",
    title="Reloads leave one of each",
    needs=("daily",),
    place=CRONS,
    rule="HW501",
)
def reloads(lab: Lab) -> None:
    asked = [live(lab)]
    lab.reload()
    asked.append(live(lab))
    jobs = [job for job in lab.jobs() if job.state == "pending"]
    waiting = [job.path for job in jobs if min(abs(job.due_ms - at) for at in asked) > MINUTE_MS]
    crons = [cron.path for cron in lab.manifest.crons.values() if not cron.arguments]
    for path in waiting + crons:
        copies = max(waiting.count(path), crons.count(path))
        if copies > 1:
            lab.fail(
                "C604",
                seen=f"Two reloads left {copies} copies of {path}.",
                fix="declare it in backend/crons.py under a name that stays the same: crons are "
                "told apart by name; and let no job start itself again for ever",
                more="HW501",
            )


@check(
    objective="L7.2",
    title="It is a cron that cleans up",
    needs=("reloads",),
    place=CRONS,
    rule="HW501",
)
def by_cron(lab: Lab) -> None:
    old, fresh = limits(lab, 10, 25 * HOUR_MS), limits(lab, 10, 23 * HOUR_MS)
    run_crons(lab)
    if left(lab, old) or left(lab, fresh) != 10:
        lab.fail(
            "L7.2",
            seen=f"The crons of this backend ({', '.join(lab.manifest.crons) or 'none'}) left "
            f"{left(lab, old)} of 10 buckets that are 25 hours old, and {left(lab, fresh)} of 10 "
            "that are 23 hours old.",
            fix='in backend/crons.py: crons = Crons(), then crons.daily("clean up", clean_up, '
            "hour_utc=3); its job deletes what was refilled more than a day ago",
            more="HW501",
        )


@check(
    objective="L7.2",
    title="2,500 documents go in batches",
    needs=("by_cron",),
    place=CLEANUP,
    rule="HW406",
)
def batches(lab: Lab) -> None:
    old, fresh = lab.filled(
        lambda: (limits(lab, OLD, 3 * DAY_MS), limits(lab, 50, HOUR_MS)),
    )
    before = len(lab.commits())
    run_crons(lab)
    most = max((touched(each.changes) for each in lab.commits()[before:]), default=0)
    if most > TOUCHED_MOST:
        lab.fail(
            "C602",
            seen=f"Touched {most:,} documents, limit {TOUCHED_MOST:,}. Do a batch and schedule the "
            "rest.",
            fix="take(100), delete those, and if there were 100 let the job schedule itself with "
            "run_after(0, ...)",
            more="HW406",
        )
    if left(lab, old) or left(lab, fresh) != 50:
        lab.fail(
            "L7.2",
            seen=f"Of {OLD:,} old buckets {left(lab, old):,} are still there, of 50 fresh ones "
            f"{left(lab, fresh)}.",
            fix="a batch that was full may not have been the last: schedule the job again",
            more="HW406",
        )


def touched(changes: tuple[Any, ...]) -> int:
    return sum(change.table == "rate_limits" for change in changes)
