"""What lesson 14 asks of a project: tests that find faults, a change without its faults, a log that
says what happened and keeps its secrets.

Run by `headwater grade 14`. The learner's tests run in a jail of their own, against their backend
and against the versions of it that are right or broken; which of them is what, that process is not told.
"""

import json
from collections.abc import Sequence
from typing import Any

from headwater_workshop.checks import Attempt, Caller, Lab, check

START, VOTE, RESULTS = "polls:startPoll", "polls:vote", "polls:results"
CLOSE, EXPIRE, SHARE = "polls:closePoll", "polls:closeExpired", "polls:shareKey"
FILE = "backend/polls.py"
TESTS = "tests/test_review.py"
KILLED_AT_LEAST = 6
RIGHT_RUNS = 6  # of each right version; so a test that knows only how often it was run guesses wrong
SUITE_S = 5.0
SLEPT_S = 1.0
PIECE = 8
OTHER_POLLS = 40


def word(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=10))


def choices_of(lab: Lab, count: int = 3) -> list[str]:
    return [f"{place} {word(lab)}" for place in range(count)]


def start(lab: Lab, caller: Caller, choices: list[str], minutes: int = 60) -> Attempt:
    arguments = {"question": word(lab), "choices": choices, "minutes": float(minutes)}
    attempt = caller.attempt(START, arguments)
    lab.value_of(START, attempt)
    return attempt


def started(lab: Lab, caller: Caller, choices: list[str], minutes: int = 60) -> str:
    return str(start(lab, caller, choices, minutes).value)


def is_open(caller: Caller, poll: str) -> bool:
    return bool(caller.query(RESULTS, {"pollId": poll})["isOpen"])


# --- the learner's tests ---


def own_tests(lab: Lab) -> dict[str, str]:
    """The file of the lesson, and what it may import."""
    found = {
        name: text
        for name, text in lab.sources.items()
        if name.startswith("tests/") and not name.rpartition("/")[2].startswith("test_")
    }
    if TESTS not in lab.sources:
        lab.fail(
            "L14.1",
            seen=f"There is no {TESTS}.",
            fix="write it: one test for each thing that polls promise",
            more="L14",
        )
    return {**found, TESTS: lab.sources[TESTS]}


def named(tests: tuple[str, ...]) -> str:
    return ", ".join(name.rpartition("::")[2] for name in tests[:4]) + (", ..." * (len(tests) > 4))


@check(objective="L14.1", title="Your tests run the real code, and do not wait", place=TESTS)
def suite(lab: Lab) -> None:
    run = lab.run_learner_tests(own_tests(lab))
    if run.slept_s >= SLEPT_S:
        lab.fail(
            "T1303",
            seen=f"{run.slept_s:.0f} of {run.slept_s + run.seconds:.0f} s were sleep.",
            fix="advance the test clock: backend.advance(minutes=30)",
            more="L14",
        )
    if run.replaced:
        path, tests = max(run.replaced.items(), key=lambda each: len(each[1]))
        lab.fail(
            "T1304",
            seen=f"{lab.python_name(path.replace(':', '.'))} was replaced by a mock in "
            f"{len(tests)} tests; the code under test never ran.",
            fix="call the function itself: the backend of your tests is the true engine",
            more="L14",
        )
    if run.seconds > SUITE_S:
        lab.fail(
            "L14.1",
            seen=f"Your tests took {run.seconds:.1f} s, the limit is {SUITE_S:g} s.",
            fix="make fewer documents; a promise is seen on a few",
            more="L14",
        )
    judge_own(lab, run.errors, run.failed, run.passed)


def judge_own(
    lab: Lab, errors: tuple[str, ...], failed: tuple[str, ...], passed: tuple[str, ...]
) -> None:
    """They must run, and find nothing wrong with the learner's own backend."""
    if errors:
        lab.fail(
            "L14.1",
            seen=f"{TESTS} could not be run: {errors[0]}",
            fix=f"run it yourself: uv run pytest {TESTS}",
            more="L14",
        )
    if failed:
        lab.fail(
            "L14.1",
            seen=f"{len(failed)} of {len(failed) + len(passed)} of your tests fail on your own "
            f"backend: {named(failed)}.",
            fix="that is evidence: mend the function, or the test if it is the test that is wrong",
            more="L14",
        )
    if not passed:
        lab.fail(
            "L14.1",
            seen=f"No test in {TESTS} was run to its end.",
            fix="write one, and skip none",
            more="L14",
        )


