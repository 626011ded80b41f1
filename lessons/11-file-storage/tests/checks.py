"""What lesson 11 asks of a project: images by upload URL, judged by the server, deleted in time.

Run by `headwater grade 11`. Files are sent to the upload URL as a page does it; what is stored and
what is known of it is looked at from the host's side.
"""

import ast
import hashlib
from typing import Any

from headwater_workshop.checks import Attempt, Caller, Lab, check

URL, ATTACH = "attachments:generateImageUrl", "attachments:attachImage"
GET, DELETE = "attachments:getImage", "messages:deleteMessage"
ATTACHING = "backend/attachments.py attach_image"
MB = 1_000_000
LARGE, LIMIT = 5 * MB, 10 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
PARSERS = {"multipart", "cgi", "email", "UploadFile", "File", "Form", "form"}


def said(lab: Lab, caller: Caller, room: str = "general") -> str:
    """A message of somebody's; a while after the one before, for who talks has a limit."""
    lab.advance(minutes=1)
    return str(caller.mutation("messages:sendMessage", {"roomId": room, "content": "Look"}))


def image(lab: Lab, length: int = 2_000) -> bytes:
    return PNG + lab.random.randbytes(length - len(PNG))


def upload(
    lab: Lab, caller: Caller, content: bytes | None = None, content_type: str | None = "image/png"
) -> str:
    """The id of a file that somebody has uploaded."""
    url = caller.mutation(URL, {})
    if not isinstance(url, str):
        lab.fail(
            "L11.1",
            seen=f"{URL} returned {lab.describe(url)}, not a URL.",
            fix="return what ctx.storage.generate_upload_url() gives",
            more="L11",
        )
    return lab.upload(url, image(lab) if content is None else content, content_type)


def attach(lab: Lab, caller: Caller, message: str, file: str, **lies: Any) -> Attempt:
    """Try to attach a file; a mutation may, and an action too."""
    spec = lab.manifest.functions[ATTACH]
    asked = {**truth(lab, file), **lies}
    needed = {
        name: asked[name]
        for name, about in spec.arguments.to_json()["value"].items()
        if name in asked and (name in lies or not about["optional"])
    }
    return caller.attempt(ATTACH, {"messageId": message, "imageId": file, **needed}, kind=spec.kind)


def truth(lab: Lab, file: str) -> dict[str, Any]:
    """What an honest page would say of a file, where it is asked."""
    about = {each.id: each for each in lab.files()}.get(file)
    if about is None:
        return {}
    return {"size": float(about.size), "contentType": about.content_type or ""}


def attached(lab: Lab, caller: Caller, message: str, file: str) -> None:
    """Attach a file where that must work."""
    attempt = attach(lab, caller, message, file)
    if any(f"no attribute '{name}'" in attempt.text for name in ("store", "get", "stream")):
        lab.fail(
            "F1004",
            seen="Storage is not available in a mutation; store in an action or by URL, then "
            f"attach. {ATTACH} said: {attempt.text}",
            fix="take the id of the uploaded file on as it is; a mutation has no business with "
            "its bytes",
            more="HW203",
        )
    lab.value_of(ATTACH, attempt)


def shown(lab: Lab, caller: Caller, message: str) -> dict[str, Any]:
    """What somebody is told of the image of a message, which must be there."""
    found = caller.query(GET, {"messageId": message})
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        lab.fail(
            "L11.2",
            seen=f"{GET} returned {lab.describe(found)} for a message with an image.",
            fix="return an Image: url, size, content_type, sha256",
            more="L11",
        )
    return found


def ids(lab: Lab) -> set[str]:
    return {file.id for file in lab.files()}


# L11.1: an id, and no bytes


@check(objective="L11.1", title="No route takes a form apart", rule="HW502")
def no_forms(lab: Lab) -> None:
    for path, source in lab.sources.items():
        found = sorted(form_parsers(source))
        if found:
            lab.fail(
                "F1001",
                seen=f"{path} parses multipart ({', '.join(found)}). Ask for an upload URL; the "
                "runtime receives the bytes.",
                fix="give the page a URL by generate_image_url, and take the id on afterwards",
                more="HW502",
            )


