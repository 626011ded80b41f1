"""HW201, HW202, HW204: clocks, chance and timers, in queries, mutations and their helpers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.offences import Offence
from headwater.check.outside import handed_over
from headwater.check.outside_calls import is_outside
from headwater.check.project import FunctionInfo


def _dotted(table: dict[str, str]) -> frozenset[str]:
    return frozenset(
        f"{module}.{name}" for module, names in table.items() for name in names.split()
    )


CLOCKS = _dotted(
    {
        "datetime.datetime": "now utcnow today",
        "datetime.date": "today",
        "time": "time time_ns",
        "pendulum": "now today",
        "arrow": "now utcnow",
        "django.utils.timezone": "now",
    }
)
_CLOCKS_WITHOUT_ARGUMENT = _dotted({"time": "localtime gmtime ctime"})
_STOPWATCHES = _dotted(
    {"time": "monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"}
)
CHANCE = _dotted(
    {
        "random": "random randint randrange uniform choice choices sample shuffle gauss "
        "betavariate expovariate normalvariate triangular getrandbits randbytes seed SystemRandom",
        "secrets": "token_hex token_bytes token_urlsafe choice randbelow randbits SystemRandom",
        "uuid": "uuid1 uuid4 uuid6 uuid7",
        "os": "urandom getrandom",
        "numpy.random": "rand randn random randint choice shuffle permutation",
        "nanoid": "generate",
        "shortuuid": "uuid",
        "ulid": "ULID new",
    }
)
_WAITS = {
    "time.sleep": "waits for time to pass",
    "asyncio.sleep": "waits for time to pass",
    "asyncio.wait_for": "sets a timer",
    "asyncio.timeout": "sets a timer",
    "asyncio.timeout_at": "sets a timer",
    "asyncio.as_completed": "takes results in the order they come",
    "anyio.sleep": "waits for time to pass",
    "trio.sleep": "waits for time to pass",
}
_STARTS = {
    "threading.Thread": "a thread",
    "threading.Timer": "a timer",
    "multiprocessing.Process": "a process",
    "concurrent.futures.ThreadPoolExecutor": "threads",
    "concurrent.futures.ProcessPoolExecutor": "processes",
    "fastapi.BackgroundTasks().add_task": "a background task",
    "starlette.background.BackgroundTask": "a background task",
    "asyncio.to_thread": "a thread",
    "asyncio.run_coroutine_threadsafe": "a task",
}
_TASKS = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
_LOOPS = ("asyncio.get_event_loop()", "asyncio.get_running_loop()")
_LOOP_METHODS = {
    "call_later": "sets a timer",
    "call_at": "sets a timer",
    "run_in_executor": "starts a thread",
}

_CLOCK_WHY = {
    "query": "a query is not run again when time passes, so its answer would grow old",
    "mutation": "a mutation may be run again and must then do the same",
}
_CLOCK_FIX = {
    "query": "take the time as an argument, or store a flag that a scheduled mutation sets",
    "mutation": "use ctx.now: ms since 1970, frozen for the call. As a date:\n"
    "datetime.fromtimestamp(ctx.now / 1000, UTC)",
}
_CHANCE_WHY = {
    "query": "a query gives the same result for the same data, to every client",
    "mutation": "a mutation may be run again and must then do the same",
}
_CHANCE_FIX = {
    "query": "make the value in a mutation by ctx.random and store it; the query reads it",
    "mutation": "use ctx.random, which is seeded for the call; secrets are made in an action:\n"
    "token = secrets.token_urlsafe(), then await ctx.run_mutation(save, ...)",
}
_TIMER_FIX = {
    "query": "a query only reads; what has to happen later is scheduled by a mutation",
    "mutation": "let the runtime call an @internal_mutation or @internal_action later:\n"
    "await ctx.scheduler.run_after(60_000, send, ...)  # ms; only if this one commits",
}


def ambient_offences(facts: Facts, function: FunctionInfo) -> Iterator[Offence]:
    """Each call that asks a clock, draws chance, waits or starts something."""
    for call in function.scope.calls:
        origin = facts.origin(call.func, function)
        if origin:
            yield from _clock(call, origin)
            yield from _chance(call, origin)
        yield from _timer(facts, function, call, origin)
    yield from _dropped_tasks(facts, function)


def asks_clock(call: ast.Call, origin: str) -> bool:
    """True for a call that gives the time of day."""
    if origin == "time.strftime":
        return len(call.args) == 1
    bare = origin in _CLOCKS_WITHOUT_ARGUMENT and not call.args
    return origin in CLOCKS or bare


def draws_chance(call: ast.Call, origin: str) -> bool:
    """True for a call that gives another value each time; a generator with a seed does not."""
    unseeded = origin in ("random.Random", "numpy.random.default_rng") and not call.args
    return origin in CHANCE or (unseeded and not call.keywords)


def _clock(call: ast.Call, origin: str) -> Iterator[Offence]:
    if asks_clock(call, origin):
        yield Offence("HW201", call, f"calls {_short(origin)}", _CLOCK_WHY, _CLOCK_FIX)
    elif origin in _STOPWATCHES:
        what = f"calls {_short(origin)}"
        fix = dict.fromkeys(_CLOCK_FIX, "leave it out: the server's log says how long a call took")
        yield Offence("HW201", call, what, _CLOCK_WHY, fix, severity="warning")


def _chance(call: ast.Call, origin: str) -> Iterator[Offence]:
    if draws_chance(call, origin):
        yield Offence("HW202", call, f"calls {_short(origin)}", _CHANCE_WHY, _CHANCE_FIX)


def _timer(facts: Facts, function: FunctionInfo, call: ast.Call, origin: str) -> Iterator[Offence]:
    handed = handed_over(facts, function, call)
    if any(is_outside(facts.origin(reached, function)) for reached in handed):
        return  # HW203 tells it better
    if origin in _WAITS and not _waits_for_nothing(call, origin):
        yield Offence("HW204", call, f"{_short(origin)} {_WAITS[origin]}", {}, _TIMER_FIX)
    elif origin in _STARTS:
        yield Offence("HW204", call, f"starts {_STARTS[origin]}", {}, _TIMER_FIX)
    else:
        loop, _, method = origin.rpartition(".")
        if loop in _LOOPS and method in _LOOP_METHODS:
            yield Offence("HW204", call, f"{method}() {_LOOP_METHODS[method]}", {}, _TIMER_FIX)


def _waits_for_nothing(call: ast.Call, origin: str) -> bool:
    """`asyncio.sleep(0)` and `wait_for(x, None)` set no timer."""
    place = 1 if origin == "asyncio.wait_for" else 0
    given = call.args[place : place + 1] or [k.value for k in call.keywords if k.arg == "timeout"]
    only = given[0] if given else None
    return isinstance(only, ast.Constant) and not only.value


def _dropped_tasks(facts: Facts, function: FunctionInfo) -> Iterator[Offence]:
    """Tasks that nobody keeps, so that nobody can wait for them."""
    for call in function.scope.dropped:
        origin = facts.origin(call.func, function)
        loop, _, method = origin.rpartition(".")
        if origin in _TASKS or (loop in _LOOPS and method == "create_task"):
            yield Offence("HW204", call, "starts a task and leaves it running", {}, _TIMER_FIX)


def _short(origin: str) -> str:
    parts = origin.replace("()", "").split(".")
    return ".".join(parts[-2:]) + "()"
