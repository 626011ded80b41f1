"""What lesson 8 asks of a project: a token bucket, taken where the message is written.

Run by `headwater grade 8`. Time is the grader's: it stands still but for a few milliseconds after
each call, and moves when a check says so. The checks look at which calls are let through, and never
at the numbers in the bucket.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from headwater_workshop.checks import Attempt, Caller, Lab, check

SEND = "messages:sendMessage"
PLACE = "backend/rate_limits.py take_token"
CALLER = "backend/messages.py send_message"
ROOM = "general"
BURST, REFILL_MS = 5, 10_000
MESSAGES = 10_000
READS_MOST = 4  # who calls, and their bucket; a patch reads it again
NEAR_MS = 1.0  # so near to a whole token, either answer is right
AT_ONCE = 20
WINDOWS_S = (10, 50, 60)


class Bucket:
    """The naive bucket, in exact numbers, that the answers are compared with."""

    def __init__(self) -> None:
        self._tokens, self._at = Fraction(BURST), Fraction(0)

    def tokens(self, now_ms: float) -> Fraction:
        """How many there are at a time."""
        return min(Fraction(BURST), self._tokens + (Fraction(now_ms) - self._at) / REFILL_MS)

    def wait_ms(self, now_ms: float) -> float:
        """How long until there is a whole one."""
        return float(max(Fraction(0), 1 - self.tokens(now_ms)) * REFILL_MS)

    def near(self, now_ms: float) -> bool:
        """Whether a rounding error could decide."""
        return abs(self.tokens(now_ms) - 1) * REFILL_MS <= NEAR_MS

    def take(self, now_ms: float) -> None:
        """One less."""
        self._tokens, self._at = self.tokens(now_ms) - 1, Fraction(now_ms)


def words(lab: Lab) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=12))


def somebody(lab: Lab) -> tuple[str, Caller]:
    """A person that no check before has met."""
    name = words(lab)
    return name, lab.person(name)


def send(lab: Lab, person: Caller, **arguments: Any) -> Attempt:
    """One message, and whatever it scheduled to happen at once."""
    attempt = person.attempt(SEND, {"roomId": ROOM, "content": words(lab), **arguments})
    lab.advance(ms=0)
    return attempt


def through(lab: Lab, person: Caller, count: int) -> int:
    """How many of some sends at once are let through."""
    return sum(send(lab, person).ok for _ in range(count))


def exhaust(lab: Lab, person: Caller) -> Bucket:
    """Send until the bucket is empty; gives the naive bucket of this person."""
    bucket = Bucket()
    for _ in range(BURST):
        now_ms = lab.now_ms
        if send(lab, person).ok:
            bucket.take(now_ms)
    return bucket


def wait(lab: Lab, until_ms: float) -> None:
    lab.advance(ms=max(0.0, until_ms - lab.now_ms))


def at_an_edge(lab: Lab) -> int:
    """The most that are let through within two seconds, around the edges of likely windows."""
    most = 0
    for window_s in WINDOWS_S:
        lab.empty()
        _, person = somebody(lab)
        window_ms = window_s * 1000
        edge_ms = (lab.now_ms // window_ms + 2) * window_ms
        wait(lab, edge_ms - 900)
        before = through(lab, person, BURST + 1)
        if before > BURST:
            return 0  # there is no limit at all, and no edge of one
        wait(lab, edge_ms + 900)
        most = max(most, before + through(lab, person, BURST + 1))
    return most


def after_a_restart(lab: Lab, person: Caller, code: str) -> None:
    """An empty bucket must be as empty when the process is a new one."""
    through(lab, person, BURST)
    lab.restart()
    count = through(lab, person, BURST + 1)
    if count:
        lab.fail(
            code,
            seen=f"After a restart the user had {count} new tokens.",
            fix="keep the bucket in the table rate_limits; what a module remembers ends with its "
            "process, and no other process knows it",
            more="HW206",
        )


@check(objective="L8.2", title="messages:sendMessage takes a room and a text", place=CALLER)
def contract(lab: Lab) -> None:
    lab.expect_function(SEND, "mutation")
    name, person = somebody(lab)
    due = {"roomId": ROOM, "content": words(lab), "userId": name, "timestamp": lab.now_ms}
    sent = person.mutation(SEND, {"roomId": ROOM, "content": due["content"]})
    lab.advance(ms=0)
    if [document["_id"] for document in lab.documents("messages")] != [sent]:
        lab.fail(
            "L8.2",
            seen=f"{SEND} left {len(lab.documents('messages'))} messages and returned "
            f"{lab.describe(sent)}; one message and its id were due.",
            fix="insert one Message in send_message, and return what ctx.db.insert gives you",
            more="L8",
        )
    (stored,) = lab.documents("messages")
    wrong = [each for each in due if lab.differs(stored.get(each, lab.ABSENT), due[each])]
    if wrong or lab.anonymous.attempt(SEND, {"roomId": ROOM, "content": words(lab)}).ok:
        lab.fail(
            "L8.2",
            seen=f"{SEND} stored another {lab.python_name(wrong[0])} than the one that was due."
            if wrong
            else f"{SEND} took a message of a caller who had not signed in.",
            fix="leave what send_message stores and whom it asks for as it was",
            more="L8",
        )


def crowd(lab: Lab, name: str) -> float:
    """10,000 messages of this person and others, all of them sent in nine seconds; gives the end of
    these, in ten minutes.
    """
    until_ms = lab.now_ms + 600_000
    others = [name, *(words(lab) for _ in range(3))]
    rows = [
        {"content": "x", "userId": lab.random.choice(others), "roomId": ROOM, "timestamp": time_ms}
        for time_ms in sorted(until_ms - lab.random.uniform(0, 9_000) for _ in range(MESSAGES))
    ]
    lab.insert_many("messages", rows)
    return until_ms


@check(
    objective="L8.1",
    title="10,000 messages in the room: one send reads no more for it",
    needs=("contract",),
    place=PLACE,
    rule="HW401",
)
def reads(lab: Lab) -> None:
    name, person = somebody(lab)
    until_ms = lab.filled(partial(crowd, lab, name))
    send(lab, person)
    wait(lab, until_ms)
    found = send(lab, person).reads
    if found > READS_MOST:
        most = at_an_edge(lab)
        edge = f", and let {most} through in 2 s at a window edge" if most > BURST else ""
        lab.fail(
            "L702",
            seen=f"Read {found:,} documents to decide one send{edge}.",
            fix="do not count what was sent: keep one document for each person, that says how many "
            "tokens they have, and find it by its index",
            more="HW401",
        )


@check(
    objective="L8.1",
    title="No edge of a window lets twice as many through",
    needs=("reads",),
    place=PLACE,
)
def edges(lab: Lab) -> None:
    most = at_an_edge(lab)
    if most > BURST:
        lab.fail(
            "L702",
            seen=f"Let {most} through in 2 s at a window edge, {BURST} are allowed.",
            fix="let tokens grow all the time, one every 10 s, and not all at once when a window "
            "begins",
            more="L8",
        )


@check(
    objective="L8.1",
    title="Five at once, and no sixth",
    needs=("edges",),
    place=f"{PLACE} and {CALLER}",
)
def burst(lab: Lab) -> None:
    _, person = somebody(lab)
    count = through(lab, person, BURST + 2)
    if count < BURST:
        after_a_restart(lab, person, "L701")
    stored = len(lab.documents("messages"))
    if count != BURST or stored != BURST:
        lab.fail(
            "L8.1",
            seen=f"Of {BURST + 2} messages sent at once {count} were let through and {stored} "
            f"stored; {BURST} are allowed.",
            fix="a bucket begins with 5 tokens, each message takes one, and without a whole token "
            "take_token raises",
            more="HW304",
        )


@check(
    objective="L8.2",
    title="A restart fills no bucket",
    needs=("burst",),
    place=PLACE,
    rule="HW206",
)
def restart(lab: Lab) -> None:
    after_a_restart(lab, somebody(lab)[1], "L701")


@check(
    objective="L8.2",
    title="20 sends at the same time: exactly five",
    needs=("restart",),
    place=f"{PLACE} and {CALLER}",
    rule="HW406",
)
def together(lab: Lab) -> None:
    _, person = somebody(lab)
    calls = [(person, SEND, {"roomId": ROOM, "content": words(lab)}) for _ in range(AT_ONCE)]
    count = sum(attempt.ok for attempt in lab.together(calls))
    lab.settle()
    stored = len(lab.documents("messages"))
    if max(count, stored) > BURST:
        lab.fail(
            "L703",
            seen=f"{AT_ONCE} concurrent sends: {max(count, stored)} accepted, {BURST} allowed.",
            fix="look at the bucket, take the token and insert the message in one mutation: what "
            "is decided in one transaction and written in another is decided too early",
            more="HW406",
        )
    if (count, stored) != (BURST, BURST):
        lab.fail(
            "L8.2",
            seen=f"{AT_ONCE} concurrent sends: {count} accepted and {stored} stored, {BURST} due.",
            fix="take the token and insert the message in one mutation",
            more="HW406",
        )


@check(
    objective="L8.2",
    title="A refused message costs nothing",
    needs=("restart",),
    place=CALLER,
)
def refused_is_free(lab: Lab) -> None:
    refused = {"empty": "", "blank": "  \n ", "too long": "x" * lab.random.randint(2001, 4000)}
    for about, content in refused.items():
        _, person = somebody(lab)
        before = len(lab.documents("messages"))
        for _ in range(BURST):
            send(lab, person, content=content)
        if len(lab.documents("messages")) > before:
            lab.fail(
                "L8.2",
                seen=f"A message that is {about} was stored.",
                fix="refuse it: a message says something, in at most 2,000 characters",
                more="HW103",
            )
        count = through(lab, person, BURST)
        if count < BURST:
            article = "An empty" if about in ("empty", "blank") else "A too long"
            lab.fail(
                "L704",
                seen=f"{article} message was refused but used a token: after {BURST} of them only "
                f"{count} good ones were let through.",
                fix="refuse by raising an error, so that the transaction with the token in it is "
                "rolled back; what returns is committed",
                more="L8",
            )


@check(
    objective="L8.1",
    title="A token grows in 10 seconds, no sooner and no later",
    needs=("together",),
    place=PLACE,
)
def boundary(lab: Lab) -> None:
    for early in (True, False):
        _, person = somebody(lab)
        bucket = exhaust(lab, person)
        full_ms = lab.now_ms + bucket.wait_ms(lab.now_ms)
        wait(lab, full_ms - 2 * NEAR_MS if early else full_ms + NEAR_MS)
        if send(lab, person).ok is early:
            when = "before" if early else "after"
            lab.fail(
                "L8.1",
                seen=f"{'Let through' if early else 'Refused'} a message {when} the first token "
                "had grown again, by a millisecond or two.",
                fix="compare in milliseconds: tokens grow by (ctx.now - refilled_at) / refill_ms, "
                "and a whole one is needed",
                more="L8",
            )


@check(
    objective="L8.1",
    title="Parts of a token are kept",
    needs=("boundary",),
    place=PLACE,
)
def fractions(lab: Lab) -> None:
    _, person = somebody(lab)
    bucket = exhaust(lab, person)
    for _ in range(6):
        lab.advance(ms=1.5 * REFILL_MS)
        if send(lab, person).ok:
            bucket.take(lab.now_ms)
    kept = through(lab, person, BURST)
    if kept < 2:
        lab.fail(
            "L8.1",
            seen=f"Who sent every 15 s for a minute and a half had {kept} tokens left; the halves "
            "that grew each time were lost.",
            fix="do not round the tokens that have grown down while you set refilled_at to now: "
            "keep the remainder",
            more="L8",
        )


@check(
    objective="L8.1",
    title="A long silence fills the bucket, and no more",
    needs=("boundary",),
    place=PLACE,
)
def silence(lab: Lab) -> None:
    for days in (0.1, 3):
        _, person = somebody(lab)
        exhaust(lab, person)
        lab.advance(days=days)
        count = through(lab, person, 2 * BURST)
        if count != BURST:
            lab.fail(
                "L8.1",
                seen=f"After a silence of {days} days {count} messages went through at once; "
                f"{BURST} are allowed.",
                fix="a bucket holds its burst at most: min(burst, tokens + grown)",
                more="L8",
            )


@check(
    objective="L8.1",
    title="At random times it answers as a naive bucket does",
    needs=("fractions", "silence"),
    place=PLACE,
)
def oracle(lab: Lab) -> None:
    people = {name: (person, Bucket()) for name, person in (somebody(lab) for _ in range(2))}
    for _ in range(80):
        person, bucket = people[lab.random.choice(list(people))]
        lab.advance(ms=lab.random.choice([0, 400, 2_500, 7_000, 12_345, 31_000]))
        now_ms = lab.now_ms
        if bucket.near(now_ms):
            continue
        due, found = bucket.tokens(now_ms) >= 1, send(lab, person).ok
        if due is not found:
            lab.fail(
                "L8.1",
                seen=f"At a random time a message was {'let through' if found else 'refused'} with "
                f"{float(bucket.tokens(now_ms)):.2f} tokens in the bucket.",
                fix="take one token for each message that is let through, and none for another; "
                "one grows every 10 s, all the time",
                more="L8",
            )
        if due:
            bucket.take(now_ms)


@check(
    objective="L8.3",
    title="Each person has a bucket of their own",
    needs=("burst",),
    place=CALLER,
    rule="HW303",
)
def own_bucket(lab: Lab) -> None:
    name, person = somebody(lab)
    exhaust(lab, person)
    other_issuer = lab.person(name, issuer="https://elsewhere.example")
    for about, caller in (
        ("Somebody else", somebody(lab)[1]),
        ("A person of the same subject, vouched for by another issuer,", other_issuer),
    ):
        if not send(lab, caller).ok:
            lab.fail(
                "L8.3",
                seen=f"{about} was refused because the bucket of another person was empty.",
                fix="the key of a bucket names the person: identity.token_identifier, which has "
                "the issuer and the subject in it",
                more="HW303",
            )


@check(
    objective="L8.3",
    title="Nothing that a client chooses resets the limit",
    needs=("restart",),
    place=CALLER,
    rule="HW303",
)
def no_way_round(lab: Lab) -> None:
    _, person = somebody(lab)
    exhaust(lab, person)
    fields = lab.manifest.functions[SEND].arguments.to_json()["value"]
    for name in sorted(fields.keys() - {"content"}):
        attempts = [send(lab, person, **{name: words(lab)}) for _ in range(3)]
        if any(attempt.ok for attempt in attempts):
            lab.fail(
                "L705",
                seen=f"Changing the {lab.python_name(name)} argument reset the limit.",
                fix="make the key on the server, from ctx.auth alone",
                more="HW303",
            )


@check(
    objective="L8.3",
    title="The refusal says in data when to come back",
    needs=("boundary",),
    place=PLACE,
    rule="HW304",
)
def answer(lab: Lab) -> None:
    _, person = somebody(lab)
    bucket = exhaust(lab, person)
    lab.advance(ms=lab.random.randint(500, 8_000))
    now_ms = lab.now_ms
    data = send(lab, person).data
    if not isinstance(data, dict) or data.get("code") != "RATE_LIMITED":
        lab.fail(
            "L8.3",
            seen=f"The sixth message was refused with {lab.describe(data)} as its data; a client "
            "cannot tell this refusal from another.",
            fix='raise AppError({"code": "RATE_LIMITED", "retry_after_ms": ...})',
            more="HW304",
        )
    told, due = data.get("retry_after_ms"), bucket.wait_ms(now_ms)
    if isinstance(told, bool) or not isinstance(told, int | float):
        lab.fail(
            "L8.3",
            seen=f"retry_after_ms of the refusal is {lab.describe(data.get('retry_after_ms'))}.",
            fix="say as a number of milliseconds how long to wait",
            more="HW304",
        )
    if abs(told - due) > NEAR_MS:
        longer = "longer" if told > due else "shorter"
        lab.fail(
            "L8.3",
            seen=f"retry_after_ms says {told:,.0f} ms; that is {abs(told - due):,.0f} ms {longer} "
            "than it takes until a token has grown.",
            fix="what is missing from one token, times the time that one takes to grow",
            more="L8",
        )
