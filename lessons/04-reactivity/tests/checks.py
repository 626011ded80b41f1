"""What lesson 4 asks of a project: a query that is run again for what it lists, and for nothing else.

Run by `headwater grade 4`. Subscriptions live in the grader's process; it sees each run and each
push.
"""

import time
from collections.abc import Callable
from typing import Any

from headwater_workshop.checks import Attempt, Lab, check

RECENT = "messages:recentMessages"
SEND = "messages:sendMessage"
QUERY = "backend/messages.py recent_messages"
MOST = 100
WRITES = 40
HOUR_MS = 3_600_000.0
POLLS, POLLED_S = 14, 3
FAULTS = {"HW201": "R304", "HW202": "R304", "HW206": "R303"}


def message(lab: Lab, room: str, timestamp: float) -> dict[str, Any]:
    words = "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz ", k=20))
    person = lab.random.choice(["ana", "ben"])
    return {"content": words, "userId": person, "roomId": room, "timestamp": timestamp}


def rooms(lab: Lab, count: int) -> list[str]:
    return [f"room-{lab.random.getrandbits(32):08x}" for _ in range(count)]


def say(lab: Lab, room: str, *timestamps: float) -> None:
    lab.insert_many("messages", [message(lab, room, each) for each in timestamps])


def due(lab: Lab, room: str, since: float) -> list[dict[str, Any]]:
    """The naive answer, from the host's own copy of the data."""
    found = [m for m in lab.documents("messages") if m["roomId"] == room]
    recent = [m for m in found if m["timestamp"] >= since]
    return sorted(recent, key=lambda m: m["timestamp"])[-MOST:]


def ask(lab: Lab, room: str, since: float) -> Attempt:
    arguments = {"roomId": room, "since": since}
    attempt = lab.person("ana").attempt(RECENT, arguments, kind="query")
    if not attempt.ok:
        explain(lab, attempt.rule, attempt.text)
    return attempt


def explain(lab: Lab, rule: str, text: str) -> None:
    """Say why a run failed; a broken rule has its own word."""
    code = FAULTS.get(rule)
    if code == "R303":
        remembers(lab, f"run twice on the same data, it did not do the same ({rule})")
    if code == "R304":
        grows_old(lab)
    lab.fail(
        "L4.2",
        seen=f"{RECENT} raised an error: {text}",
        fix="read the error above; run the same call with `headwater run`",
        more="L4",
    )


def remembers(lab: Lab, how: str) -> None:
    lab.fail(
        "R303",
        seen="Subscribers kept the old list: the value came from a module variable, which is not "
        f"tracked; {how}.",
        fix="read through ctx.db on every run; equal subscriptions are run once anyway",
        more="HW206",
    )


def grows_old(lab: Lab) -> None:
    lab.fail(
        "R304",
        seen="The same call on the same data gave another answer at another time. To who has "
        "subscribed, an item that has expired is still listed: time passing reruns nothing.",
        fix="take the time as an argument, or flip a flag by schedule",
        more="HW201",
    )


def judge(lab: Lab, room: str, since: float, value: Any) -> None:
    """The list must be the naive answer, document by document."""
    wanted = due(lab, room, since)
    if not lab.differs(value, wanted):
        return
    find_cause(lab, room, since, wanted)
    ids = [each.get("_id") for each in value] if isinstance(value, list) else []
    lab.fail(
        "L4.2",
        seen=difference(lab, value, ids, [each["_id"] for each in wanted]),
        fix="list the messages of this room whose timestamp is `since` or later, newest last, at "
        "most the last 100",
        more="L4",
    )


def find_cause(lab: Lab, room: str, since: float, wanted: Any) -> None:
    """Whether a wrong answer is an old one, or one that another clock would change."""
    lab.restart()
    if not lab.differs(ask(lab, room, since).value, wanted):
        remembers(lab, "started anew, the same code gives the new list")
    arguments = {"roomId": room, "since": since}
    if not lab.replay(lab.person("ana"), RECENT, arguments, kind="query").same:
        grows_old(lab)


