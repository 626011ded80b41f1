"""What lesson 12 asks of a project: keys that nobody can guess, read or misuse.

Run by `headwater grade 12`. Keys are made by the learner's own action and sent to the learner's own
routes, both in the jailed process; what is stored, read and printed is looked at from outside.
"""

import ast
import base64
import json
import math
from typing import Any

from headwater_workshop.checks import Caller, Lab, check

CREATE, LIST, REVOKE = "api_keys:createApiKey", "api_keys:getApiKeys", "api_keys:revokeApiKey"
TASKS = "/api/v1/tasks"
MODULE, ROUTE = "backend/api_keys.py", "backend/routes.py post_task"
ISSUE, USE = f"{MODULE} create_api_key", f"{MODULE} use_key"
PIECE, BITS, MANY = 8, 128, 500
BURST, REFILL_MS = 60, 1_000
MOST_LISTED = 100
PREDICTABLE = {"random", "ctx.random"}


def text(lab: Lab, length: int) -> str:
    return "".join(lab.random.choices("abcdefghijklmnopqrstuvwxyz", k=length))


def make(lab: Lab, caller: Caller, **more: Any) -> tuple[str, str]:
    """A new key of somebody's: its id, and the key."""
    made = caller.action(CREATE, {"name": text(lab, 10), **more})
    parts = made if isinstance(made, dict) else {}
    key_id, key = parts.get("id"), parts.get("key")
    if not isinstance(key_id, str) or not isinstance(key, str) or len(key) < PIECE:
        lab.fail(
            "L12.1",
            seen=f"{CREATE} returned {lab.describe(made)}, not the id and the key.",
            fix="return a NewKey: the id of the document, and the key",
            more="L12",
        )
    return key_id, key


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def status_of(lab: Lab, key: str) -> int:
    """How a request for the tasks of a key is answered."""
    return int(lab.anonymous.http("GET", TASKS, headers=bearer(key)).status)


def post(lab: Lab, key: str, body: bytes) -> int:
    headers = bearer(key) | {"Content-Type": "application/json"}
    return int(lab.anonymous.http("POST", TASKS, headers=headers, body=body).status)


def opens(lab: Lab, key: str, when: str) -> None:
    found = status_of(lab, key)
    if found != 200:
        lab.fail(
            "L12.2",
            seen=f"GET {TASKS} with a right key was answered with {found}, {when}.",
            fix="find the key by its hash, and let it in if it is neither revoked nor expired",
            more="L12",
        )


def refuses(lab: Lab, key: str, what: str) -> None:
    found = status_of(lab, key)
    if found != 401:
        lab.fail(
            "L12.2",
            seen=f"GET {TASKS} with {what} was answered with {found}, not with 401.",
            fix="refuse what is not there, revoked, or not valid after ctx.now: UNAUTHENTICATED",
            more="L12",
        )


def pieces(*keys: str) -> set[str]:
    """Every piece of eight characters of some keys, but for a beginning that all of them share."""
    found = [{key[i : i + PIECE] for i in range(len(key) - PIECE + 1)} for key in keys]
    shared = set.intersection(*found) if len(found) > 1 else set()
    return set.union(*found) - shared


def encoded(key: str) -> list[str]:
    """What a key looks like where it was only written in another way."""
    body = key.encode()
    return [body.hex(), key[::-1], *(base64.b64encode(body[i:]).decode()[:-4] for i in range(3))]