@check(
    objective="L14.1",
    title="They accept every right version, and reject broken ones",
    needs=("suite",),
    place=TESTS,
)
def variants(lab: Lab) -> None:
    tests = own_tests(lab)
    kinds = ["right"] * RIGHT_RUNS + ["broken"]
    every = [(kind, files) for kind in kinds for _, files in lab.variants(kind)]
    lab.random.shuffle(every)
    accepted = {"right": 0, "broken": 0}
    detail: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    for kind, files in every:
        run = lab.run_learner_tests(tests, files)
        accepted[kind] += run.accepts
        if kind == "right" and not run.accepts:
            detail, errors = run.failed, run.errors
    if errors and not detail:
        lab.fail(
            "T1302",
            seen=f"On a correct variant of {FILE} none of your tests came to an end: {errors[0]}",
            fix=f"import of backend.polls only what its six functions are made of, and change {FILE} "
            "alone: each variant is put in its place",
            more="L14",
        )
    totals = {kind: sum(each == kind for each, _ in every) for kind in accepted}
    judge_variants(lab, accepted, totals, detail)


def judge_variants(
    lab: Lab, accepted: dict[str, int], totals: dict[str, int], detail: tuple[str, ...]
) -> None:
    if totals["broken"] - accepted["broken"] < KILLED_AT_LEAST:
        lab.fail(
            "T1301",
            seen=f"Your tests pass on {accepted['broken']} of {totals['broken']} broken versions.",
            fix="for each thing a poll promises, break it in your own code and see a test fail",
            more="L14",
        )
    if accepted["right"] < totals["right"]:
        lab.fail(
            "T1302",
            seen="Your tests reject a correct variant: they compare an internal detail. It was "
            f"{named(detail)}.",
            fix="compare what a caller gets, not how it is written, counted or worded",
            more="L14",
        )


# --- the change ---


@check(objective="L14.2", title="The six functions are there", place=FILE)
def contract(lab: Lab) -> None:
    for path in (START, VOTE, CLOSE):
        lab.expect_function(path, "mutation")
    for path in (RESULTS, SHARE):
        lab.expect_function(path, "query")
    if EXPIRE not in lab.manifest.functions:
        lab.fail(
            "L14.2",
            seen=f"There is no function {EXPIRE}.",
            fix="keep close_expired in backend/polls.py, under that name",
            more="L14",
        )


@check(
    objective="L14.2",
    title="A poll closes when its minutes are over",
    needs=("contract",),
    place=f"{FILE} start_poll",
    rule="HW204",
)
def in_time(lab: Lab) -> None:
    ana, minutes = lab.person("ana"), lab.random.randint(10, 300)
    lab.advance(minutes=lab.random.randint(60, 2880))
    poll = started(lab, ana, choices_of(lab), minutes)
    lab.advance(minutes=minutes - 1)
    before = is_open(ana, poll)
    lab.advance(minutes=2)
    after = is_open(ana, poll)
    if not before or after:
        words = {True: "open", False: "closed"}
        lab.fail(
            "L14.2",
            seen=f"A poll for {minutes} minutes was {words[before]} a minute before its end and "
            f"{words[after]} a minute after it; no page was there.",
            fix="schedule close_expired where the poll is started, for the moment it ends",
            more="HW204",
        )


@check(
    objective="L14.2",
    title="A vote that is refused leaves nothing",
    needs=("contract",),
    place=f"{FILE} vote",
    rule="HW406",
)
def refused_vote(lab: Lab) -> None:
    ana, ben, cleo = map(lab.person, lab.names(3))
    choices = choices_of(lab)
    poll = started(lab, ana, choices)
    ben.mutation(VOTE, {"pollId": poll, "choice": choices[0]})
    judge_refused(lab, ben.attempt(VOTE, {"pollId": poll, "choice": word(lab)}), "for no choice")
    ana.mutation(CLOSE, {"pollId": poll})
    for caller in (ben, cleo):
        attempt = caller.attempt(VOTE, {"pollId": poll, "choice": choices[1]})
        judge_refused(lab, attempt, "in a closed poll")
    judge_refused(lab, lab.anonymous.attempt(VOTE, {"pollId": poll, "choice": choices[1]}), "")


def judge_refused(lab: Lab, attempt: Attempt, when: str) -> None:
    if not attempt.ok:
        return
    kept = f"and {len(attempt.changes)} documents were written" if attempt.changes else "and ignored"
    lab.fail(
        "L14.2",
        seen=f"A vote {when or 'of nobody'} was taken without an error, {kept}.",
        fix="look before the first write, and let the error leave the function: the transaction "
        "rolls back",
        more="HW406",
    )


