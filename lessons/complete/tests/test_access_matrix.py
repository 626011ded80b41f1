"""Who may call what: one row for every public function, and a function without a row fails.

Each row is tried by a visitor who has not signed in, a stranger (eve), somebody who was taken out
of the project (dan), and then by a member (cleo), an admin (ben) and the owner (ana).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from headwater.errors import AppError
from headwater.testing import Backend, FunctionFailed

from tests.people import Team
from tests.scene import Scene

ALLOWED = "allowed"
UNAUTHENTICATED = "UNAUTHENTICATED"
NOT_FOUND = "NOT_FOUND"
FORBIDDEN = "FORBIDDEN"
RANKS = ("member", "admin", "owner")
CALLERS = ("anonymous", "stranger", "ex_member", *RANKS)
EVERYONE = dict.fromkeys(CALLERS, ALLOWED)

Arguments = Callable[[Scene], dict[str, Any]]


@dataclass(frozen=True)
class Gives:
    """The call is not refused, and this is all that it gives."""

    value: Any


@dataclass(frozen=True)
class Row:
    """The arguments of a call, under wire names, and what comes of it for each caller."""

    arguments: Arguments
    outcomes: Mapping[str, str | Gives]


def no_arguments(_: Scene) -> dict[str, Any]:
    """For functions that take none."""
    return {}


def in_project(arguments: Arguments, least: str = "member", instead: Gives | None = None) -> Row:
    """For members with at least a role. Others are told that there is no such thing, or get
    something `instead` that says as little.
    """
    outcomes: dict[str, str | Gives] = dict.fromkeys(
        ("stranger", "ex_member"), instead or NOT_FOUND
    )
    outcomes["anonymous"] = instead or UNAUTHENTICATED
    for rank in RANKS:
        outcomes[rank] = ALLOWED if RANKS.index(rank) >= RANKS.index(least) else FORBIDDEN
    return Row(arguments, outcomes)


def cleos(arguments: Arguments, refusal: str = NOT_FOUND) -> Row:
    """For cleo alone, whose thing it is: nobody's role in a project matters."""
    others = dict.fromkeys(CALLERS, refusal)
    return Row(arguments, others | {"anonymous": UNAUTHENTICATED, "member": ALLOWED})


def anas(arguments: Arguments) -> Row:
    """For ana alone, who said it: other members see it, and may not change it."""
    outcomes = dict(in_project(arguments).outcomes)
    return Row(arguments, outcomes | {"member": FORBIDDEN, "admin": FORBIDDEN})


def mine(nothing: Any, arguments: Arguments = no_arguments) -> Row:
    """For everyone, about themselves: nothing to who has nothing, and no refusal on a page that
    asks before somebody has signed in.
    """
    others = dict.fromkeys(("anonymous", "stranger", "ex_member"), Gives(nothing))
    return Row(arguments, {**EVERYONE, **others})


def signed_in(arguments: Arguments = no_arguments) -> Row:
    """For everyone who has signed in."""
    return Row(arguments, EVERYONE | {"anonymous": UNAUTHENTICATED})


def of(**ids: str) -> Arguments:
    """Arguments by wire name, each a thing of the scene: `of(projectId="project")`."""
    return lambda scene: {name: scene.ids[thing] for name, thing in ids.items()}


def also(arguments: Arguments, **values: Any) -> Arguments:
    """Arguments with further values."""
    return lambda scene: arguments(scene) | values


def lobby(**values: Any) -> Arguments:
    """Arguments for the room that everyone who is signed in may be in."""
    return lambda _: {"roomId": "general", **values}


PAGE = {"numItems": 10, "cursor": None}
PROVIDER = {"provider": "anthropic"}
ROOM = of(roomId="room")

