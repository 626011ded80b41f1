"""The sync protocol: text to typed messages and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater import Int64
from headwater.core import protocol
from headwater.core.protocol import (
    ActionRequest,
    AddQuery,
    Authenticate,
    Connect,
    Event,
    ModifyQuerySet,
    MutationRequest,
    RemoveQuery,
    TooLarge,
    Version,
    parse,
    too_large,
)
from headwater.errors import ProtocolError

SESSION = "0b2c5a52-2f2c-4a52-9a7e-000000000000"
CONNECT = {"type": "Connect", "sessionId": SESSION, "connectionCount": 0}
MUTATION = {"type": "Mutation", "requestId": 3, "udfPath": "tasks.js:add", "args": [{"n": 1}]}
ADD = {"type": "Add", "queryId": 0, "udfPath": "tasks:list", "args": [{}]}
MODIFY = {"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": [ADD]}


def parsed(message: Any, **changes: Any) -> Any:
    """A message with some members changed, parsed."""
    return parse(json.dumps({**message, **changes}))


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        (CONNECT, Connect(SESSION, 0)),
        ({**CONNECT, "maxObservedTimestamp": "AQAAAAAAAAA="}, Connect(SESSION, 1)),
        (MUTATION, MutationRequest(3, "tasks:add", {"n": 1.0})),
        ({**MUTATION, "type": "Action", "args": []}, ActionRequest(3, "tasks:add", {})),
        (MODIFY, ModifyQuerySet(0, 1, (AddQuery(0, "tasks:list", {}, None),))),
        (
            {**MODIFY, "modifications": [{"type": "Remove", "queryId": 0}]},
            ModifyQuerySet(0, 1, (RemoveQuery(0),)),
        ),
        (
            {"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": "t"},
            Authenticate(0, "User", "t", None),
        ),
        (
            {"type": "Authenticate", "baseVersion": 0, "tokenType": "None"},
            Authenticate(0, "None", "", None),
        ),
        ({"type": "Event", "eventType": "any", "event": {}}, Event()),
    ],
)
def test_messages_are_typed(message: dict[str, Any], typed: Any) -> None:
    """Every kind a client sends."""
    assert parse(json.dumps(message)) == typed


def test_arguments_are_decoded() -> None:
    """Int64 comes as `$integer`."""
    args = [{"n": {"$integer": "AQAAAAAAAAA="}}]
    found = parsed(MUTATION, args=args).arguments["n"]
    assert (type(found), found) == (Int64, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "a message is a JSON object, not list"),
        ('{"type": "Hello"}', "unknown message type 'Hello'; known: Connect"),
        ('{"type": 7}', "unknown message type '7'"),
    ],
)
def test_what_is_no_message_is_refused(text: str, message: str) -> None:
    """With what is wrong, and what would be known."""
    with pytest.raises(ProtocolError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("message", "changes", "wrong"),
    [
        (MUTATION, {"requestId": "3"}, "`requestId` must be int, not str"),
        (MUTATION, {"requestId": True}, "`requestId` must be int"),
        (MUTATION, {"requestId": -1}, "out of range"),
        (MUTATION, {"requestId": 2**53}, "out of range"),
        (MUTATION, {"udfPath": None}, "`udfPath` must be str"),
        (MUTATION, {"args": {}}, "`args` must be an array of one object"),
        (MUTATION, {"args": [1, 2]}, "`args` must be an array of one object"),
        (MUTATION, {"args": [{"$x": 1, "y": 2}]}, "Mutation: object key"),
        (MUTATION, {"componentPath": "c"}, "components are not supported"),
        (CONNECT, {"sessionId": "short"}, "sessionId must be a uuid"),
        (CONNECT, {"maxObservedTimestamp": "AQ=="}, "eight bytes in base64"),
        (CONNECT, {"maxObservedTimestamp": 7}, "eight bytes in base64"),
        (MODIFY, {"modifications": [{"type": "Change"}]}, '"Add" or "Remove", not \'Change\''),
        (MODIFY, {"modifications": [7]}, '"Add" or "Remove", not None'),
        (MODIFY, {"modifications": [{**ADD, "journal": 7}]}, "journal must be a string or null"),
    ],
)
def test_a_wrong_member_is_named(message: Any, changes: Any, wrong: str) -> None:
    """So that whoever writes a client finds it."""
    with pytest.raises(ProtocolError, match=wrong):
        parsed(message, **changes)


def test_a_token_type_is_known() -> None:
    """User, Admin or None."""
    with pytest.raises(ProtocolError, match="tokenType"):
        parse('{"type": "Authenticate", "baseVersion": 0, "tokenType": "Root", "value": ""}')


@pytest.mark.parametrize("ts", [0, 1, 1_700_000_000_000_000_000, 2**64 - 1])
def test_timestamps_go_there_and_back(ts: int) -> None:
    """As the base64 of eight bytes."""
    assert protocol.decode_ts(protocol.encode_ts(ts)) == ts


def test_a_transition_is_what_clients_expect() -> None:
    """Both versions, and modifications whose body all subscribers share."""
    body = protocol.result_body(b'{"n":1.0}', ["[LOG] 'hi'"], None)
    failed = protocol.failure_body("no", b'{"code":1.0}', [], "[]")
    end = Version(1, 0, 7)
    modifications = [
        protocol.query_updated(0, body),
        protocol.query_failed(1, failed),
        protocol.query_removed(2),
    ]
    message = json.loads(protocol.transition(Version(), end, modifications))
    assert message["endVersion"] == {"querySet": 1, "identity": 0, "ts": "BwAAAAAAAAA="}
    updated, broken, removed = message["modifications"]
    assert updated == {
        "type": "QueryUpdated",
        "queryId": 0,
        "value": {"n": 1.0},
        "logLines": ["[LOG] 'hi'"],
        "journal": None,
    }
    assert (broken["errorMessage"], broken["errorData"], broken["journal"]) == (
        "no",
        {"code": 1},
        "[]",
    )
    assert removed == {"type": "QueryRemoved", "queryId": 2}


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (protocol.mutation_response(3, b"1.0", 7, []), {"success": True, "result": 1.0}),
        (protocol.mutation_failed(3, "no", None, []), {"success": False, "ts": None}),
        (protocol.action_response(3, b"null", ["x"]), {"success": True, "logLines": ["x"]}),
        (protocol.action_failed(3, "no", b'"d"', []), {"result": "no", "errorData": "d"}),
        (protocol.auth_error("no", 2, True), {"error": "no", "baseVersion": 2}),
        (protocol.fatal_error("no"), {"type": "FatalError", "error": "no"}),
    ],
)
def test_answers_are_json(text: str, members: dict[str, Any]) -> None:
    """With the members clients look for; errorData is there only for an AppError."""
    message = json.loads(text)
    assert members.items() <= message.items()
    assert ("errorData" in message) == ("errorData" in members)


def test_a_large_transition_comes_in_chunks() -> None:
    """Cut between characters; joined they are the text."""
    text = "é" * 10
    parts = [json.loads(part) for part in protocol.chunks(text, "t", limit_bytes=3)]
    assert "".join(part["chunk"] for part in parts) == text
    assert [part["partNumber"] for part in parts] == list(range(10))
    assert {(part["totalParts"], part["transitionId"]) for part in parts} == {(10, "t")}


@pytest.mark.parametrize("journal", [None, "", "{", "7", "[1]", '{"a":1}'])
def test_a_journal_that_is_not_ours_counts_as_none(journal: str | None) -> None:
    """A client may send back anything."""
    assert protocol.decode_journal(journal) is None


def test_a_journal_goes_there_and_back() -> None:
    """None for a query that gave no page."""
    assert protocol.decode_journal(protocol.encode_journal(["a", "b"])) == ["a", "b"]
    assert protocol.encode_journal([]) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"type":"Mutation","requestId":7,"udfPath":"a:b","args":[{}]}', (7, False)),
        ('{"type": "Action", "requestId": 7, "udfPath": "a:b", "args": [{}]}', (7, True)),
        ('{"args":[{}],"type":"Action","requestId":3,"udfPath":"a:b"}', (3, True)),
        (
            '{"args":[],"componentPath":null,"requestId":3,"type":"Mutation","udfPath":""}',
            (3, False),
        ),
    ],
)
def test_a_request_too_large_to_be_read_has_its_number(text: str, found: tuple[int, bool]) -> None:
    """As each official client writes it."""
    number, is_action = found
    assert too_large(text) == too_large(text.encode()) == TooLarge(number, len(text), is_action)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ModifyQuerySet","baseVersion":0,"modifications":[]}',
        '{"type":"Mutation","requestId":"7","args":[]}',
        '{"args":[],"type":"Authenticate","requestId":7}',
        '{"args":[{"a":"],\\"type\\":\\"Mutation\\",\\"requestId\\":7}"}]}',
        "[" * 100,
        "",
    ],
)
def test_what_is_too_large_and_no_request_is_refused(text: str) -> None:
    """Whatever a text within it says."""
    with pytest.raises(ProtocolError, match="is too large; send less at once"):
        too_large(text)