@check(
    objective="L14.2",
    title="The result equals the votes, whatever is voted",
    needs=("refused_vote",),
    place=f"{FILE} vote",
)
def counted(lab: Lab) -> None:
    choices = choices_of(lab, 4)
    polls = [started(lab, lab.person("ana"), choices) for _ in range(2)]
    truth: dict[tuple[str, str], str] = {}
    for _ in range(40):
        who, poll = lab.random.choice("abcdef"), lab.random.choice(polls)
        choice = lab.random.choice([*choices, word(lab)])
        if lab.person(who).attempt(VOTE, {"pollId": poll, "choice": choice}).ok:
            truth[who, poll] = choice
    for poll in polls:
        found = lab.person("ana").query(RESULTS, {"pollId": poll})["votes"]
        wanted = [sum(truth.get((who, poll)) == each for who in "abcdef") for each in choices]
        if list(map(float, found)) != list(map(float, wanted)):
            lab.fail(
                "L14.2",
                seen=f"After 40 votes of 6 people the result counts {sum(found):g} votes, "
                f"{sum(wanted)} people have voted.",
                fix="a changed vote leaves the tally it was in; one person counts once",
                more="L14",
            )


@check(
    objective="L14.2",
    title=f"A result costs the same beside {OTHER_POLLS} other polls",
    needs=("refused_vote",),
    place=f"{FILE} results",
    rule="HW401",
)
def reads(lab: Lab) -> None:
    ana, choices = lab.person("ana"), choices_of(lab)
    poll = started(lab, ana, choices)
    ana.mutation(VOTE, {"pollId": poll, "choice": choices[0]})
    alone = ana.attempt(RESULTS, {"pollId": poll}, kind="query")
    for _ in range(OTHER_POLLS):
        other = started(lab, ana, choices)
        ana.mutation(VOTE, {"pollId": other, "choice": choices[1]})
    beside = ana.attempt(RESULTS, {"pollId": poll}, kind="query")
    if beside.reads > alone.reads:
        lab.fail(
            "L14.2",
            seen=f"{RESULTS} read {alone.reads} documents, and {beside.reads} when there were "
            f"{OTHER_POLLS} other polls.",
            fix="name the index, and give it the poll",
            more="HW401",
        )


@check(
    objective="L14.2",
    title="Only who asked closes a poll",
    needs=("contract",),
    place=f"{FILE} close_poll",
    rule="HW303",
)
def owner(lab: Lab) -> None:
    hers, his, elsewhere = lab.names(3)
    ana, twin = lab.person(hers), lab.person(hers, issuer=f"https://{elsewhere}.example")
    poll = started(lab, ana, choices_of(lab))
    for who, caller in (("Ben", lab.person(his)), ("another issuer's ana", twin)):
        if caller.attempt(CLOSE, {"pollId": poll}).ok or not is_open(ana, poll):
            lab.fail(
                "L14.2",
                seen=f"{who[0].upper()}{who[1:]}, who did not start it, closed ana's poll.",
                fix="compare the poll's starter with ctx.auth before the write",
                more="HW303",
            )
    ana.mutation(CLOSE, {"pollId": poll})
    if is_open(ana, poll):
        lab.fail(
            "L14.2",
            seen="Ana closed her poll and it is still open.",
            fix="patch is_open",
            more="L14",
        )


@check(
    objective="L14.2",
    title="No browser can call what the clock calls",
    needs=("contract",),
    place=f"{FILE} close_expired",
    rule="HW302",
)
def internal(lab: Lab) -> None:
    poll = started(lab, lab.person("ana"), choices_of(lab))
    attempt = lab.anonymous.attempt(EXPIRE, {"pollId": poll})
    if attempt.entered or lab.manifest.functions[EXPIRE].is_public:
        state = "open" if is_open(lab.person("ana"), poll) else "closed an hour before its time"
        lab.fail(
            "L14.2",
            seen=f"Somebody who has not signed in called {EXPIRE}; the poll is {state}.",
            fix="make it an @internal_mutation, and let the scheduler call it",
            more="HW302",
        )


@check(
    objective="L14.2",
    title="The polls of the trial are still polls",
    needs=("contract",),
    place=f"{FILE} Poll",
    rule="HW405",
)
def old_documents(lab: Lab) -> None:
    ana, choices = lab.person("ana"), choices_of(lab)
    old = {"question": word(lab), "choices": choices, "starter": "x|ben", "isOpen": True}
    misfit = lab.misfit("polls", old)
    if misfit is not None:
        lab.fail(
            "L14.2",
            seen=f"A poll that the trial's database holds does not fit any more: {misfit}",
            fix="a new field is optional as long as documents without it are stored",
            more="HW405",
        )
    poll = lab.insert("polls", old)
    ana.mutation(VOTE, {"pollId": poll, "choice": choices[1]})
    lab.advance(days=2)
    found = ana.query(RESULTS, {"pollId": poll})
    if list(map(float, found["votes"])) != [0.0, 1.0, 0.0] or not found["isOpen"]:
        lab.fail(
            "L14.2",
            seen="A poll of the trial was voted on; its result does not say so, or it has closed.",
            fix="treat a poll without closes_at as one that somebody closes by hand",
            more="HW405",
        )


