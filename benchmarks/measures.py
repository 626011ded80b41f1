"""The six measures. Each runs Headwater and its baseline in turn, and yields figures.

A round is one run of each, one straight after the other; figures are medians over rounds of the
ratio within a round, since only neighbouring runs can be compared on a shared machine.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.checker import check_s, parse_s, write_large_backend
from benchmarks.figures import Figure, Target
from benchmarks.servers import HERE, ROOT, BenchmarkFailed, run_folder, serving
from benchmarks.watching import pytest_s, watched, write_trivial_test

CONVEX_TEST = HERE / "convex_test"
Numbers = dict[str, float]
Run = Callable[[int], Numbers]


@dataclass(frozen=True)
class Sizes:
    """How much is done; the defaults are what the table quotes."""

    rounds: int = 7
    tests: int = 200
    long_tests: int = 2000
    checked_files: int = 300
    push_commits: int = 300
    subscribers: int = 1000
    fan_out_commits: int = 30
    few_keys: int = 1000
    many_keys: int = 10_000
    connections: int = 100
    key_commits: int = 300
    clients: int = 50
    writes: int = 100
    toggles: int = 40


@dataclass(frozen=True)
class Bench:
    """Sizes, and what is told after each round."""

    sizes: Sizes
    after_round: Callable[[], None]

    def rounds(self, headwater: Run, baseline: Run) -> tuple[list[Numbers], list[Numbers]]:
        """Run both in turn; what each round gave."""
        ours, theirs = [], []
        for number in range(self.sizes.rounds):
            ours.append(headwater(number))
            theirs.append(baseline(number))
            self.after_round()
        return ours, theirs


def column(runs: list[Numbers], key: str) -> list[float]:
    """One number of every run."""
    return [run[key] for run in runs]


def unit_test(bench: Bench) -> list[Figure]:
    """A unit test - fresh in-memory backend, create, list, toggle, list - in a plain loop.

    As many tests as a project has; and once as many as none has in one process, without a target,
    because Node's compiler goes on making its loop faster for a thousand tests and more.
    """
    node = shutil.which("node")
    if node is None:
        raise BenchmarkFailed("the unit test loop needs node, for its baseline convex-test")
    if not (CONVEX_TEST / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=CONVEX_TEST, check=True)
    return [
        unit_test_loop(bench, node, bench.sizes.tests, Target(">=", 1.5)),
        unit_test_loop(bench, node, bench.sizes.long_tests, None),
    ]


def unit_test_loop(bench: Bench, node: str, tests: int, target: Target | None) -> Figure:
    """So many tests in one process of each."""
    ours, theirs = bench.rounds(
        lambda _: tests_per_second([sys.executable, "-m", "benchmarks.app.loop", str(tests)]),
        lambda _: tests_per_second([node, str(CONVEX_TEST / "loop.mjs"), str(tests)]),
    )
    name = f"unit test, {tests:,} in a loop"
    rates = column(ours, "rate"), column(theirs, "rate")
    return Figure("unit-test", name, "tests/s", target, *rates, "convex-test")


def tests_per_second(command: list[str]) -> Numbers:
    """Run a loop program, which prints how many tests took how long."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0:
        raise BenchmarkFailed(done.stderr)
    result = json.loads(done.stdout)
    return {"tests": result["tests"], "rate": result["tests"] / result["seconds"]}


def push(bench: Bench) -> list[Figure]:
    """One writer, one subscriber to 100 tasks, every write durable: write to push."""
    commits = bench.sizes.push_commits
    with serving("headwater") as headwater, serving("handwritten") as handwritten:
        ours, theirs = bench.rounds(
            lambda n: headwater.load("push", board=f"push {n}", tasks=100, commits=commits),
            lambda n: handwritten.load("push", board=f"push {n}", tasks=100, commits=commits),
        )
    return [
        Figure(
            "push",
            "write to push, one subscriber to 100 tasks, p50",
            "us",
            Target("<=", 2.0),
            column(ours, "p50_us"),
            column(theirs, "p50_us"),
            "hand-written",
        )
    ]


def fan_out(bench: Bench) -> list[Figure]:
    """Many subscribers to one query of 50 documents: work per commit and per delivered state."""
    sizes = bench.sizes
    subscribers, commits = sizes.subscribers, sizes.fan_out_commits
    with serving("headwater") as headwater, serving("handwritten") as handwritten:

        def run(server_load: Callable[..., Numbers]) -> Run:
            return lambda n: server_load(
                "fan_out", board=f"fan {n}", tasks=50, subscribers=subscribers, commits=commits
            )

        ours, theirs = bench.rounds(run(headwater.load), run(handwritten.load))
    name = f"{subscribers:,} subscribers to one query of 50 documents"
    return [
        count("fan-out", f"{name}: executions per commit", 1, column(ours, "executions")),
        count("fan-out", f"{name}: encodings per commit", 1, column(ours, "encodings")),
        Figure(
            "fan-out",
            f"{name}: server CPU per delivered state",
            "us",
            Target("<=", 1.25),
            column(ours, "cpu_us"),
            column(theirs, "cpu_us"),
            "hand-written",
        ),
    ]


