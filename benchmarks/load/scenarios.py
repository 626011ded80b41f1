"""The scenarios: what is done to a server, and what is counted and timed.

Each takes the server's address and its sizes, and returns plain numbers.
"""

import asyncio
import json
import random
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks.load.client import Client, Countdown
from benchmarks.load.dialects import DIALECTS, Refused

WARM_UP = 10  # commits that are not counted


@dataclass(frozen=True)
class Target:
    """A running server, as the load generator sees it."""

    dialect: str
    address: str
    stats_url: str

    async def client(self) -> Client:
        """Connect one client."""
        return await Client.open(self.address, DIALECTS[self.dialect]())

    async def clients(self, count: int) -> list[Client]:
        """Connect many clients, a few at a time."""
        opened: list[Client] = []
        while len(opened) < count:
            few = min(50, count - len(opened))
            opened += await asyncio.gather(*(self.client() for _ in range(few)))
        return opened

    def stats(self) -> dict[str, float]:
        """Read the server's counters and the CPU seconds it has used."""
        with urllib.request.urlopen(self.stats_url, timeout=30) as answer:
            stats: dict[str, float] = json.load(answer)
        return stats


Numbers = dict[str, float]


async def push(target: Target, board: str, tasks: int, commits: int) -> Numbers:
    """One writer, one subscriber: the time from a write to the pushed state."""
    writer, reader = await target.clients(2)
    await writer.write("seed", board=board, count=tasks)
    await reader.subscribe([(board, tasks)])
    times = []
    for number in range(commits + WARM_UP):
        times.append(await pushed(writer, [reader], board, f"write {number}."))
    return percentiles(times[WARM_UP:])


async def pushed(writer: Client, readers: list[Client], board: str, title: str) -> float:
    """Write once; return the seconds until the last reader has the state with it."""
    arrived = Countdown(len(readers))
    for reader in readers:
        reader.watch(title.encode(), arrived)
    started = perf_counter()
    await writer.write("create", board=board, title=title)
    return await arrived.ended - started


async def fan_out(
    target: Target, board: str, tasks: int, subscribers: int, commits: int
) -> Numbers:
    """Many subscribers to one query: the server's work for each commit and each state."""
    writer = await target.client()
    await writer.write("seed", board=board, count=tasks)
    readers = await target.clients(subscribers)
    for reader in readers:
        await reader.subscribe([(board, tasks)])
    for number in range(WARM_UP):
        await pushed(writer, readers, board, f"warm {number}.")
    before = target.stats()
    for number in range(commits):
        await pushed(writer, readers, board, f"write {number}.")
    after = target.stats()
    return {
        "executions": (after["executions"] - before["executions"]) / commits,
        "encodings": (after["encodings"] - before["encodings"]) / commits,
        "cpu_us": (after["cpu_s"] - before["cpu_s"]) * 1e6 / (commits * subscribers),
    }


async def keys(
    target: Target, board: str, subscriptions: int, connections: int, commits: int
) -> Numbers:
    """Many subscriptions on distinct keys: set-up, and a commit that touches one key."""
    writer = await target.client()
    for first in range(0, subscriptions, 1000):
        end = min(first + 1000, subscriptions)
        await writer.write("seedBoards", prefix=board, first=first, end=end)
    readers = await target.clients(connections)
    started = perf_counter()
    await asyncio.gather(
        *(
            follow_in_steps(
                reader, [f"{board}{key}" for key in range(n, subscriptions, len(readers))]
            )
            for n, reader in enumerate(readers)
        )
    )
    set_up = perf_counter() - started
    choice = random.Random(commits)
    times: list[float] = []
    before = target.stats()
    for number in range(commits + WARM_UP):
        key = choice.randrange(subscriptions)
        if number == WARM_UP:
            before = target.stats()
        reader = readers[key % len(readers)]
        times.append(await pushed(writer, [reader], f"{board}{key}", f"write {number}."))
    after = target.stats()
    return percentiles(times[WARM_UP:]) | {
        "executions": (after["executions"] - before["executions"]) / commits,
        "set_up_us": set_up * 1e6 / subscriptions,
    }


async def follow_in_steps(reader: Client, boards: list[str]) -> None:
    """Subscribe to boards, ten in a message."""
    for first in range(0, len(boards), 10):
        await reader.subscribe([(board, 10) for board in boards[first : first + 10]])


async def creates(target: Target, board: str, clients: int, writes: int) -> Numbers:
    """Many clients that each create tasks, one after another."""

    async def one(client: Client) -> None:
        for number in range(writes):
            await client.write("create", board=board, title=f"write {number}.")

    return {"rate": await rate(target, clients, writes, one)}


async def increments(target: Target, board: str, clients: int, writes: int) -> Numbers:
    """Many clients that increment one counter; every increment must be there in the end."""

    refused = 0

    async def one(client: Client) -> None:
        nonlocal refused
        for _ in range(writes):
            try:
                await client.write("increment", name=board)
            except Refused:
                refused += 1

    judge = await target.client()
    before = await judge.write("increment", name=board)
    per_second = await rate(target, clients, writes, one)
    after = await judge.write("increment", name=board)
    acknowledged = clients * writes - refused
    return {
        "rate": per_second,
        "refused": refused,
        "lost": acknowledged - (after - before - 1),
    }


async def rate(
    target: Target, clients: int, writes: int, one: Callable[[Client], Coroutine[Any, Any, None]]
) -> float:
    """Run all clients at once; return writes per second."""
    opened = await target.clients(clients)
    started = perf_counter()
    await asyncio.gather(*(one(client) for client in opened))
    return clients * writes / (perf_counter() - started)


def percentiles(seconds: list[float]) -> Numbers:
    """Return the median and the 99th percentile, in microseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {"p50_us": cuts[49] * 1e6, "p99_us": cuts[98] * 1e6}


SCENARIOS: dict[str, Callable[..., Coroutine[Any, Any, Numbers]]] = {
    "push": push,
    "fan_out": fan_out,
    "keys": keys,
    "creates": creates,
    "increments": increments,
}
