"""What lesson 9 asks of a project: an answer that streams through the database, and ends.

Run by `headwater grade 9`. The model is a stand-in of the grader; the time that its words take
passes on the host's clock. What is written, and when, is seen where the commits are made.
"""

import ast
from itertools import pairwise
from typing import Any, NamedTuple

from headwater.fake_model import FakeModel
from headwater_workshop.checks import Lab, check

START, ASK, MESSAGES = "ai:startConversation", "ai:ask", "ai:getAiMessages"
ANSWERS = "ai_messages"
PLACE = "backend/ai_replies.py"
REPLY = f"{PLACE} reply"
WORDS = 200
WORD_MS = 5
BATCH_MS = 100  # as often as a person may see a change, even where words come slowly
MOST_WRITES = 25
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MINUTE_S = 60
OUTSIDE = {"HW203": "opened a socket", "HW204": "waited for the outside world"}
BATCH = "write when enough time has passed since the last write, or enough pieces are waiting"


class Talk(NamedTuple):
    """A question, and where its answer is to come.

    Attributes:
        answer: the id of the answer's message.
        asked_ms: when it was asked.
    """

    conversation: str
    answer: str
    asked_ms: float


def words(lab: Lab, count: int = WORDS) -> list[str]:
    """An answer that nobody can know before, word by word."""
    return ["".join(lab.random.choices(LETTERS, k=6)) + " " for _ in range(count)]


def speaks(lab: Lab, said: list[str], **faults: int) -> FakeModel:
    """The model says this from now on, and each word takes a while."""
    return lab.model(answer="".join(said), word_delay_ms=WORD_MS, **faults)


def asked(lab: Lab, subject: str) -> Talk:
    """Somebody asks the model; nothing scheduled has run yet."""
    person = lab.person(subject)
    conversation = person.mutation(START, {})
    now = lab.now_ms
    arguments = {"conversationId": conversation, "prompt": f"Why {lab.random.random()}?"}
    attempt = person.attempt(ASK, arguments)
    if attempt.rule in OUTSIDE:
        lab.fail(
            "N801",
            seen=f"ai.ask {OUTSIDE[attempt.rule]} inside a transaction; the runtime refused it.",
            fix="store the question, schedule an internal action for the answer, and let that one "
            "ask the model",
            more=attempt.rule,
        )
    answer = lab.value_of(ASK, attempt)
    if not isinstance(answer, str) or lab.document(answer) is None:
        lab.fail(
            "L9.1",
            seen=f"{ASK} returned {lab.describe(answer)}, not the id of an answer that is stored.",
            fix="return what begin_answer gives you",
            more="L9",
        )
    return Talk(conversation, answer, now)


def stored(lab: Lab, talk: Talk) -> dict[str, Any]:
    """The answer as it is stored now."""
    return lab.document(talk.answer) or {"content": "", "status": "deleted"}


def texts(lab: Lab, talk: Talk) -> list[tuple[float, str]]:
    """The texts the answer had, one after another, each with its time."""
    found, last = list[tuple[float, str]](), ""
    for committed in lab.commits():
        for change in committed.changes:
            content = (change.document or {}).get("content", "")
            if change.id == talk.answer and content != last:
                last = content
                found.append((committed.at_ms, content))
    return found


def writes(lab: Lab, talk: Talk) -> int:
    """How often the answer was written."""
    return sum(change.id == talk.answer for each in lab.commits() for change in each.changes)


@check(objective="L9.1", title="The functions that a page calls are there")
def contract(lab: Lab) -> None:
    lab.expect_function(START, "mutation")
    lab.expect_function(ASK, "mutation")
    lab.expect_function(MESSAGES, "query")


@check(
    objective="L9.1",
    title="An action has no ctx.db",
    needs=("contract",),
    place=REPLY,
    rule="HW301",
)
def no_database(lab: Lab) -> None:
    for path, source in lab.sources.items():
        for function in ast.walk(ast.parse(source)):
            if is_action(function) and "ctx.db" in ast.unparse(function):
                lab.fail(
                    "L9.1",
                    seen=f"An action in {path} uses ctx.db, which it has not.",
                    fix="read and write by ctx.run_query and ctx.run_mutation",
                    more="HW301",
                )


def is_action(function: ast.AST) -> bool:
    if not isinstance(function, ast.AsyncFunctionDef):
        return False
    names = {ast.unparse(decorator) for decorator in function.decorator_list}
    return bool(names & {"action", "internal_action"})


@check(
    objective="L9.1",
    title="The answer is in the database, and a second tab sees it grow",
    needs=("no_database",),
    place=PLACE,
    rule="HW203",
)
def reaches_every_tab(lab: Lab) -> None:
    said = words(lab)
    speaks(lab, said)
    talk = asked(lab, "ana")
    tab = lab.follow(lab.person("ana"), MESSAGES, {"conversationId": talk.conversation})
    lab.advance(seconds=MINUTE_S)
    seen = [update[-1].get("content") for update in tab.updates if update]
    tab.close()
    if not stored(lab, talk)["content"]:
        nothing_arrived(lab)
    if not seen or seen[-1] != stored(lab, talk)["content"]:
        lab.fail(
            "L9.1",
            seen=f"The answer is stored, and {MESSAGES} does not show it to a second tab.",
            fix="let the query read the messages of the conversation; whoever follows it is told",
            more="L9",
        )