def keys(bench: Bench) -> list[Figure]:
    """Many subscriptions on distinct keys against few: the baseline is Headwater itself."""
    sizes = bench.sizes
    few, many = sizes.few_keys, sizes.many_keys
    with serving("headwater") as headwater:

        def run(subscriptions: int) -> Run:
            return lambda n: headwater.load(
                "keys",
                board=f"{subscriptions} in round {n}, ",
                subscriptions=subscriptions,
                connections=sizes.connections,
                commits=sizes.key_commits,
            )

        ours, theirs = bench.rounds(run(many), run(few))
    name = f"{many:,} subscriptions on distinct keys"
    beside = f"with {few:,}"
    return [
        count("keys", f"{name}: queries run per commit", 1, column(ours, "executions")),
        Figure(
            "keys",
            f"{name}: write to push, p50",
            "us",
            Target("<=", 1.3),
            column(ours, "p50_us"),
            column(theirs, "p50_us"),
            beside,
        ),
        Figure(
            "keys",
            f"{name}: set-up per subscription",
            "us",
            Target("<=", 1.1),
            column(ours, "set_up_us"),
            column(theirs, "set_up_us"),
            beside,
        ),
    ]


def writers(bench: Bench) -> list[Figure]:
    """Many clients writing at once, every write durable: creating tasks, and one counter."""
    clients, writes = bench.sizes.clients, bench.sizes.writes
    with serving("headwater") as headwater, serving("handwritten") as handwritten:

        def run(server_load: Callable[..., Numbers], scenario: str) -> Run:
            return lambda n: server_load(
                scenario, board=f"{scenario} {n}", clients=clients, writes=writes
            )

        creates = bench.rounds(run(headwater.load, "creates"), run(handwritten.load, "creates"))
        increments = bench.rounds(
            run(headwater.load, "increments"), run(handwritten.load, "increments")
        )
    name = f"{clients} clients incrementing one counter"
    return [
        throughput(f"{clients} clients creating tasks", 0.7, *creates),
        throughput(name, 0.6, *increments),
        count("writers", f"{name}: lost updates", 0, column(increments[0], "lost")),
        count("writers", f"{name}: errors at a client", 0, column(increments[0], "refused")),
    ]


def windows(bench: Bench) -> list[Figure]:
    """Two windows of a browser: from a click in one to the frame in which each shows it."""
    from benchmarks.windows import both_sides  # a browser's driver, which no other measure needs

    toggles = bench.sizes.toggles
    with both_sides() as (react, plain):
        ours, theirs = bench.rounds(
            lambda _: react.toggles(toggles), lambda _: plain.toggles(toggles)
        )

    def shown(name: str, key: str) -> Figure:
        times = column(ours, key), column(theirs, key)
        return Figure("windows", f"{name}, p50", "ms", None, *times, "hand-written")

    return [
        shown("two windows: click in one to frame in the other", "other_ms"),
        shown("two windows: click to frame in its own, optimistic", "own_ms"),
    ]


def check(bench: Bench) -> list[Figure]:
    """`headwater check` on a large backend, against a process that only parses the same files."""
    files = bench.sizes.checked_files
    with run_folder() as root:
        write_large_backend(root, files)
        check_s(root)  # compiles the checker's own modules
        ours, theirs = bench.rounds(lambda _: {"s": check_s(root)}, lambda _: {"s": parse_s(root)})
    name = f"headwater check on {files} files, process included"
    times = column(ours, "s"), column(theirs, "s")
    return [Figure("check", name, "s", Target("<=", 4.0), *times, "parsing alone")]


def watch(bench: Bench) -> list[Figure]:
    """A verdict on the lesson in hand after a save, against one cold run of a trivial test."""
    return [_watched(bench, lesson) for lesson in ("1", "2")]


def _watched(bench: Bench, lesson: str) -> Figure:
    with run_folder() as root, watched(root / "project", lesson) as project:
        write_trivial_test(root / "plain")
        project.save_s()  # the second worker starts warm
        ours, theirs = bench.rounds(
            lambda _: {"s": project.save_s()}, lambda _: {"s": pytest_s(root / "plain")}
        )
    name = f"grade {lesson} --watch: save to verdict"
    times = column(ours, "s"), column(theirs, "s")
    return Figure("watch", name, "s", Target("<=", 0.6), *times, "pytest, one trivial test")


def throughput(name: str, bound: float, ours: list[Numbers], theirs: list[Numbers]) -> Figure:
    """Writes per second against the hand-written server."""
    rates = column(ours, "rate"), column(theirs, "rate")
    return Figure("writers", name, "writes/s", Target(">=", bound), *rates, "hand-written")


def count(measure: str, name: str, expected: float, counts: list[float]) -> Figure:
    """A count that has to be exact."""
    return Figure(measure, name, "", Target("=", expected), counts, [])


MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "unit-test": unit_test,
    "push": push,
    "fan-out": fan_out,
    "keys": keys,
    "writers": writers,
    "windows": windows,
    "check": check,
    "watch": watch,
}
LOOPS = {
    "unit-test": 2,
    "writers": 2,
    "watch": 2,
}  # measures that go through their rounds more than once
