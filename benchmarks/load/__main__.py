"""Run one scenario against one server: `python -m benchmarks.load '{"scenario": "push", ...}'`."""

import json
import os
import sys

import uvloop

from benchmarks.load.scenarios import SCENARIOS, Target


async def run(request: dict[str, object]) -> None:
    """Run the scenario that the request names and print its numbers as one line of JSON."""
    scenario = SCENARIOS[str(request.pop("scenario"))]
    target = Target(*(str(request.pop(name)) for name in ("dialect", "address", "stats_url")))
    numbers = await scenario(target, **request)
    print(json.dumps(numbers), flush=True)
    os._exit(0)  # a thousand open sockets need no goodbye


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.argv[1])))