def nothing_arrived(lab: Lab) -> None:
    """The stored answer has no text: where did it go?"""
    routes = lab.sources.get("backend/routes.py", "")
    if "stream_answer" in routes or "StreamingResponse" in routes:
        lab.fail(
            "N802",
            seen="Tokens went to one response; a second tab saw nothing and a reload lost the "
            "answer.",
            fix="let an internal action write the answer into the database, and the page follow "
            "the query",
            more="HW101",
        )
    lab.fail(
        "L9.1",
        seen=f"A minute after {ASK} the answer has no text.",
        fix="schedule the internal action in begin_answer; look at its error in the logs",
        more="L9",
    )


@check(
    objective="L9.2",
    title="200 words: complete, in order, soon and in few writes",
    needs=("reaches_every_tab",),
    place=REPLY,
)
def batches(lab: Lab) -> None:
    said, heard = words(lab), list[float]()
    lab.model(answer="".join(said), word_delay_ms=WORD_MS, on_word=lambda: heard.append(lab.now_ms))
    talk = asked(lab, "ana")
    lab.advance(seconds=MINUTE_S)
    steps, answer = texts(lab, talk), stored(lab, talk)
    if answer["content"] != "".join(said) or answer["status"] != "done":
        lab.fail(
            "L9.2",
            seen=f"The model said {WORDS} words; the answer is {answer['status']} with "
            f"{len(answer['content'].split())} words, and they are not all the same in this order.",
            fix="give finish the whole text, the last pieces too",
            more="L9",
        )
    judge_writes(lab, writes(lab, talk) - 1, heard[-1] - heard[0])
    judge_first(lab, steps[0], talk.asked_ms, heard[-1])
    if not all(later.startswith(text) for (_, text), (_, later) in pairwise(steps)):
        lab.fail(
            "L9.2",
            seen="While it grew, the answer showed words in another order, or lost some again.",
            fix="write all of the text each time, as far as it has come",
            more="L9",
        )


def judge_writes(lab: Lab, count: int, ms: float) -> None:
    """So many writes after the first, empty one, while the model spoke for so long."""
    if count > max(MOST_WRITES, ms / BATCH_MS + 5):
        lab.fail(
            "N803",
            seen=f"{count} writes for {WORDS} tokens; batch by time or size.",
            fix=BATCH,
            more="L9",
        )


def judge_first(lab: Lab, first: tuple[float, str], asked_ms: float, last_ms: float) -> None:
    """The first text that anybody saw has few words, and comes before the last one is said."""
    at_ms, text = first
    if len(text.split()) > WORDS / 2 or at_ms >= last_ms:
        lab.fail(
            "N804",
            seen=f"First visible text after {(at_ms - asked_ms) / 1000:.1f} s, when the model had "
            f"said all of its {WORDS} words.",
            fix=f"write while it comes: {BATCH}",
            more="L9",
        )


@check(
    objective="L9.1",
    title="Whoever asked leaves, and the answer is completed",
    needs=("reaches_every_tab",),
    place=PLACE,
)
def nobody_looks(lab: Lab) -> None:
    said = words(lab, 30)
    speaks(lab, said)
    talk = asked(lab, "ben")
    lab.follow(lab.person("ben"), MESSAGES, {"conversationId": talk.conversation}).close()
    lab.advance(seconds=MINUTE_S)
    if stored(lab, talk)["content"] != "".join(said):
        lab.fail(
            "L9.1",
            seen="When nobody looked at it any more, the answer was not completed.",
            fix="let a scheduled action do the work; it depends on no page",
            more="L9",
        )


@check(
    objective="L9.3",
    title="A stream that breaks leaves a failed answer with the words that came",
    needs=("reaches_every_tab",),
    place=REPLY,
)
def broken(lab: Lab) -> None:
    said, came = words(lab), lab.random.randint(50, 90)
    speaks(lab, said, drop_after=came)
    talk = asked(lab, "ana")
    lab.advance(seconds=MINUTE_S)
    answer = stored(lab, talk)
    judge_failed(lab, answer, f"Upstream stopped at token {came}")
    if answer["content"] != "".join(said[:came]):
        lab.fail(
            "L9.3",
            seen=f"Upstream stopped at token {came}, and of the words that came "
            f"{len(answer['content'].split())} are kept.",
            fix="give finish what had come, also when the model failed",
            more="L9",
        )


def judge_failed(lab: Lab, answer: dict[str, Any], happened: str) -> None:
    if answer["status"] != "failed":
        still = "still says" if answer["status"] == "streaming" else "says"
        lab.fail(
            "N805",
            seen=f"{happened}; the message {still} {answer['status']}.",
            fix="catch ModelFailed around the stream, and let finish set the status to failed",
            more="L9",
        )
    judge_reason(lab, answer)