ROWS = {
    "users:storeUser": signed_in(),
    "users:getMe": Row(no_arguments, EVERYONE | {"anonymous": Gives(None)}),
    "projects:getProjects": mine([]),
    "projects:getProject": in_project(of(projectId="project"), instead=Gives(None)),
    "projects:createProject": signed_in(lambda _: {"name": "Boat"}),
    "projects:renameProject": in_project(also(of(projectId="project"), name="Boat"), "admin"),
    "projects:deleteProject": in_project(of(projectId="project"), "owner"),
    "projects:restoreProject": in_project(of(projectId="deleted project"), "owner"),
    "members:getMembers": in_project(of(projectId="project")),
    "members:inviteMember": in_project(of(projectId="project", userId="ben"), "admin"),
    "members:setRole": in_project(also(of(memberId="cleo's membership"), role="admin"), "owner"),
    "members:removeMember": in_project(of(memberId="finn's membership"), "admin"),
    "invitations:invite": in_project(also(of(projectId="project"), role="member"), "admin"),
    "invitations:acceptInvitation": Row(
        lambda _: {"code": "guessed"},
        dict.fromkeys(CALLERS, NOT_FOUND) | {"anonymous": UNAUTHENTICATED},
    ),
    "invitations:getInvitations": in_project(of(projectId="project"), "admin"),
    "invitations:revokeInvitation": in_project(of(invitationId="invitation"), "admin"),
    "tasks:getTasks": mine([]),
    "tasks:getTasksByAssignee": mine([], lambda _: {"assignee": "ana"}),
    "tasks:listOpen": in_project(of(projectId="project")),
    "tasks:listTasks": in_project(also(of(projectId="project"), paginationOpts=PAGE)),
    "tasks:countTasks": in_project(of(projectId="project")),
    "tasks:createTask": in_project(also(of(projectId="project"), title="Dig")),
    "tasks:toggleTask": in_project(of(taskId="task")),
    "tasks:updateTask": in_project(also(of(taskId="task"), title="Dig")),
    "tasks:moveTask": in_project(of(taskId="task", projectId="project")),
    "tasks:assignTask": in_project(of(taskId="task", userId="ben")),
    "tasks:deleteTask": in_project(of(taskId="task")),
    "tasks:restoreTask": in_project(of(taskId="deleted task")),
    "tasks:remindMe": in_project(lambda scene: {"taskId": scene.ids["task"], "at": scene.soon}),
    "rooms:getRooms": in_project(of(projectId="project")),
    "rooms:createRoom": in_project(also(of(projectId="project"), name="Shed")),
    "messages:listMessages": Row(lobby(), EVERYONE | {"anonymous": Gives([])}),
    "messages:recentMessages": signed_in(lobby(since=0.0)),
    "messages:pageMessages": signed_in(lobby(paginationOpts=PAGE)),
    "messages:searchMessages": signed_in(lobby(words="hello")),
    "messages:sendMessage": signed_in(lobby(content="Hello")),
    "messages:deleteMessage": in_project(of(messageId="message"), "admin"),
    "attachments:generateImageUrl": signed_in(),
    "attachments:attachImage": anas(of(messageId="message", imageId="image")),
    "attachments:getImage": in_project(of(messageId="message")),
    "presence:heartbeat": signed_in(lobby()),
    "presence:getPresent": signed_in(lobby()),
    "presence:leave": signed_in(lobby()),
    "logos:generateLogoUrl": in_project(of(projectId="project"), "admin"),
    "logos:setLogo": in_project(of(projectId="project", storageId="picture"), "admin"),
    "ai:getConversations": mine([]),
    "ai:startConversation": signed_in(),
    "ai:getAiMessages": cleos(of(conversationId="cleo's conversation")),
    "ai:ask": cleos(also(of(conversationId="cleo's conversation"), prompt="Why?")),
    "api_keys:getApiKeys": mine([]),
    "api_keys:createApiKey": signed_in(lambda _: {"name": "laptop"}),
    "api_keys:revokeApiKey": cleos(of(keyId="cleo's key")),
    "provider_keys:getProviderKeys": mine([]),
    "provider_keys:setProviderKey": signed_in(lambda _: {**PROVIDER, "key": "sk-ant-" + "0" * 20}),
    "provider_keys:deleteProviderKey": signed_in(lambda _: PROVIDER),
    "notifications:getNotifications": mine([]),
    "notifications:markRead": cleos(of(notificationId="cleo's notification")),
    "notifications:markAllRead": signed_in(),
    "polls:startPoll": signed_in(lambda _: {"question": "Tea?", "choices": ["Yes", "No"]}),
    "polls:vote": signed_in(also(of(pollId="cleo's poll"), choice="Yes")),
    "polls:results": signed_in(of(pollId="cleo's poll")),
    "polls:closePoll": cleos(of(pollId="cleo's poll"), FORBIDDEN),
    "polls:shareKey": cleos(of(pollId="cleo's poll"), FORBIDDEN),
}

