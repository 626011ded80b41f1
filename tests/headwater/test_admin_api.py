"""What only the holder of the admin key may ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.admin_api import ADMIN_ROUTES, LIST_VARIABLES, UPDATE_VARIABLES
from tests.headwater.projects import write_project
from tests.headwater.served import Served

PAINT = """
import headwater
from headwater import QueryCtx, query

class Settings(headwater.Settings):
    paint: str = "red"
    coats: int = 1

@query
async def colour(ctx: QueryCtx) -> str:
    return f"{ctx.env(Settings).paint} {ctx.env(Settings).coats}"
"""


@pytest.fixture
def painted(tmp_path: Path) -> Iterator[Served]:
    """A served project with settings."""
    write_project(tmp_path, paint=PAINT)
    made = Served(tmp_path)
    yield made
    made.environment.undo()
    made.close()


def update(served: Served, **variables: str | None) -> Any:
    """Changes variables as `headwater env` does."""
    changes = [{"name": name, "value": value} for name, value in variables.items()]
    return served.post(UPDATE_VARIABLES, {"changes": changes}, served.admin)


def colour(served: Served) -> Any:
    """What the backend reads."""
    return served.post("/api/query", {"path": "paint:colour", "args": {}})["value"]


@pytest.mark.parametrize("path", sorted(ADMIN_ROUTES))
def test_admin_routes_need_the_admin_key(served: Served, path: str) -> None:
    """Nobody gets in without it, a signed-in person neither, and no page of another origin."""
    method = "POST" if "update" in path else "GET"
    nobody = served.request(method, path)
    person = {"Authorization": f"Bearer {served.auth.token('ana')}"}
    assert (nobody.status_code, nobody.json()["code"]) == (403, "Forbidden")
    assert served.request(method, path, headers=person).status_code == 403
    wrong = {"Authorization": "Convex wrong-key", "Origin": "https://app.example"}
    refused = served.request(method, path, headers=wrong)
    assert refused.status_code == 401
    assert "access-control-allow-origin" not in refused.headers


def test_a_change_of_variables_loads_the_backend_anew(painted: Served) -> None:
    """And it is listed; null removes it."""
    assert colour(painted) == "red 1"
    assert update(painted, PAINT="blue", COATS="2") == {"reloaded": True}
    assert colour(painted) == "blue 2"
    listed = painted.request("GET", LIST_VARIABLES, headers={"Authorization": painted.admin})
    assert listed.json() == {"environmentVariables": {"COATS": "2", "PAINT": "blue"}}
    assert listed.headers["cache-control"] == "no-store"
    update(painted, PAINT=None)
    assert colour(painted) == "red 2"


def test_what_does_not_load_is_told_and_the_old_stays(painted: Served) -> None:
    """The variable is set all the same: the next one may mend it."""
    update(painted, COATS="2")
    told = update(painted, COATS="two")
    assert told["reloaded"] is False
    assert "headwater env set COATS VALUE" in told["problem"]
    assert colour(painted) == "red 2"
    assert update(painted, COATS="3") == {"reloaded": True}


@pytest.mark.parametrize(
    "body", [{}, [], {"changes": 1}, {"changes": [{"value": "x"}]}, {"changes": [{"name": 1}]}]
)
def test_a_body_of_another_shape_is_refused(served: Served, body: Any) -> None:
    """With the shape it must have."""
    refused = served.post(UPDATE_VARIABLES, body, served.admin)
    assert refused["code"] == "BadJsonBody"
    assert '{"changes": [' in refused["message"]


def test_a_variable_that_cannot_be_is_refused(served: Served) -> None:
    """With its own sentence."""
    refused = update(served, HEADWATER_X="1")
    assert refused["code"] == "EnvironmentVariableInvalid"
    assert "belongs to the server" in refused["message"]