def form_parsers(source: str) -> set[str]:
    """What takes a form apart: a parser that is imported, or a form that is asked for."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & PARSERS
        elif isinstance(node, ast.ImportFrom) and node.module:
            top = node.module.partition(".")[0]
            names = {alias.name for alias in node.names} if top in ("fastapi", "starlette") else {}
            found |= {top, *names} & PARSERS
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "form":
                found.add("form()")
    return found


@check(
    objective="L11.1",
    title="Every function is there",
    needs=("no_forms",),
    place="backend/attachments.py",
)
def contract(lab: Lab) -> None:
    lab.expect_function(URL, "mutation")
    lab.expect_function(GET, "query")
    lab.expect_function(DELETE, "mutation")
    if ATTACH not in lab.manifest.functions:
        lab.expect_function(ATTACH, "mutation")
    for path, spec in lab.manifest.functions.items():
        if path.startswith("cleanup:") and spec.is_public:
            lab.fail(
                "L11.3",
                seen=f"{path} is public: any browser can call it.",
                fix="make it internal: @internal_mutation",
                more="HW302",
            )


@check(
    objective="L11.1",
    title="An upload URL is for who has signed in",
    needs=("contract",),
    place="backend/attachments.py generate_image_url",
    rule="HW303",
)
def visitor(lab: Lab) -> None:
    if lab.anonymous.attempt(URL, {}).ok:
        lab.fail(
            "L11.1",
            seen=f"{URL} gave a visitor permission to store a file.",
            fix="ask who calls before you give the URL",
            more="HW303",
        )


@check(
    objective="L11.1",
    title="An image is attached by its id",
    needs=("contract",),
    place=ATTACHING,
    rule="HW203",
)
def by_id(lab: Lab) -> None:
    ana = lab.person("ana")
    message, content = said(lab, ana), image(lab)
    if ana.query(GET, {"messageId": message}) is not None:
        lab.fail(
            "L11.2",
            seen=f"{GET} found an image in a message that has none.",
            fix="return None where the message has no image_id",
            more="L11",
        )
    attached(lab, ana, message, upload(lab, ana, content))
    (listed,) = ana.query("messages:listMessages", {"roomId": "general"})
    if listed.get("content") != "Look" or not isinstance(listed.get("imageId"), str):
        lab.fail(
            "L11.1",
            seen="A page that lists the room's messages is not told which of them has an image.",
            fix="keep the file's id in the message: image_id",
            more="L11",
        )
    if lab.download(shown(lab, ana, message)["url"]) != content:
        lab.fail(
            "L11.1",
            seen=f"The URL of {GET} does not give the bytes that were uploaded.",
            fix="return ctx.storage.get_url of the message's image_id",
            more="L11",
        )


@check(
    objective="L11.1",
    title="5 MB are attached, and the document stays small",
    needs=("by_id",),
    place=f"{ATTACHING} and backend/schema.py Message",
    rule="HW405",
)
def stays_small(lab: Lab) -> None:
    ana = lab.person("ana")
    for size in (40_000, LARGE):
        message = said(lab, ana)
        before = lab.stored_bytes(message)
        attempt = attach(lab, ana, message, upload(lab, ana, image(lab, size)))
        grown = lab.stored_bytes(message) - before
        if grown > size // 8:
            in_document(lab, (before + grown) * LARGE / size)
        if not attempt.ok and "too large" in attempt.text.lower():
            in_document(lab, LARGE * 4 / 3)
        lab.value_of(ATTACH, attempt)


def in_document(lab: Lab, size: float) -> None:
    lab.fail(
        "F1002",
        seen=f"Document of {size / MB:.1f} MB, limit 1 MB: an image of 5 MB is to lie in its "
        "message, and to be sent with it.",
        fix="keep the file's id in the message, and leave the bytes where they were uploaded to",
        more="HW405",
    )


# L11.2: what the server noted, and who may see it


@check(
    objective="L11.2",
    title="Size, type and hash are the server's",
    needs=("stays_small",),
    place=ATTACHING,
    rule="HW303",
)
def noted(lab: Lab) -> None:
    ana = lab.person("ana")
    content = image(lab, 3 * MB)
    for lies in (told(lab), {}):
        message = said(lab, ana)
        file = upload(lab, ana, content, "image/webp")
        attempt = attach(lab, ana, message, file, **lies)
        if lies and not attempt.ok:
            continue
        lab.value_of(ATTACH, attempt)
        found = shown(lab, ana, message)
        compare(lab, found, content, lies)


def told(lab: Lab) -> dict[str, Any]:
    """What a page could say about a file: a lie for each further argument."""
    arguments = lab.manifest.functions[ATTACH].arguments.to_json()["value"]
    further = [name for name in arguments if name not in ("messageId", "imageId")]
    return {name: lie for name in further if (lie := lie_for(lab, name)) is not None}


def lie_for(lab: Lab, name: str) -> Any:
    """A value that such an argument takes, of a file that is not this one."""
    if "sha" in name.lower() or "hash" in name.lower():
        return "0" * 64
    if "type" in name.lower():
        return "image/png"
    kind = str(lab.manifest.functions[ATTACH].arguments.to_json()["value"][name])
    return float(lab.random.randint(10, MB)) if "number" in kind else None


def compare(lab: Lab, found: dict[str, Any], content: bytes, lies: dict[str, Any]) -> None:
    """What is told of an image must be what the server knows."""
    if found.get("size") != len(content):
        size = found.get("size")
        recorded = f"{int(size):,} bytes" if isinstance(size, float) else "nothing"
        trusted(lab, f"A {len(content) // MB} MB file is recorded as {recorded}.")
    if found.get("contentType") != "image/webp":
        trusted(lab, "A WebP file is recorded as another type.")
    if found.get("sha256") != hashlib.sha256(content).hexdigest():
        if lies:
            trusted(lab, "A file is recorded as one with another hash.")
        lab.fail(
            "L11.2",
            seen=f"{GET} gives no sha256 of the bytes that arrived.",
            fix="take size, content_type and sha256 from ctx.storage.get_metadata",
            more="L11",
        )


def trusted(lab: Lab, seen: str) -> None:
    lab.fail(
        "F1003",
        seen=seen,
        fix="take nothing about a file from the caller: read what the server noted of it",
        more="L11",
    )


@check(
    objective="L11.2",
    title="What is no image, or too large, is refused",
    needs=("noted",),
    place=ATTACHING,
)
def refused(lab: Lab) -> None:
    ana = lab.person("ana")
    message = said(lab, ana)
    for content, content_type, what in (
        (image(lab), "image/svg+xml", "An SVG, which may hold scripts,"),
        (image(lab), "text/html", "A web page"),
        (image(lab), None, "A file without a type"),
        (bytes(LIMIT + 1), "image/png", "A file of one byte more than 10 MB"),
    ):
        if attach(lab, ana, message, upload(lab, ana, content, content_type)).ok:
            lab.fail(
                "L11.2",
                seen=f"{what} was attached as an image.",
                fix="hand the size and the type that the server noted to check_image",
                more="L11",
            )
    attached(lab, ana, message, upload(lab, ana, bytes(LIMIT)))
    for content_type in ("image/png", "image/jpeg", "image/webp", "image/gif"):
        attached(lab, ana, message, upload(lab, ana, content_type=content_type))


@check(
    objective="L11.2",
    title="Only its author puts an image into a message",
    needs=("stays_small",),
    place=ATTACHING,
    rule="HW303",
)
def author(lab: Lab) -> None:
    ana, ben = map(lab.person, lab.names(2))
    message, bens = said(lab, ana), said(lab, ben)
    if attach(lab, ben, message, upload(lab, ben)).ok:
        lab.fail(
            "L11.2",
            seen="Somebody put an image into a message that is not theirs.",
            fix="compare the message's user_id with the signed-in person",
            more="HW303",
        )
    if attach(lab, lab.anonymous, message, upload(lab, ana)).ok:
        lab.fail(
            "L11.2",
            seen="A visitor put an image into a message.",
            fix="ask who calls: ctx.auth.require_identity()",
            more="HW303",
        )
    file = upload(lab, ana)
    attached(lab, ana, message, file)
    for caller, taken in ((ben, bens), (ana, said(lab, ana))):
        if attach(lab, caller, taken, file).ok:
            lab.fail(
                "L11.2",
                seen="A file that one message shows was put into another: with the first of them "
                "that is deleted, it goes.",
                fix="refuse a file that is_shown already",
                more="L11",
            )
    attach(lab, ana, message, file)  # refused or not: it is shown, and it is where it was wanted
    if file not in ids(lab):
        lab.fail(
            "L11.2",
            seen="Attaching the same image again deleted it.",
            fix="change nothing where the message has this image already",
            more="L11",
        )


@check(
    objective="L11.2",
    title="A stranger to the room cannot read its images",
    needs=("by_id",),
    place="backend/attachments.py get_image",
    rule="HW303",
)
def stranger(lab: Lab) -> None:
    owner, member, stranger = lab.names(3)
    project = lab.insert("projects", {"name": "Boat", "owner": owner})
    ana = lab.insider(project, owner)
    cleo = lab.insider(project, member, "member")
    ben = lab.person(stranger)
    room = lab.insert("rooms", {"projectId": project, "name": "Plans"})
    message = said(lab, ana, room)
    attached(lab, ana, message, upload(lab, ana))
    shown(lab, cleo, message)
    open_message = said(lab, ana)
    attached(lab, ana, open_message, upload(lab, ana))
    shown(lab, ben, open_message)
    for caller, about, who in (
        (ben, message, "Somebody who is no member of the project"),
        (lab.anonymous, message, "A visitor"),
        (lab.anonymous, open_message, "A visitor"),
    ):
        attempt = caller.attempt(GET, {"messageId": about}, kind="query")
        if attempt.ok and attempt.value is not None:
            lab.fail(
                "L11.2",
                seen=f"{who} was given the URL of an image.",
                fix="ask in get_image who is signed in, and whether they may enter the room",
                more="HW303",
            )
    left_behind = said(lab, ben, "general")
    lab.patch(left_behind, {"roomId": room})
    if attach(lab, ben, left_behind, upload(lab, ben)).ok:
        lab.fail(
            "L11.2",
            seen="Somebody who may not be in the room any more put an image into it.",
            fix="enter the room in attach_image too",
            more="HW303",
        )


# L11.3: nothing is left behind


@check(
    objective="L11.3",
    title="A deleted message takes its image along",
    needs=("by_id",),
    place="backend/messages.py delete_message",
)
def deleted(lab: Lab) -> None:
    ana, ben = map(lab.person, lab.names(2))
    message, plain, other = said(lab, ana), said(lab, ana), said(lab, ana)
    kept = upload(lab, ana)
    attached(lab, ana, message, upload(lab, ana))
    attached(lab, ana, other, kept)
    url = shown(lab, ana, message)["url"]
    if ben.attempt(DELETE, {"messageId": message}).ok or lab.download(url) is None:
        lab.fail(
            "L11.3",
            seen="Somebody else deleted a message, or its image.",
            fix="ask for the author before anything is deleted",
            more="HW303",
        )
    ana.mutation(DELETE, {"messageId": plain})
    ana.mutation(DELETE, {"messageId": message})
    if lab.download(url) is not None:
        lab.fail(
            "F1005",
            seen="A message was deleted, and its image is still there: its URL gives the bytes "
            "to whoever kept it.",
            fix="delete the file in the same mutation as the message",
            more="HW406",
        )
    if ids(lab) != {kept} or len(lab.documents("messages")) != 1:
        lab.fail(
            "L11.3",
            seen=f"After two of three messages were deleted, there are {len(ids(lab))} files and "
            f"{len(lab.documents('messages'))} messages.",
            fix="delete the message and its own file, and nothing else",
            more="L11",
        )


@check(
    objective="L11.3",
    title="What is gone is said to be gone",
    needs=("deleted", "stays_small"),
    place="backend/attachments.py and backend/messages.py",
)
def gone(lab: Lab) -> None:
    ana = lab.person("ana")
    message, other = said(lab, ana), said(lab, ana)
    file = upload(lab, ana)
    attached(lab, ana, message, file)
    ana.mutation(DELETE, {"messageId": message})
    for what, attempt in (
        ("The image of a deleted message", ana.attempt(GET, {"messageId": message}, kind="query")),
        ("A second deletion of a message", ana.attempt(DELETE, {"messageId": message})),
        ("An image for a deleted message", attach(lab, ana, message, upload(lab, ana))),
        ("A file that is gone", attach(lab, ana, other, file)),
    ):
        if attempt.ok and attempt.value is None and what.startswith("The image"):
            continue
        if attempt.ok or attempt.data is None:
            lab.fail(
                "L11.3",
                seen=f"{what} ended with {attempt.text or 'no error'}: nothing a page can show.",
                fix="look at what ctx.db.get gives before you use it, and raise not_found()",
                more="HW406",
            )


@check(
    objective="L11.3",
    title="An image that is replaced goes",
    needs=("stays_small", "deleted"),
    place=ATTACHING,
)
def replaced(lab: Lab) -> None:
    ana = lab.person("ana")
    message, second = said(lab, ana), upload(lab, ana)
    attached(lab, ana, message, upload(lab, ana))
    attached(lab, ana, message, second)
    if ids(lab) != {second}:
        lab.fail(
            "F1005",
            seen=f"A message had its image replaced, and {len(ids(lab))} files are there.",
            fix="delete the file of the image before, in the same mutation",
            more="HW406",
        )


@check(
    objective="L11.3",
    title="Abandoned uploads go after a day, and nothing else does",
    needs=("by_id",),
    place="backend/cleanup.py clean_up, abandoned_files",
    rule="HW501",
)
def abandoned(lab: Lab) -> None:
    ana = lab.person("ana")
    kept = upload(lab, ana)
    attached(lab, ana, said(lab, ana), kept)
    left = {upload(lab, ana) for _ in range(3)}
    lab.advance(days=3)
    orphans = ids(lab) & left
    if orphans:
        still(lab, len(orphans))
    if kept not in ids(lab):
        lab.fail(
            "L11.3",
            seen="The clean-up deleted an image that a message shows.",
            fix="ask is_shown of each file before it is deleted",
            more="L11",
        )
    for _ in range(20):
        fresh = upload(lab, ana)
        lab.advance(hours=1)
        if fresh not in ids(lab):
            lab.fail(
                "L11.3",
                seen="An upload was deleted within an hour: somebody was about to attach it.",
                fix="take only files that were uploaded more than a day ago",
                more="L11",
            )
    young = ids(lab) - {kept}
    if len(young) < 20:
        lab.fail(
            "L11.3",
            seen=f"Of 20 uploads of the last 20 hours {len(young)} are there.",
            fix="take only files that were uploaded more than a day ago",
            more="L11",
        )


def still(lab: Lab, count: int) -> None:
    lab.fail(
        "F1005",
        seen=f"{count} uploads still have no owner after the clean-up ran: nothing shows them, "
        "and nothing will ever delete them.",
        fix="go through all files older than a day, a batch at a time; start it in clean_up",
        more="HW501",
    )


@check(
    objective="L11.3",
    title="However many images are shown, the abandoned ones are found",
    needs=("abandoned",),
    place="backend/cleanup.py abandoned_files",
    rule="HW406",
)
def many(lab: Lab) -> None:
    ana = lab.person("ana")
    message = said(lab, ana)
    url = ana.mutation(URL, {})
    about = {name: value for name, value in lab.document(message).items() if name[0] != "_"}
    shown_files = [lab.upload(url, PNG, "image/png") for _ in range(120)]
    lab.insert_many("messages", [{**about, "imageId": file} for file in shown_files])
    left = {lab.upload(url, PNG, "image/png") for _ in range(40)}
    lab.advance(days=3)
    orphans = ids(lab) & left
    if orphans:
        still(lab, len(orphans))
    if len(ids(lab)) != len(shown_files):
        lab.fail(
            "L11.3",
            seen=f"{len(shown_files) - len(ids(lab))} images that messages show were deleted.",
            fix="ask is_shown of each file before it is deleted",
            more="L11",
        )