# --- the log, and the environment ---


@check(
    objective="L14.3",
    title="Each change says in one JSON object what it meant",
    needs=("contract",),
    place=FILE,
)
def structured(lab: Lab) -> None:
    ana, choices = lab.person("ana"), choices_of(lab)
    made = start(lab, ana, choices)
    poll = str(made.value)
    attempts = {
        START: made,
        VOTE: ana.attempt(VOTE, {"pollId": poll, "choice": choices[0]}),
        CLOSE: ana.attempt(CLOSE, {"pollId": poll}),
    }
    for path, attempt in attempts.items():
        judge_said(lab, path, attempt.log_lines, poll)
    late = started(lab, ana, choices, 30)
    lab.advance(minutes=31)
    expired = [line for line in lab.printed.splitlines() if late in line]
    judge_said(lab, EXPIRE, expired[1:], late)  # the first is of its start


def judge_said(lab: Lab, path: str, lines: Sequence[str], poll: str) -> None:
    """Exactly one of the lines is what the lesson asks for."""
    said = [each for line in lines if (each := json_in(line)) is not None]
    good = [each for each in said if each.get("poll_id") == poll and each.get("event")]
    if len(good) != 1:
        lab.fail(
            "L14.3",
            seen=f"{path} logged {len(lines)} lines, {len(good)} of them a JSON object with an "
            "event and this poll_id.",
            fix="log one line per change: json.dumps of the event and the poll_id",
            more="L14",
        )


def json_in(line: str) -> dict[str, Any] | None:
    """The JSON object of a log line such as `[INFO] '{"event": ...}'`."""
    try:
        found = json.loads(line[line.index("{") : line.rindex("}") + 1])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@check(
    objective="L14.3",
    title="The key comes from the environment, opens one result, and no secret is in the log",
    needs=("contract",),
    place=f"{FILE} share_key",
    rule="HW503",
)
def environment(lab: Lab) -> None:
    ana, ben = map(lab.person, lab.names(2))
    poll, other = (started(lab, ana, choices_of(lab)) for _ in range(2))
    unset = ana.attempt(SHARE, {"pollId": poll}, kind="query")
    if unset.ok or unset.data is None:
        lab.fail(
            "L14.3",
            seen="Without POLL_LINK_KEY in the environment share_key "
            + ("gave a key all the same." if unset.ok else f"failed with: {unset.text}"),
            fix="read it through ctx.env(PollSettings), and refuse with an AppError when it is "
            "not set",
            more="HW503",
        )
    secrets, shared = [secret_of(lab) for _ in range(2)], list[Attempt]()
    for secret in secrets:
        lab.set_env(POLL_LINK_KEY=secret)
        shared.append(ana.attempt(SHARE, {"pollId": poll}, kind="query"))
    keys = [str(lab.value_of(SHARE, each)) for each in shared]
    if ben.attempt(SHARE, {"pollId": poll}, kind="query").ok:
        lab.fail(
            "L14.3",
            seen="Ben, who did not start it, got the key of ana's poll.",
            fix="compare the poll's starter with ctx.auth before anything else",
            more="HW303",
        )
    judge_keys(lab, poll, other, keys)
    judge_secrets(lab, [*secrets, *(key.replace(poll, "\n") for key in keys)])  # ids are no secret
    judge_said(lab, SHARE, shared[1].log_lines, poll)


def secret_of(lab: Lab) -> str:
    return "".join(lab.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=32))


def judge_keys(lab: Lab, poll: str, other: str, keys: list[str]) -> None:
    """The newer key opens that result; nothing else opens anything."""
    tried = [
        lab.anonymous.attempt(RESULTS, arguments, kind="query").ok
        for arguments in (
            {"pollId": poll, "key": keys[1]},
            {"pollId": poll, "key": keys[0]},
            {"pollId": other, "key": keys[1]},
            {"pollId": poll},
        )
    ]
    if keys[0] == keys[1] or tried != [True, False, False, False]:
        lab.fail(
            "L14.3",
            seen="The key of one poll, under one POLL_LINK_KEY, did not open exactly that result.",
            fix="make the key of the poll's id with the secret, and compare it with that",
            more="HW503",
        )


def judge_secrets(lab: Lab, values: list[str]) -> None:
    """No piece of them is in anything that was logged or printed."""
    for value in values:
        if any(value[at : at + PIECE] in lab.printed for at in range(len(value) - PIECE + 1)):
            name = "The key of a result" if value in values[2:] else "A value from the environment"
            lab.fail(
                "T1305",
                seen=f"{name} appears in a log line.",
                fix="log what happened and to which poll; never what opens something",
                more="HW503",
            )