def difference(lab: Lab, value: Any, ids: list[Any], wanted: list[str]) -> str:
    if not isinstance(value, list):
        return f"{RECENT} gave {lab.describe(value)}, not a list of messages."
    missing = len([id_ for id_ in wanted if id_ not in ids])
    strangers = len([id_ for id_ in ids if id_ not in wanted])
    if len(ids) > MOST:
        return f"{RECENT} listed {len(ids)} messages, the limit is {MOST}."
    if missing or strangers:
        return (
            f"{RECENT} left out {missing} messages that it should list, and listed {strangers} "
            "others."
        )
    if ids != wanted:
        return f"{RECENT} listed the right {len(ids)} messages in another order than newest last."
    return f"{RECENT} gave messages whose fields are not those that are stored."


def follow(lab: Lab, room: str, since: float) -> Any:
    followed = lab.follow(lab.person("ana"), RECENT, {"roomId": room, "since": since})
    if followed.failed:
        explain(lab, ask(lab, room, since).rule, followed.failed)
    return followed


def runs_of(lab: Lab, since: float, write: Callable[[str], None]) -> int:
    """How often a subscription was run again while something was written."""
    (room,) = rooms(lab, 1)
    say(lab, room, *(since + n for n in range(3)))
    followed = follow(lab, room, since)
    before = followed.runs
    for _ in range(WRITES):
        write(room)
    again: int = followed.runs - before
    followed.close()
    return again


@check(
    objective="L4.1",
    title="messages:recentMessages can be subscribed to",
    place=QUERY,
    rule="HW101",
)
def contract(lab: Lab) -> None:
    spec = lab.manifest.functions.get(RECENT)
    reads = [each for each in lab.manifest.routes if each.method == "GET"]
    if spec is not None and spec.is_public and spec.kind != "query":
        polled(lab, spec.kind)
    if spec is None and reads:
        routed(lab, reads[0].path)
    lab.expect_function(RECENT, "query")


def polled(lab: Lab, kind: Any) -> None:
    """Do as a page must that cannot subscribe: ask again and again, for three seconds."""
    (room,) = rooms(lab, 1)
    arguments = {"roomId": room, "since": lab.now_ms - HOUR_MS}
    for _ in range(POLLS):
        lab.person("ana").attempt(RECENT, arguments, kind=kind)
        lab.advance(seconds=POLLED_S / POLLS)
    lab.fail(
        "R301",
        seen=f"No subscription was opened; {POLLS} requests arrived in {POLLED_S} s. {RECENT} is "
        f"of the kind {kind}: a page can only ask it again and again.",
        fix="make recent_messages a @query; who subscribes to it is told of each change",
        more="HW101",
    )


def routed(lab: Lab, path: str) -> None:
    lab.fail(
        "R301",
        seen=f"No subscription was opened: there is the route GET {path} instead of {RECENT}, and "
        "a page can only fetch a route again and again.",
        fix="make recent_messages a @query; who subscribes to it is told of each change",
        more="HW101",
    )


@check(
    objective="L4.3",
    title="The answer does not depend on a clock",
    needs=("contract",),
    place=QUERY,
    rule="HW201",
)
def timeless(lab: Lab) -> None:
    (room,) = rooms(lab, 1)
    ana, wall = lab.person("ana"), time.time() * 1000
    # three years around the machine's own clock, where a query that asks for the time looks
    times = [wall + days * 24 * HOUR_MS for days in range(-1100, 1101, 25)]
    say(lab, room, *times)
    for arguments in ({"roomId": room}, {"roomId": room, "since": times[0]}):
        replay = lab.replay(ana, RECENT, arguments, kind="query")
        for attempt in replay.attempts:
            if attempt.entered and not attempt.ok:
                explain(lab, attempt.rule, attempt.text)
        if not replay.same:
            grows_old(lab)