def readable(value: Any) -> str:
    """A document as text; bytes as what they may be read as."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return "\n".join(map(readable, value.values()))
    return "\n".join(map(readable, value)) if isinstance(value, list) else json.dumps(value)


# L12.1: made, shown once, kept as a hash


@check(
    objective="L12.1",
    title="Keys come from a secure source",
    place=ISSUE,
    rule="HW202",
)
def source(lab: Lab) -> None:
    for path in reached(lab, MODULE):
        for name in sorted(chance(lab.sources[path]) & PREDICTABLE):
            lab.fail(
                "K1103",
                seen=f"Keys come from {name}, which is predictable ({path}); use secrets and a "
                "constant-time comparison.",
                fix="take secrets.token_urlsafe(32), in the action",
                more="L12",
            )


def reached(lab: Lab, path: str) -> list[str]:
    """A module of the backend, and those it imports from there."""
    todo, seen = [path], list[str]()
    while todo:
        path = todo.pop()
        if path in lab.sources and path not in seen:
            seen.append(path)
            todo += [f"{name.replace('.', '/')}.py" for name in imported(lab.sources[path])]
    return seen


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def chance(source: str) -> set[str]:
    """Where a module takes chance from, of what is no secret."""
    found = {name.partition(".")[0] for name in imported(source)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "random":
            if isinstance(node.value, ast.Name) and node.value.id == "ctx":
                found.add("ctx.random")
    return found


@check(objective="L12.1", title="Every function is there", needs=("source",), place=MODULE)
def contract(lab: Lab) -> None:
    lab.expect_function(CREATE, "action")
    lab.expect_function(LIST, "query")
    lab.expect_function(REVOKE, "mutation")
    for path, spec in lab.manifest.functions.items():
        if path.partition(":")[0] in ("api_keys", "programs") and spec.is_public:
            if path not in (CREATE, LIST, REVOKE):
                lab.fail(
                    "L12.1",
                    seen=f"{path} is public: any browser can call it, with any hash it likes.",
                    fix="make it internal: @internal_mutation or @internal_query",
                    more="HW302",
                )


@check(
    objective="L12.1",
    title="Keys are all different, and have 128 random bits at least",
    needs=("contract",),
    place=ISSUE,
    rule="HW202",
)
def bits(lab: Lab) -> None:
    people = [lab.person(name) for name in ("ana", "ben", "cleo")]
    keys = [make(lab, person)[1] for person in people for _ in range(5)]
    lab.restart()
    keys += [make(lab, person)[1] for person in people]
    columns = [{key[i] for key in keys} for i in range(min(map(len, keys)))]
    varied = [column for column in columns if len(column) > 1]
    letters = len(set().union(*varied)) if varied else 1
    found = math.floor(len(varied) * math.log2(letters))
    if len(set(keys)) < len(keys):
        lab.fail(
            "K1103",
            seen=f"Of {len(keys)} keys only {len(set(keys))} are different.",
            fix="take secrets.token_urlsafe(32) anew for each key",
            more="HW202",
        )
    if found < BITS:
        lab.fail(
            "K1103",
            seen=f"Keys differ in {len(varied)} characters, which are {found} bits; {BITS} are the "
            "least, so that nobody can try them.",
            fix="take 32 bytes: secrets.token_urlsafe(32)",
            more="L12",
        )


@check(
    objective="L12.1",
    title="A visitor gets no key",
    needs=("contract",),
    place=ISSUE,
    rule="HW303",
)
def visitor(lab: Lab) -> None:
    if lab.anonymous.attempt(CREATE, {"name": text(lab, 10)}, kind="action").ok:
        lab.fail(
            "L12.1",
            seen=f"{CREATE} made a key for somebody who has not signed in.",
            fix="store it for the person who is signed in: signed_in(ctx)",
            more="HW303",
        )
    if lab.documents("api_keys"):
        lab.fail(
            "L12.1",
            seen=f"A call of {CREATE} that was refused left a document in api_keys.",
            fix="look at who calls before anything is stored",
            more="L12",
        )


@check(
    objective="L12.1",
    title="No piece of a key is stored",
    needs=("bits",),
    place=f"{MODULE} hash_of",
    rule="HW503",
)
def not_stored(lab: Lab) -> None:
    ana = lab.person("ana")
    keys = [make(lab, ana)[1] for _ in range(3)]
    for key in keys:
        status_of(lab, key)
        post(lab, key, b'{"title": "x"}')
    for table in sorted(lab.manifest.tables):
        stored = readable(lab.documents(table))
        if any(piece in stored for piece in wanted(keys)):
            lab.fail(
                "K1101",
                seen=f"The key can be read in table {table}: a copy of the database opens every "
                "door.",
                fix="store what comes from the key and leads back to none: a SHA-256 of it",
                more="L12",
            )
    stored = [doc for doc in lab.documents("api_keys")]
    for value in {each for doc in stored for each in doc.values() if isinstance(each, str)}:
        if status_of(lab, value) == 200:
            lab.fail(
                "K1101",
                seen="The key can be read in table api_keys: a text that is stored there opens "
                "the door when it is sent as a key.",
                fix="hash what the request brings, and look for the hash",
                more="L12",
            )


def wanted(keys: list[str]) -> set[str]:
    """What must be found nowhere: pieces of keys, as they are or written in another way."""
    written = zip(*map(encoded, keys), strict=True)
    return pieces(*keys).union(*(pieces(*each) for each in written))


@check(
    objective="L12.1",
    title="No piece of a key is printed",
    needs=("not_stored",),
    place=ISSUE,
    rule="HW503",
)
def not_printed(lab: Lab) -> None:
    ana = lab.person("ana")
    made = [make(lab, ana) for _ in range(3)]
    keys = [key for _, key in made]
    for key_id, key in made:
        status_of(lab, key)
        post(lab, key, b"no json")
        ana.mutation(REVOKE, {"keyId": key_id})
        status_of(lab, key)
    printed = lab.printed
    if any(piece in printed for piece in wanted(keys)):
        lab.fail(
            "K1101",
            seen="The key can be read in what was printed: logs are copied, searched and kept.",
            fix="print no key, nor anything that holds one",
            more="HW503",
        )


@check(
    objective="L12.1",
    title="The list shows a person their own keys, and no secret",
    needs=("not_stored",),
    place=f"{MODULE} get_api_keys",
)
def listed(lab: Lab) -> None:
    ana, ben = map(lab.person, lab.names(2))
    later = lab.now_ms + 3_600_000
    made = [make(lab, ana), make(lab, ana, expiresAt=later), make(lab, ana)]
    make(lab, ben)
    opens(lab, made[1][1], "an hour before it expires")
    shown = ana.query(LIST, {})
    keys = [key for _, key in made]
    if any(piece in readable(shown) for piece in wanted(keys)):
        lab.fail(
            "K1104",
            seen=f"{LIST} returned the secret again: a key is shown once, when it is made.",
            fix="list a KeyInfo: id, name, the last four characters and the times",
            more="L12",
        )
    if not isinstance(shown, list) or any(not isinstance(each, dict) for each in shown):
        unlike(lab, f"{lab.describe(shown)}")
    if [each.get("id") for each in shown] != [key_id for key_id, _ in reversed(made)]:
        unlike(lab, "other keys than the person's own, newest first")
    if [each.get("lastFour") for each in shown] != [key[-4:] for key in reversed(keys)]:
        unlike(lab, "keys without their last four characters")
    if [each.get("expiresAt") for each in shown] != [None, later, None]:
        unlike(lab, "keys without the time at which they expire")
    uses = [(each.get("uses"), each.get("lastUsedAt") is not None) for each in shown]
    if uses != [(0.0, False), (1.0, True), (0.0, False)]:
        unlike(lab, "keys without how often each was used, and when last")
    if lab.anonymous.query(LIST, {}) != []:
        unlike(lab, "keys to a visitor")
    fill(lab, 120)
    if len(ana.query(LIST, {})) > MOST_LISTED:
        unlike(lab, f"more than {MOST_LISTED} keys")


def unlike(lab: Lab, what: str) -> None:
    lab.fail(
        "L12.1",
        seen=f"{LIST} returned {what}.",
        fix="list the signed-in person's keys, newest first, at most 100, each as a KeyInfo",
        more="L12",
    )


# L12.2: found through an index, and only if it opens


@check(
    objective="L12.2",
    title="A right key opens its owner's tasks, and no others",
    needs=("contract",),
    place=USE,
)
def right_key(lab: Lab) -> None:
    people = {name: lab.person(name) for name in lab.names(2)}
    keys = {name: make(lab, person)[1] for name, person in people.items()}
    for name, key in keys.items():
        opens(lab, key, "just after it was made")
        title = f"{name} {text(lab, 12)}"
        body = json.dumps({"title": title, "priority": "high"}).encode()
        found = post(lab, key, body)
        if found != 201:
            lab.fail(
                "L12.3",
                seen=f"POST {TASKS} with a right key and a good body was answered with {found}.",
                fix="check the body, then run add_task_of_key; a new task is a 201",
                more="L12",
            )
        answer = lab.anonymous.http("GET", TASKS, headers=bearer(key)).json()
        shown = [each.get("title") for each in answer["tasks"]]
        mine = people[name].query("tasks:getTasks", {})
        about = [(each.get("title"), each.get("priority")) for each in mine]
        if shown != [title] or about != [(title, "high")]:
            lab.fail(
                "L12.2",
                seen=f"A key shows {len(shown)} tasks, its owner sees {len(about)}; they are not "
                "the one that was added with this key.",
                fix="let use_key give the owner of the key that was sent",
                more="L12",
            )


@check(
    objective="L12.2",
    title="Among 500 keys, one document is read to find one",
    needs=("right_key",),
    place=f"{USE} and backend/schema.py ApiKey",
    rule="HW401",
)
def lookup(lab: Lab) -> None:
    ana = lab.person("ana")
    (_, key), _ = make(lab, ana), make(lab, ana)
    opens(lab, key, "with two keys in the table")
    few = reads(lab, key)
    fill(lab, MANY)
    many = reads(lab, key)
    if many > few + 1:
        slow = " and as many slow hashes" if stretched(lab) else ""
        lab.fail(
            "K1102",
            seen=f"{many} documents read{slow} to check one key. A long random key needs a fast "
            "hash and an index.",
            fix="declare an index over the hash, and read the one document of this hash",
            more="HW401",
        )


def reads(lab: Lab, key: str) -> int:
    """Documents that were read for one request."""
    return int(lab.anonymous.http("GET", TASKS, headers=bearer(key)).attempt.reads)


def fill(lab: Lab, count: int) -> None:
    """Many keys like the first, each with other secrets."""
    one, other = lab.documents("api_keys")[:2]
    plain = {name: value for name, value in one.items() if not name.startswith("_")}
    secret = [name for name, value in plain.items() if other.get(name) != value]
    rows = [plain | {name: mixed(lab, plain[name]) for name in secret} for _ in range(count)]
    lab.insert_many("api_keys", rows)


def mixed(lab: Lab, value: Any) -> Any:
    """A value of the same form: its letters and digits in another order."""
    if isinstance(value, bytes):
        return bytes(lab.random.sample(value, len(value)))
    if not isinstance(value, str):
        return value
    letters = [letter for letter in value if letter.isalnum()]
    lab.random.shuffle(letters)
    return "".join(letters.pop() if letter.isalnum() else letter for letter in value)


def stretched(lab: Lab) -> bool:
    slow = ("pbkdf2", "scrypt", "bcrypt", "argon2")
    return any(word in source for source in lab.sources.values() for word in slow)


@check(
    objective="L12.2",
    title="What is no key opens nothing",
    needs=("right_key",),
    place=USE,
)
def no_key(lab: Lab) -> None:
    _, key = make(lab, lab.person("ana"))
    wrong = {
        "a key of which one character differs": key[:-1] + ("b" if key[-1] == "a" else "a"),
        "the beginning of a key": key[:-1],
        "a key and something more": key + "a",
        "a guess": text(lab, len(key)),
    }
    for what, guess in wrong.items():
        refuses(lab, guess, what)
    for headers in ({}, {"Authorization": key}, {"Authorization": f"Basic {key}"}):
        for method, body in (("GET", None), ("POST", b'{"title": "x"}')):
            found = lab.anonymous.http(method, TASKS, headers=headers, body=body).status
            if found != 401:
                lab.fail(
                    "L12.2",
                    seen=f"{method} {TASKS} without `Authorization: Bearer KEY` was answered with "
                    f"{found}, not with 401.",
                    fix="take the key from the Authorization header alone, as key_hash does",
                    more="L12",
                )


@check(
    objective="L12.2",
    title="A revoked key opens nothing, and only its owner revokes it",
    needs=("right_key",),
    place=f"{MODULE} revoke_api_key",
    rule="HW303",
)
def revoked(lab: Lab) -> None:
    ana, ben = map(lab.person, lab.names(2))
    key_id, key = make(lab, ana)
    _, other = make(lab, ana)
    make(lab, ben)
    for stranger in (ben, lab.anonymous):
        if stranger.attempt(REVOKE, {"keyId": key_id}).ok:
            lab.fail(
                "L12.2",
                seen=f"{REVOKE} took somebody else's key.",
                fix="compare the owner of the key with the signed-in person",
                more="HW303",
            )
    opens(lab, key, "after a stranger tried to revoke it")
    ana.mutation(REVOKE, {"keyId": key_id})
    refuses(lab, key, "a revoked key")
    ana.mutation(REVOKE, {"keyId": key_id})
    opens(lab, other, "after its owner revoked another one")
    times = [each.get("revokedAt") for each in ana.query(LIST, {})]
    if len(times) != 2 or times[0] is not None or times[1] is None:
        lab.fail(
            "L12.2",
            seen=f"After one of two keys was revoked, {LIST} says {lab.describe(times)}.",
            fix="keep the document of a revoked key, with revoked_at",
            more="L12",
        )


@check(
    objective="L12.2",
    title="A key opens until it expires, and not longer",
    needs=("right_key",),
    place=USE,
)
def expired(lab: Lab) -> None:
    ana = lab.person("ana")
    end = lab.now_ms + 3_600_000
    (_, key), (_, lasting) = make(lab, ana, expiresAt=end), make(lab, ana)
    lab.advance(ms=end - lab.now_ms - 60_000)
    opens(lab, key, "a minute before it expires")
    lab.advance(ms=max(0, end - lab.now_ms))
    at_the_end(lab, end)
    refuses(lab, key, "an expired key")
    lab.sleep(days=30)
    opens(lab, lasting, "30 days after it was made without a time to expire")


def at_the_end(lab: Lab, end: float) -> None:
    """A request takes time; the mutation behind it can be made at the very millisecond."""
    spec = lab.manifest.functions.get("programs:tasksOfKey")
    if spec is None or list(spec.arguments.to_json()["value"]) != ["keyHash"]:
        return
    for document in lab.documents("api_keys"):
        if document.get("expiresAt") == end and "keyHash" in document:
            if lab.call_internal(spec.path, {"keyHash": document["keyHash"]}).ok:
                lab.fail(
                    "L12.2",
                    seen="At the millisecond at which a key expires, it opened something.",
                    fix="let a key open while ctx.now is less than expires_at",
                    more="L12",
                )


@check(
    objective="L12.2",
    title="60 requests at once, then one a second, for each key",
    needs=("right_key",),
    place=USE,
    rule="HW304",
)
def limited(lab: Lab) -> None:
    ana = lab.person("ana")
    (_, key), (_, other) = make(lab, ana), make(lab, ana)
    accepted = used_up(lab, key)
    if accepted < BURST:
        lab.fail(
            "L12.2",
            seen=f"Request {accepted + 1} of {BURST} at once was refused.",
            fix=f"take a token of the key that was sent: {BURST} at once, one more each second",
            more="HW304",
        )
    answer = lab.anonymous.http("GET", TASKS, headers=bearer(key))
    if answer.status == 429 and not answer.headers.get("retry-after", "").isdigit():
        lab.fail(
            "L12.2",
            seen="A request over the limit was answered without Retry-After.",
            fix="raise the AppError of take_token as it is; answered() knows it",
            more="HW304",
        )
    opens(lab, other, "while another key of the same person is refused")
    lab.advance(ms=10 * REFILL_MS)
    accepted = used_up(lab, key)
    if not 10 <= accepted < BURST:
        lab.fail(
            "L12.2",
            seen=f"Ten seconds after a key was used up, {accepted} requests were let in.",
            fix="let a token grow each second: take_token with refill_ms=1000",
            more="HW304",
        )


def used_up(lab: Lab, key: str) -> int:
    """How many requests are let in until one is refused; time passes while they are made."""
    begin, accepted = lab.now_ms, 0
    while status_of(lab, key) == 200:
        accepted += 1
        if accepted > BURST + 2 + (lab.now_ms - begin) / REFILL_MS:
            lab.fail(
                "L12.2",
                seen=f"{accepted} requests were let in within "
                f"{(lab.now_ms - begin) / 1000:.1f} s: the limit does not apply.",
                fix="call take_token in use_key, once the key is known to open something",
                more="HW304",
            )
    return accepted


# L12.3: the edge


@check(
    objective="L12.3",
    title="A body that is no JSON is a 400",
    needs=("right_key",),
    place=ROUTE,
    rule="HW502",
)
def bad_json(lab: Lab) -> None:
    _, key = make(lab, lab.person("ana"))
    for body in (b"", b"no json", b'{"title": "x"', b"title=x", b"\xff\xfe"):
        found = post(lab, key, body)
        if found != 400:
            lab.fail(
                "L12.3",
                seen=f"POST {TASKS} with a body that is no JSON got a {found}, not a 400.",
                fix="let a Model read the raw body, and answer its ValidationError with 400",
                more="HW502",
            )
    nothing_stored(lab)


@check(
    objective="L12.3",
    title="JSON of another shape is refused, and not sent back",
    needs=("bad_json",),
    place=ROUTE,
    rule="HW502",
)
def misfits(lab: Lab) -> None:
    _, key = make(lab, lab.person("ana"))
    long = text(lab, 201)
    secret = text(lab, 24)
    for body in (
        [],
        {},
        {"title": 3},
        {"title": None},
        {"title": long},
        {"title": "x", "priority": secret},
        {"title": "x", "colour": secret},
    ):
        headers = bearer(key)
        answer = lab.anonymous.http("POST", TASKS, headers=headers, json=body)
        if answer.status not in (400, 422):
            lab.fail(
                "L12.3",
                seen=f"POST {TASKS} with JSON of another shape was answered with {answer.status}.",
                fix="declare the fields of the body in a Model, as strictly as a function does",
                more="HW502",
            )
        if secret in answer.body.decode(errors="replace"):
            lab.fail(
                "L12.3",
                seen=f"The answer to a refused POST {TASKS} repeats what was sent.",
                fix="leave the input out: error.errors(include_input=False)",
                more="HW503",
            )
    nothing_stored(lab)
    if post(lab, key, json.dumps({"title": long[:200]}).encode()) != 201:
        lab.fail(
            "L12.3",
            seen=f"POST {TASKS} with a title of 200 characters was refused.",
            fix="let the title have at most 200 characters, as everywhere",
            more="L12",
        )


def nothing_stored(lab: Lab) -> None:
    if lab.documents("tasks"):
        lab.fail(
            "L12.3",
            seen=f"A refused POST {TASKS} left a task behind.",
            fix="check the whole body before anything is written",
            more="HW502",
        )
