"""Handlers that never end, each in its own way. The server must outlive them all."""

import asyncio
import contextlib
import os
import re
import signal
import time

from headwater import ActionCtx, MutationCtx, QueryCtx, action, mutation, query


@mutation
async def spin(ctx: MutationCtx) -> None:
    """The plain endless loop."""
    while True:
        pass


@query
async def spin_query(ctx: QueryCtx) -> None:
    """The same in a query."""
    while True:
        pass


@mutation
async def spin_guarded(ctx: MutationCtx) -> None:
    """An endless loop that catches what would stop it."""
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


@mutation
async def snooze(ctx: MutationCtx) -> None:
    """Sleeps in C code."""
    time.sleep(60)


@mutation
async def bad_regex(ctx: MutationCtx) -> bool:
    """A pattern that backtracks for longer than anybody lives."""
    return re.match(r"(a+)+$", "a" * 60 + "b") is not None


@mutation
async def foreign_await(ctx: MutationCtx) -> None:
    """Awaits what is not ctx."""
    await asyncio.sleep(1)


@mutation
async def swallowed_await(ctx: MutationCtx) -> str:
    """Awaits what is not ctx, and hides the error."""
    with contextlib.suppress(BaseException):
        await asyncio.sleep(1)
    return "as if nothing had been"


def shelter() -> None:
    """Work that ends normally, whatever is raised in it."""
    try:
        sum(range(1000))
    except:  # noqa: E722
        shelter()
    finally:
        sum(range(1000))


def forever() -> None:
    """Goes on whatever is raised: each way out leads back in."""
    while True:
        try:
            try:
                shelter()
            except:  # noqa: E722
                shelter()
            finally:
                shelter()
        except:  # noqa: E722
            shelter()
        finally:
            continue  # noqa: B012


@mutation
async def sheltered(ctx: MutationCtx) -> None:
    """Shelters within shelters: one exception alone never gets out."""
    forever()


@mutation
async def count_in_c(ctx: MutationCtx) -> int:
    """One call into C that looks at no signal for minutes."""
    return sum(range(10**11))


@query
async def count_in_c_query(ctx: QueryCtx) -> int:
    """The same in a query."""
    return sum(range(10**11))


@mutation
async def disarm(ctx: MutationCtx) -> None:
    """Takes the timer away that would stop it."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        pass


@action
async def sleepy_action(ctx: ActionCtx) -> None:
    """Blocks its event loop, as people do who forget `asyncio.sleep`."""
    time.sleep(1)


@action
async def count_in_c_action(ctx: ActionCtx) -> int:
    """One call into C that holds the whole interpreter."""
    return sum(range(10**11))


@action
async def patient_action(ctx: ActionCtx) -> str:
    """Waits as an action may."""
    await asyncio.sleep(0.2)
    return "waited"


@mutation
async def end_process(ctx: MutationCtx, code: int) -> None:
    """Ends the process it runs in, and says that all is well."""
    os._exit(code)