@check(
    objective="L4.3",
    title="The answer is what is stored, not what was remembered",
    needs=("contract",),
    place=QUERY,
    rule="HW206",
)
def tracked(lab: Lab) -> None:
    (room,) = rooms(lab, 1)
    since = lab.now_ms - HOUR_MS
    say(lab, room, since + 1)
    ask(lab, room, since)
    followed = follow(lab, room, since)
    for step in range(2, 5):
        say(lab, room, since + step)
        if lab.differs(followed.value, due(lab, room, since)):
            find_cause(lab, room, since, due(lab, room, since))
    followed.close()


@check(
    objective="L4.2",
    title="The list equals a naive one on random data",
    needs=("tracked",),
    place=QUERY,
    rule="HW401",
)
def oracle(lab: Lab) -> None:
    for most in (12, 40, 150):
        lab.empty()
        made, now = rooms(lab, 3), lab.now_ms
        times = [now + lab.random.uniform(-HOUR_MS, HOUR_MS) for _ in range(most)]
        for room in made:
            say(lab, room, *sorted(lab.random.choices(times, k=most)))
        for room in made:
            for since in (min(times), lab.random.choice(times), max(times) + 1):
                judge(lab, room, since, ask(lab, room, since).value)


@check(
    objective="L4.2",
    title="Writes elsewhere run nothing again",
    needs=("oracle",),
    place=QUERY,
    rule="HW401",
)
def elsewhere(lab: Lab) -> None:
    others, since = rooms(lab, 4), lab.now_ms - HOUR_MS
    again = runs_of(
        lab, since, lambda _: say(lab, lab.random.choice(others), since + lab.random.random())
    )
    if again:
        lab.fail(
            "R302",
            seen=f"{WRITES} writes in other rooms reran the query {again} times.",
            fix="read one range of the index by_room: this room, from `since` on",
            more="HW401",
        )


@check(
    objective="L4.2",
    title="What is older than `since` runs nothing again",
    needs=("oracle",),
    place=QUERY,
    rule="HW401",
)
def older(lab: Lab) -> None:
    since = lab.now_ms - HOUR_MS
    again = runs_of(lab, since, lambda room: say(lab, room, since - 1 - lab.random.random()))
    if again:
        lab.fail(
            "R302",
            seen=f"{WRITES} writes of messages that are older than asked for reran the query "
            f"{again} times.",
            fix="put `since` into the range: a filter looks at a document that is read already",
            more="HW401",
        )


@check(
    objective="L4.2",
    title="A message here is exactly one push",
    needs=("oracle",),
    place=QUERY,
    rule="HW401",
)
def one_push(lab: Lab) -> None:
    ana, room = lab.person("ana"), "general"
    lab.advance(minutes=lab.random.randint(1, 50))
    since = lab.now_ms - 1000
    followed = follow(lab, room, since)
    for count in range(1, 4):
        before, runs = len(followed.updates), followed.runs
        ana.mutation(SEND, {"roomId": room, "content": f"message {count}"})
        pushes, again = len(followed.updates) - before, followed.runs - runs
        if (pushes, again) != (1, 1):
            lab.fail(
                "L4.2",
                seen=f"One message in the room: {again} runs and {pushes} pushes, one each was "
                "due.",
                fix="read the range that the new message falls into, and return what was read",
                more="L4",
            )
        judge(lab, room, since, followed.value)
        lab.advance(seconds=15)
    followed.close()
    runs = followed.runs
    ana.mutation(SEND, {"roomId": room, "content": "unheard"})
    assert followed.runs == runs, "a closed subscription was run"


@check(
    objective="L4.3",
    title="Time passes, and only who asks anew gets another beginning",
    needs=("oracle",),
    place=QUERY,
    rule="HW201",
)
def expiry(lab: Lab) -> None:
    (room,) = rooms(lab, 1)
    since = lab.now_ms
    say(lab, room, since, since + 1000, since + 60_000)
    followed = follow(lab, room, since)
    runs = followed.runs
    lab.advance(hours=2)
    if followed.runs != runs:
        grows_old(lab)
    for later in (since + 500, since + 60_000, since + HOUR_MS):
        judge(lab, room, later, ask(lab, room, later).value)
    followed.close()