def judge_reason(lab: Lab, answer: dict[str, Any]) -> None:
    if not answer.get("error"):
        lab.fail(
            "L9.3",
            seen="An answer has failed, and its field error does not say why.",
            fix="store a sentence for whoever asked, together with the status",
            more="L9",
        )


@check(
    objective="L9.3",
    title="A model that refuses leaves a failed answer",
    needs=("broken",),
    place=REPLY,
)
def refused(lab: Lab) -> None:
    speaks(lab, ["never said"], refusals=50)
    talk = asked(lab, "ana")
    lab.advance(seconds=MINUTE_S)
    judge_failed(lab, stored(lab, talk), "The model refused with status 429")


@check(
    objective="L9.3",
    title="Run twice, the action answers once",
    needs=("reaches_every_tab",),
    place=f"{PLACE} take_on",
)
def once(lab: Lab) -> None:
    said = words(lab, 40)
    model = speaks(lab, said)
    talk = asked(lab, "ana")
    jobs = [job for job in lab.jobs() if lab.manifest.functions[job.path].kind == "action"]
    lab.advance(seconds=MINUTE_S)
    before = len(model.requests)
    for job in jobs:
        lab.call_internal(job.path, job.arguments, kind="action")
    again = len(model.requests) - before
    if again or stored(lab, talk)["content"] != "".join(said):
        lab.fail(
            "L9.3",
            seen=f"Run a second time, the action asked the model {again} times more, and the "
            f"answer has {len(stored(lab, talk)['content'].split())} words of {len(said)}.",
            fix="let the mutation take_on write started_at, and give a second one nothing to do",
            more="L9",
        )


@check(
    objective="L9.3",
    title="An answer whose action died is ended",
    needs=("broken",),
    place=f"{PLACE} begin_answer",
)
def died(lab: Lab) -> None:
    speaks(lab, words(lab, 40))
    talk = asked(lab, "ana")
    with lab.break_write(1):
        lab.advance(seconds=MINUTE_S)
    lab.advance(minutes=30)
    answer = stored(lab, talk)
    if answer["status"] == "streaming":
        lab.fail(
            "L9.3",
            seen="An action died in the middle; half an hour later its message still says "
            "streaming.",
            fix="schedule an internal mutation together with the action: it fails the answer if "
            "it is still streaming after eleven minutes",
            more="L9",
        )
    judge_reason(lab, answer)


@check(
    objective="L9.3",
    title="What has ended stays as it is",
    needs=("died", "once"),
    place=PLACE,
)
def stays(lab: Lab) -> None:
    said = words(lab, 20)
    speaks(lab, said)
    talk = asked(lab, "ana")
    lab.advance(seconds=MINUTE_S)
    before = stored(lab, talk)
    lab.advance(minutes=30)
    after = stored(lab, talk)
    if lab.differs(before, after) or before["status"] != "done":
        lab.fail(
            "L9.3",
            seen=f"An answer that had ended as {before['status']} was {after['status']} half an "
            "hour later.",
            fix="change an answer only while it is streaming",
            more="L9",
        )


@check(
    objective="L9.3",
    title="An answer that is deleted meanwhile is left alone",
    needs=("stays",),
    place=PLACE,
    rule="HW406",
)
def gone(lab: Lab) -> None:
    for after in (0, 2):  # commits of the action
        speaks(lab, words(lab, 20))
        talk, seen = asked(lab, "ana"), list[int]()

        def deletes(talk: Talk = talk, seen: list[int] = seen, after: int = after) -> None:
            seen.append(1)
            if len(seen) == after:
                lab.delete([talk.answer])

        if not after:
            lab.delete([talk.answer])
        with lab.between(deletes):
            lab.advance(seconds=MINUTE_S)
        lab.advance(minutes=30)
        failed = [job.path for job in lab.jobs() if job.state == "failed"]
        if failed or lab.document(talk.answer) is not None:
            lab.fail(
                "L9.3",
                seen=f"An answer was deleted while it was awaited, and {', '.join(failed)} failed.",
                fix="look whether the message is there, and still streaming, before it is changed",
                more="HW406",
            )


@check(
    objective="L9.1",
    title="The key is in no log and in no document",
    needs=("reaches_every_tab",),
    place="backend/model.py and backend/ai_replies.py",
    rule="HW503",
)
def key_is_kept(lab: Lab) -> None:
    speaks(lab, words(lab, 10), drop_after=5)
    asked(lab, "ana")
    lab.advance(seconds=MINUTE_S)
    held = str([lab.documents(table) for table in lab.manifest.tables])
    for where, text in (("what the backend printed", lab.printed), ("a document", held)):
        if lab.model_key in text:
            lab.fail(
                "L9.1",
                seen=f"The key of the model is in {where}.",
                fix="say of an error its type and status, and never print headers or settings",
                more="HW503",
            )
