"""Another world: a process whose clock, chance and sets are other ones."""

from __future__ import annotations

import json
import subprocess
import sys
from time import time
from typing import Any

from headwater.worlds import World

MONTH_S = 30 * 86_400.0
PROGRAM = """
import json, sys
from headwater import worlds
worlds.enter(json.loads(sys.argv[1]))
import datetime, random, time
from datetime import UTC, date, datetime as moment
made = moment(2020, 2, 29, tzinfo=UTC)
print(json.dumps({
    "now": [time.time(), time.time_ns() / 1e9,
            moment.now().timestamp(), moment.now(UTC).timestamp(),
            moment.today().timestamp(), moment.utcnow().replace(tzinfo=UTC).timestamp(),
            time.mktime(time.localtime())],
    "days": [str(date.today()), str(moment.now().date()), time.strftime("%Y-%m-%d")],
    "given": [time.strftime("%Y", time.gmtime(0)), time.ctime(0)[-4:], made.isoformat(),
              str(date.fromisoformat("2020-02-29") + datetime.timedelta(1))],
    "kinds": [isinstance(made, moment), isinstance(made, date), isinstance(3, date),
              issubclass(moment, date)],
    "chance": random.random(),
    "order": list({"red", "green", "blue", "white", "black"}),
}))
"""


def told(world: World) -> dict[str, Any]:
    """What a process in this world says of it."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(world.to_json())]
    done = subprocess.run(
        command, env=world.environment, capture_output=True, check=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_world_has_its_own_time_chance_and_order() -> None:
    """However a program asks for the time of now; times it names itself stay what they are."""
    here, there = told(World(0.0, 1, 1)), told(World(MONTH_S, 2, 2))
    for world, shift_s in ((here, 0.0), (there, MONTH_S)):
        assert all(abs(now - time() - shift_s) < 60 for now in world["now"]), world
        assert len(set(world["days"])) == 1
        assert world["given"] == ["1970", "1970", "2020-02-29T00:00:00+00:00", "2020-03-01"]
        assert world["kinds"] == [True, True, False, True]
    assert here["days"] != there["days"]
    assert here["chance"] != there["chance"]
    assert here["order"] != there["order"]