OWN_TASKS = {
    "tasks:toggleTask": cleos(of(taskId="cleo's own task"), FORBIDDEN),
    "tasks:updateTask": cleos(also(of(taskId="cleo's own task"), title="Dig"), FORBIDDEN),
    "tasks:moveTask": cleos(of(taskId="cleo's own task", projectId="project"), FORBIDDEN),
    "tasks:deleteTask": cleos(of(taskId="cleo's own task"), FORBIDDEN),
    "tasks:remindMe": cleos(
        lambda scene: {"taskId": scene.ids["cleo's own task"], "at": scene.soon}, FORBIDDEN
    ),
}

ROOM_OF_THE_PROJECT = {
    "messages:listMessages": Row(ROOM, dict(in_project(ROOM).outcomes) | {"anonymous": Gives([])}),
    "messages:recentMessages": in_project(also(ROOM, since=0.0)),
    "messages:pageMessages": in_project(also(ROOM, paginationOpts=PAGE)),
    "messages:searchMessages": in_project(also(ROOM, words="hello")),
    "messages:sendMessage": in_project(also(ROOM, content="Hello")),
    "presence:heartbeat": in_project(ROOM),
    "presence:getPresent": in_project(ROOM),
}

LAST = (  # what takes away what others need
    "messages:deleteMessage",
    "tasks:deleteTask",
    "projects:deleteProject",
    "polls:closePoll",
)


@pytest.fixture
def scene(team: Team) -> Scene:
    """Everything that the rows name."""
    return Scene(team)


def test_every_public_function_has_a_row(backend: Backend) -> None:
    """Who writes a new function says here who may call it. A module of your own joins with the
    first of its functions that has a row.
    """
    public = {each.path for each in backend.manifest.functions.values() if each.is_public}
    modules = {path.partition(":")[0] for path in ROWS}
    assert {path for path in public if path.partition(":")[0] in modules} == ROWS.keys()


def test_each_function_is_for_those_its_row_says(scene: Scene) -> None:
    """First all who are to be refused try everything; they change nothing, for after them each
    call succeeds for the least of those who may.
    """
    every = [*ROWS.items(), *OWN_TASKS.items(), *ROOM_OF_THE_PROJECT.items()]
    every.sort(key=lambda each: each[0] in LAST and LAST.index(each[0]) + 1)
    wrong = [found for path, row in every for found in refusals_missed(scene, path, row)]
    wrong += [found for path, row in every for found in calls_missed(scene, path, row)]
    assert wrong == []


def refusals_missed(scene: Scene, path: str, row: Row) -> list[str]:
    """Who gets something else than their row says, of those who may not."""
    found = {
        who: outcome(scene, who, path, row.arguments(scene))
        for who in CALLERS
        if row.outcomes[who] != ALLOWED
    }
    return [f"{path} by {who}: {got}" for who, got in found.items() if got != row.outcomes[who]]


def calls_missed(scene: Scene, path: str, row: Row) -> list[str]:
    """The least of those who may call, if they could not."""
    allowed = [who for who in CALLERS if row.outcomes[who] == ALLOWED]
    found = [(who, outcome(scene, who, path, row.arguments(scene))) for who in allowed[:1]]
    return [f"{path} by {who}: {got}" for who, got in found if not isinstance(got, Gives)]


def outcome(scene: Scene, who: str, path: str, arguments: dict[str, Any]) -> str | Gives:
    """What comes of a call."""
    kind = scene.backend.manifest.functions[path].kind
    try:
        return Gives(getattr(scene.callers[who], kind)(path, arguments))
    except AppError as error:
        return str(error.data["code"])
    except FunctionFailed as failed:
        assert "Not signed in" in str(failed)
        return UNAUTHENTICATED
