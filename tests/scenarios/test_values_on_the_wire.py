"""Values of every kind go there and back unchanged, through every client and the database."""

import base64
import json
import math
import struct
from typing import Any

import pytest

from tests.scenarios.conftest import Clients, OpenRaw
from tests.scenarios.server_process import ServerProcess


def special(number: float) -> dict[str, str]:
    """A float that JSON cannot say."""
    return {"$float": base64.b64encode(struct.pack("<d", number)).decode()}


def integer(number: int) -> dict[str, str]:
    """An int64."""
    return {"$integer": base64.b64encode(struct.pack("<q", number)).decode()}


VALUES: dict[str, Any] = {
    "null": None,
    "booleans": [True, False],
    "floats": [0.5, -1e300, 5e-324, 0.1 + 0.2, 2.0**53],
    "integral floats": [0, 1, -3],
    "special floats": [special(math.nan), special(math.inf), special(-math.inf), special(-0.0)],
    "integers": [integer(0), integer(-1), integer(2**63 - 1), integer(-(2**63))],
    "bytes": [{"$bytes": ""}, {"$bytes": base64.b64encode(bytes(range(256))).decode()}],
    "text": ["", 'tab\tquote"back\\', "Grüße", "日本語", "👩‍👩‍👧", "\u2028\u0000\x7f"],
    "nested": {"a": [{"b": [[], {}, [{}]]}], "with space": {"_underscore": 1}},
}

# Beside each value: what Python gets.
KINDS = [
    (1, "float"),
    (special(-0.0), "float"),
    (integer(7), "Int64"),
    ({"$bytes": ""}, "bytes"),
    (None, "NoneType"),
    ([], "list"),
    ({}, "dict"),
]

TYPED = {
    "number": 2,
    "whole": 3,
    "bigNumber": integer(2**60),
    "raw": {"$bytes": "AAH/"},
    "text": "ü",
    "flag": True,
    "nothing": None,
    "many": [1, special(math.nan)],
}


@pytest.mark.parametrize("client", ["browser", "react", "http", "python"])
@pytest.mark.parametrize("kind", ["query", "mutation", "action"])
def test_every_value_goes_there_and_back(
    client: str, kind: str, clients: Clients, name: str
) -> None:
    """What a client sends is what it gets back, each kind of value, each kind of function."""
    user = clients(client)
    if kind == "mutation":
        user.call("mutation", "values:keep", name=name, value=VALUES)
        assert user.call("query", "values:kept", name=name) == VALUES
    else:
        path = "values:echo" if kind == "query" else "values:echoAction"
        assert user.call(kind, path, value=VALUES) == VALUES


@pytest.mark.parametrize(("value", "expected"), KINDS)
def test_python_gets_the_documented_type(value: Any, expected: str, server: ServerProcess) -> None:
    """Unchecked numbers arrive as float, $integer as Int64, $bytes as bytes."""
    assert server.call("query", "values:kind", value=value) == expected


def test_typed_fields_take_integral_floats_as_int(server: ServerProcess) -> None:
    """A field typed int gets an int from a client's float, and goes out as a float again."""
    assert server.call("query", "values:typed", value=TYPED) == TYPED


@pytest.mark.parametrize("client", ["browser", "python"])
def test_stored_value_is_pushed_unchanged(client: str, clients: Clients, name: str) -> None:
    """A subscription shows a stored value as it was written, NaN and -0 included."""
    user = clients(client)
    feed = user.subscribe("values:kept", name=name)
    feed.equals(None)
    user.call("mutation", "values:keep", name=name, value=VALUES)
    feed.equals(VALUES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"$float": base64.b64encode(struct.pack("<d", 1.0)).decode()},
        {"$integer": "AAAA"},
        {"$bytes": "not base64!"},
        {"$set": []},
        {"$unknown": 1},
        {"käse": 1},
        "\ud800",
    ],
    ids=json.dumps,
)
def test_malformed_value_is_refused(wrong: Any, server: ServerProcess, open_raw: OpenRaw) -> None:
    """A value that breaks the encoding gets an error over HTTP and on the socket alike."""
    body = {"path": "values:echo", "args": {"value": wrong}, "format": "convex_encoded_json"}
    status, text = server.post("/api/query", body)
    assert status == 400 or json.loads(text)["status"] == "error", text
    client = open_raw(server)
    client.request("Action", 0, "values:echoAction", value=wrong)
    answer = client.next()
    assert answer["type"] == "FatalError" or not answer["success"], answer


def test_json_format_is_clean(server: ServerProcess) -> None:
    """format json: int64 and bytes as text, special floats by name."""
    value = [integer(5), {"$bytes": "AAH/"}, special(math.nan), special(math.inf), 2]
    status, text = server.post("/api/query", {"path": "values:echo", "args": {"value": value}})
    assert (status, json.loads(text)["status"]) == (200, "success"), text
    assert json.loads(text)["value"] == ["5", "AAH/", "NaN", "Infinity", 2]
