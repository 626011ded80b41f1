"""More unusual but right code, as people write it who know Python well: nothing is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import findings

UNUSUAL: dict[str, str | dict[str, str]] = {
    "dataclasses beside documents": """
        from dataclasses import dataclass, field

        @dataclass(frozen=True, slots=True)
        class Total:
            count: int = 0
            names: tuple[str, ...] = field(default_factory=tuple)

            def plus(self, task: Task) -> "Total":
                return Total(self.count + 1, (*self.names, task.title))

        @query
        async def total(ctx: QueryCtx, who: str) -> list[str]:
            result = Total()
            for task in await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(50):
                result = result.plus(task)
            return list(result.names)
    """,
    "generic helpers": """
        from collections.abc import Callable, Iterable
        from typing import TypeVar

        T = TypeVar("T")
        K = TypeVar("K")

        def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
            found: dict[K, list[T]] = {}
            for item in items:
                found.setdefault(key(item), []).append(item)
            return found

        @query
        async def by_title(ctx: QueryCtx, who: str) -> dict[str, list[Task]]:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(50)
            return grouped(tasks, lambda task: task.title)
    """,
    "async generators in actions": """
        from collections.abc import AsyncIterator
        import httpx

        async def lines(url: str) -> AsyncIterator[str]:
            async with httpx.AsyncClient() as client, client.stream("GET", url) as reply:
                async for line in reply.aiter_lines():
                    yield line

        @internal_mutation
        async def save(ctx: MutationCtx, texts: list[str]) -> None:
            for text in texts:
                await ctx.db.insert(Task(title=text, assignee="a"))

        @internal_action
        async def pull(ctx: ActionCtx, url: str) -> None:
            found = [line async for line in lines(url)]
            await ctx.run_mutation(save, texts=found)
    """,
    "bound methods of ctx": """
        import asyncio

        @query
        async def several(ctx: QueryCtx, ids: list[Id[Task]]) -> list[Task]:
            get = ctx.db.get
            found = await asyncio.gather(*map(get, ids))
            return [task for task in found if task]

        @mutation
        async def add(c: MutationCtx, titles: list[str]) -> None:
            db, insert = c.db, c.db.insert
            for title in titles:
                await insert(Task(title=title, assignee="a"))
            await db.insert(Task(title="last", assignee="a"))
    """,
    "partial and dispatch": """
        from functools import partial
        from collections.abc import Awaitable, Callable

        async def add(ctx: MutationCtx, title: str, assignee: str) -> None:
            await ctx.db.insert(Task(title=title, assignee=assignee))

        async def drop(ctx: MutationCtx, title: str, assignee: str) -> None:
            found = await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).first()
            if found:
                await ctx.db.delete(found.id)

        STEPS: dict[str, Callable[..., Awaitable[None]]] = {"add": add, "drop": drop}

        @mutation
        async def do(ctx: MutationCtx, step: str, title: str) -> None:
            act = partial(STEPS[step], ctx, title)
            await act(assignee="a")
    """,
    "a class that holds ctx": """
        class Board:
            def __init__(self, ctx: QueryCtx, who: str) -> None:
                self.ctx, self.who = ctx, who

            async def newest(self) -> Task | None:
                tasks = self.ctx.db.query(Task).with_index("by_assignee", assignee=self.who)
                return await tasks.order("desc").first()

            @property
            def title(self) -> str:
                return f"of {self.who}"

        @query
        async def newest(ctx: QueryCtx, who: str) -> Task | None:
            board = Board(ctx, who)
            print(board.title)
            return await board.newest()
    """,
    "conditional queries": """
        @query
        async def listed(ctx: QueryCtx, who: str | None, done: bool) -> list[Task]:
            q = ctx.db.query(Task)
            if who is not None:
                q = q.with_index("by_assignee", assignee=who)
            else:
                q = q.with_index("by_creation_time")
            if done:
                q = q.filter(lambda task: task.completed)
            return await q.order("desc").take(20)
    """,
    "index by keyword dict": """
        @query
        async def listed(ctx: QueryCtx, who: str) -> list[Task]:
            wanted = {"assignee": who}
            name = "by_assignee"
            return await ctx.db.query(Task).with_index(name, **wanted).take(20)
    """,
    "context managers": """
        from collections.abc import AsyncIterator, Iterator
        from contextlib import asynccontextmanager, contextmanager, suppress

        @contextmanager
        def noted(word: str) -> Iterator[None]:
            print("begin", word)
            yield
            print("end", word)

        @asynccontextmanager
        async def owned(ctx: MutationCtx, id: Id[Task]) -> AsyncIterator[Task | None]:
            yield await ctx.db.get(id)

        @mutation
        async def finish(ctx: MutationCtx, id: Id[Task]) -> None:
            with noted("finish"), suppress(KeyError):
                async with owned(ctx, id) as task:
                    if task is not None:
                        await ctx.db.patch(task.id, completed=True)
    """,
    "modules under other names": """
        import datetime as dt
        import random as r
        import time as t
        import os.path as p
        import uuid as u

        EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

        @mutation
        async def name(ctx: MutationCtx, at: float) -> str:
            day = EPOCH + dt.timedelta(milliseconds=ctx.now)
            rolled = r.Random(ctx.random.getrandbits(32)).random()
            made = u.UUID(int=ctx.random.getrandbits(128), version=4)
            year = t.strftime("%Y", t.gmtime(at))
            return p.join(year, str(day), str(rolled), str(made), p.basename("a/b"))
    """,
    "parameters that hide modules": """
        @query
        async def shown(ctx: QueryCtx, time: float, random: int, requests: list[str]) -> str:
            named = [request.title() for request in requests]
            return f"{time} {random} {requests.count('a')} {named}"
    """,
    "own functions by the names of others": """
        def open(path: str) -> str:
            return path

        def sleep(seconds: float) -> float:
            return seconds

        class requests:
            @staticmethod
            def get(url: str) -> str:
                return url

        @query
        async def shown(ctx: QueryCtx) -> str:
            return open("a") + str(sleep(3)) + requests.get("x")
    """,
    "match over documents": """
        @query
        async def word(ctx: QueryCtx, id: Id[Task]) -> str:
            match await ctx.db.get(id):
                case None:
                    return "gone"
                case Task(completed=True, title=title):
                    return f"done: {title}"
                case Task(priority="high" | "low" as priority):
                    return priority
                case Task() as task if task.assignee:
                    return task.assignee
                case _:
                    return "open"
    """,
    "exception groups": """
        import asyncio

        @mutation
        async def both(ctx: MutationCtx, one: Id[Task], two: Id[Task]) -> int:
            failed = 0
            try:
                async with asyncio.TaskGroup() as group:
                    for id in (one, two):
                        group.create_task(ctx.db.patch(id, completed=True))
            except* ValueError as group_error:
                failed = len(group_error.exceptions)
            return failed
    """,
    "walrus and loops with else": """
        @query
        async def search(ctx: QueryCtx, ids: list[Id[Task]]) -> str:
            if (first := await ctx.db.get(ids[0])) and (title := first.title):
                print(title)
            for id in ids:
                if (task := await ctx.db.get(id)) is not None and task.completed:
                    break
            else:
                return "none"
            while ids and (id := ids.pop()):
                print(id)
            return "one"
    """,
    "enums, NewType and constants": """
        from enum import StrEnum
        from typing import Final, NewType

        from headwater import Model

        class Kind(StrEnum):
            SMALL = "small"
            LARGE = "large"

        Points = NewType("Points", int)
        LIMITS: Final = {Kind.SMALL: 5, Kind.LARGE: 50}

        class Filter(Model):
            kind: Kind = Kind.SMALL
            who: str

        @query
        async def listed(ctx: QueryCtx, chosen: Filter) -> list[Task]:
            tasks = ctx.db.query(Task).with_index("by_assignee", assignee=chosen.who)
            return await tasks.take(LIMITS[chosen.kind])
    """,
    "decorators with ParamSpec": """
        import functools
        from collections.abc import Awaitable, Callable
        from typing import Concatenate, ParamSpec, TypeVar

        from headwater import AppError

        P = ParamSpec("P")
        R = TypeVar("R")

        def signed_in(
            function: Callable[Concatenate[MutationCtx, P], Awaitable[R]],
        ) -> Callable[Concatenate[MutationCtx, P], Awaitable[R]]:
            @functools.wraps(function)
            async def checked(ctx: MutationCtx, *args: P.args, **kwargs: P.kwargs) -> R:
                if await ctx.auth.get_user_identity() is None:
                    raise AppError("sign in")
                return await function(ctx, *args, **kwargs)
            return checked

        @mutation
        @signed_in
        async def add(ctx: MutationCtx, title: str) -> Id[Task]:
            return await ctx.db.insert(Task(title=title, assignee="a"))
    """,
    "memo of what is computed": """
        import functools
        import re

        PATTERN = re.compile("a+")

        @functools.lru_cache(maxsize=100)
        def fibonacci(n: int) -> int:
            return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

        @query
        async def number(ctx: QueryCtx, n: int) -> int:
            return fibonacci(n) + len(PATTERN.findall("banana"))
    """,
    "writes of a given list": """
        @mutation
        async def finish(ctx: MutationCtx, ids: list[Id[Task]], done: bool = True) -> int:
            changed = 0
            for id in ids[:100]:
                task = await ctx.db.get(id)
                if task and task.completed is not done:
                    await ctx.db.patch(id, {"completed": done})
                    changed += 1
            return changed
    """,
    "documents from dicts": """
        @mutation
        async def copy(ctx: MutationCtx, id: Id[Task]) -> Id[Task] | None:
            task = await ctx.db.get(id)
            if task is None:
                return None
            fields = {"title": task.title, "assignee": task.assignee}
            made = await ctx.db.insert(Task(**fields))
            await ctx.db.replace(made, Task(**{**fields, "title": "copy"}))
            return made
    """,
    "type aliases and quoted types": """
        from __future__ import annotations

        from typing import TYPE_CHECKING, Annotated, Optional, Union

        from pydantic import Field

        if TYPE_CHECKING:
            from collections.abc import Sequence

        Name = Annotated[str, Field(min_length=1)]
        Ids = list[Id[Task]]

        def longest(words: Sequence[str]) -> str:
            return max(words, key=len)

        @query
        async def shown(
            ctx: QueryCtx, names: list[Name], ids: Ids, more: Optional[int] = None,
            either: Union[int, str] = 0,
        ) -> str:
            return longest([*names, *map(str, ids), str(more), str(either)])
    """,
    "paginate and pages": """
        from headwater import PaginationOptions, PaginationResult

        @query
        async def pages(
            ctx: QueryCtx, who: str, pagination_opts: PaginationOptions
        ) -> PaginationResult[Task]:
            return await (
                ctx.db.query(Task)
                .with_index("by_assignee", assignee=who)
                .order("desc")
                .paginate(pagination_opts)
            )
    """,
    "recursion through helpers": """
        async def depth(ctx: QueryCtx, id: Id[Task], seen: int = 0) -> int:
            task = await ctx.db.get(id)
            if task is None or seen > 5:
                return seen
            return await depth(ctx, id, seen + 1)

        @query
        async def deep(ctx: QueryCtx, id: Id[Task]) -> int:
            return await depth(ctx, id)
    """,
    "lambdas and sorting": """
        from operator import attrgetter
        from itertools import groupby, islice

        @query
        async def sorted_by(ctx: QueryCtx, who: str) -> dict[str, int]:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(200)
            by_title = attrgetter("title")
            tasks.sort(key=lambda task: (task.completed, task.title))
            grouped = groupby(sorted(tasks, key=by_title), key=by_title)
            counts = {title: sum(1 for _ in some) for title, some in grouped}
            return counts | dict.fromkeys(islice("ab", 1), 0)
    """,
    "a default list that is made anew": """
        def words(text: str, found: list[str] | None = None) -> list[str]:
            found = [] if found is None else found
            found.extend(text.split())
            return found

        @query
        async def split(ctx: QueryCtx, text: str) -> list[str]:
            return words(text)
    """,
    "scheduling with references in variables": """
        @internal_mutation
        async def remind(ctx: MutationCtx, id: Id[Task]) -> None:
            await ctx.db.patch(id, completed=False)

        @internal_action
        async def send(ctx: ActionCtx, id: Id[Task]) -> None:
            await ctx.run_mutation(remind, id=id)

        @mutation
        async def later(ctx: MutationCtx, id: Id[Task], mail: bool) -> None:
            scheduler = ctx.scheduler
            if mail:
                await scheduler.run_after(1000, send, id=id)
            else:
                job = await scheduler.run_at(ctx.now + 1000, remind, id=id)
                await scheduler.cancel(job)
    """,
    "hashes, json and text in a query": """
        import base64
        import hashlib
        import hmac
        import io
        import json
        import textwrap
        from decimal import Decimal
        from string import Template
        from urllib.parse import urlencode

        @query
        async def digest(ctx: QueryCtx, text: str) -> str:
            buffer = io.StringIO()
            buffer.write(textwrap.dedent(text))
            data = json.loads(json.dumps({"text": buffer.getvalue(), "n": str(Decimal("1.5"))}))
            signed = hmac.new(b"key", urlencode(data).encode(), hashlib.sha256).digest()
            return Template("$a").substitute(a=base64.b64encode(signed).decode())
    """,
    "time zones and calendars": """
        from calendar import monthrange
        from datetime import date, datetime, timedelta, timezone
        from zoneinfo import ZoneInfo

        @query
        async def due(ctx: QueryCtx, now: float, zone: str) -> str:
            local = datetime.fromtimestamp(now / 1000, tz=ZoneInfo(zone))
            day = date(local.year, local.month, monthrange(local.year, local.month)[1])
            first = datetime.combine(day, datetime.min.time(), tzinfo=timezone(timedelta(hours=1)))
            return f"{first:%Y-%m-%d} {date.fromisoformat('2020-01-01')}"
    """,
    "positional-only and keyword-only": """
        @query
        async def listed(
            ctx: QueryCtx, /, who: str, *, most: int = 10, done: bool | None = None
        ) -> list[Task]:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(most)
            return [task for task in tasks if done is None or task.completed is done]
    """,
    "nested async functions over ctx": """
        import asyncio

        @query
        async def both(ctx: QueryCtx, left: str, right: str) -> list[list[Task]]:
            async def of(who: str) -> list[Task]:
                return await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(10)

            one, two = await asyncio.gather(of(left), of(right))
            return [one, two]
    """,
    "a clock in a helper of actions, whose name queries use": """
        import time

        def now() -> float:
            return time.time()

        def label(moment: float) -> str:
            return f"{moment:.0f}"

        @internal_action
        async def tick(ctx: ActionCtx) -> str:
            return label(now())

        @query
        async def shown(ctx: QueryCtx, now: float) -> str:
            return label(now)
    """,
    "errors with data": """
        from typing import NoReturn

        from headwater import AppError

        class NotYours(AppError):
            def __init__(self, what: str) -> None:
                super().__init__({"code": "NOT_YOURS", "what": what})

        def refuse(what: str) -> NoReturn:
            raise NotYours(what)

        @mutation
        async def take(ctx: MutationCtx, id: Id[Task]) -> None:
            identity = await ctx.auth.require_identity()
            task = await ctx.db.get(id)
            if task is None or task.assignee != identity.token_identifier:
                refuse("task")
            await ctx.db.delete(id)
    """,
    "awaits kept in lists and dicts": """
        import asyncio

        @mutation
        async def many(ctx: MutationCtx, titles: list[str]) -> dict[str, Id[Task]]:
            asked = {title: ctx.db.insert(Task(title=title, assignee="a")) for title in titles}
            made = await asyncio.gather(*asked.values())
            first, *rest = [ctx.db.get(id) for id in made]
            await first
            for one in rest:
                await one
            return dict(zip(asked, made, strict=True))
    """,
    "returning a coroutine from a helper": """
        from collections.abc import Coroutine
        from typing import Any

        def newest(ctx: QueryCtx, who: str) -> Coroutine[Any, Any, Task | None]:
            return ctx.db.query(Task).with_index("by_assignee", assignee=who).order("desc").first()

        @query
        async def shown(ctx: QueryCtx, who: str) -> Task | None:
            return await newest(ctx, who)
    """,
    "star imports": {
        "tasks.py": """
            from backend.schema import *
            from headwater import *

            @query
            async def listed(ctx: QueryCtx, who: str) -> list[Task]:
                return await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(5)
        """,
    },
    "retries in an action": """
        import asyncio
        import httpx

        @internal_mutation
        async def save(ctx: MutationCtx, text: str) -> None:
            await ctx.db.insert(Task(title=text, assignee="a"))

        @internal_action
        async def pull(ctx: ActionCtx, url: str) -> None:
            for attempt in range(3):
                try:
                    async with httpx.AsyncClient() as client:
                        text = (await client.get(url)).text
                except httpx.HTTPError:
                    await asyncio.sleep(2**attempt)
                    continue
                await ctx.run_mutation(save, text=text)
                break
    """,
    "streams in an action": """
        import httpx

        @internal_mutation
        async def append(ctx: MutationCtx, text: str) -> None:
            await ctx.db.insert(Task(title=text, assignee="a"))

        @internal_action
        async def stream(ctx: ActionCtx, url: str) -> None:
            async with httpx.AsyncClient() as client, client.stream("GET", url) as reply:
                async for chunk in reply.aiter_text():
                    await ctx.run_mutation(append, text=chunk)
    """,
    "batches in an action": """
        @internal_query
        async def page(ctx: QueryCtx, after: float) -> list[Id[Task]]:
            tasks = ctx.db.query(Task).with_index("by_creation_time", creation_time__gt=after)
            found = await tasks.take(100)
            return [task.id for task in found]

        @internal_mutation
        async def finish(ctx: MutationCtx, ids: list[Id[Task]]) -> None:
            for id in ids:
                await ctx.db.patch(id, completed=True)

        @internal_action
        async def migrate(ctx: ActionCtx) -> None:
            import httpx
            ids = await ctx.run_query(page, after=0.0)
            async with httpx.AsyncClient() as client:
                await client.post("https://x.example", json={"n": len(ids)})
            await ctx.run_mutation(finish, ids=ids)
    """,
    "registered by assignment": """
        async def _listed(ctx: QueryCtx, who: str) -> list[Task]:
            return await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(5)

        listed = query(_listed)
        listed_again = query(name="again")(_listed)

        @mutation
        async def first(ctx: MutationCtx, who: str) -> str | None:
            found = await _listed(ctx, who)
            return found[0].title if found else None
    """,
    "definitions under conditions": """
        import sys

        if sys.version_info >= (3, 12):
            from itertools import batched
        else:
            def batched(items, size):
                return [items[at : at + size] for at in range(0, len(items), size)]

        try:
            import orjson as json
        except ImportError:
            import json

        @query
        async def chunks(ctx: QueryCtx, words: list[str]) -> list[list[str]]:
            print(json.dumps(words))
            return [list(chunk) for chunk in batched(words, 2)]
    """,
    "unique and counters": """
        @query
        async def count(ctx: QueryCtx, who: str) -> int:
            found = await ctx.db.query(Task).with_index("by_assignee", assignee=who).unique()
            return len(found.title) if found else 0
    """,
    "collect of a small range": """
        @query
        async def open_of(ctx: QueryCtx, id: Id[Project]) -> list[Task]:
            tasks = ctx.db.query(Task).with_index("by_project", project_id=id, completed=False)
            return await tasks.collect()
    """,
    "aggregate over a bounded read": """
        from collections import Counter
        from statistics import mean

        @query
        async def stats(ctx: QueryCtx, who: str) -> dict[str, float]:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(500)
            counts = Counter(task.priority or "none" for task in tasks)
            counts.update({"all": len(tasks)})
            return {**counts, "mean": mean([len(task.title) for task in tasks] or [0])}
    """,
    "a local list called like a module's": """
        queue: list[str] = ["a"]

        @query
        async def shown(ctx: QueryCtx) -> list[str]:
            def inner(queue: list[str]) -> list[str]:
                queue.append("b")
                return queue
            return inner(list(queue))
    """,
    "settings and secrets": {
        "settings.py": """
            from pydantic import SecretStr
            from headwater import Settings as Base

            class Settings(Base):
                api_key: SecretStr
                base_url: str = "https://x.example"
        """,
        "pull.py": """
            import httpx
            from backend.settings import Settings
            from headwater import ActionCtx, internal_action

            @internal_action
            async def pull(ctx: ActionCtx) -> int:
                own = ctx.env(Settings)
                headers = {"Authorization": f"Bearer {own.api_key.get_secret_value()}"}
                async with httpx.AsyncClient(base_url=own.base_url, headers=headers) as client:
                    return (await client.get("/")).status_code
        """,
    },
    "patch with computed fields": """
        from typing import Any
        from headwater import UNSET

        @mutation
        async def change(
            ctx: MutationCtx, id: Id[Task], title: str | None = None, clear: bool = False
        ) -> None:
            changes: dict[str, Any] = {}
            if title is not None:
                changes["title"] = title
            if clear:
                changes["priority"] = UNSET
            await ctx.db.patch(id, **changes)
    """,
    "search": """
        @query
        async def find(ctx: QueryCtx, text: str, id: Id[Project]) -> list[Task]:
            found = ctx.db.query(Task).with_search_index("search_title", text, project_id=id)
            return await found.take(10)
    """,
    "delete what was taken": """
        @internal_mutation
        async def purge(ctx: MutationCtx, who: str) -> None:
            old = ctx.db.query(Task).with_index("by_assignee", assignee=who)
            for task in await old.take(100):
                await ctx.db.delete(task.id)
    """,
    "a generator of tasks and any()": """
        @query
        async def any_open(ctx: QueryCtx, who: str) -> bool:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(50)
            return any(not task.completed for task in tasks) and all(task.title for task in tasks)
    """,
    "custom validators on models": """
        from pydantic import field_validator, model_validator
        from headwater import Model

        class Range(Model):
            low: int
            high: int

            @model_validator(mode="after")
            def check(self) -> "Range":
                if self.low > self.high:
                    raise ValueError("low is above high")
                return self

        @query
        async def width(ctx: QueryCtx, given: Range) -> int:
            return given.high - given.low
    """,
    "frozen sets and global constants": """
        ALLOWED = frozenset({"a", "b"})
        NAMES: dict[str, str] = {name: name.upper() for name in ALLOWED}

        @query
        async def allowed(ctx: QueryCtx, name: str) -> bool:
            global_name = NAMES.get(name)
            copied = set(ALLOWED)
            copied.add("c")
            return name in copied and global_name is not None
    """,
    "asyncio.sleep(0) and gather of helpers": """
        import asyncio

        async def one(ctx: QueryCtx, id: Id[Task]) -> str:
            task = await ctx.db.get(id)
            await asyncio.sleep(0)
            return task.title if task else ""

        @query
        async def titles(ctx: QueryCtx, ids: list[Id[Task]]) -> list[str]:
            asked = (one(ctx, id) for id in ids)
            return list(await asyncio.gather(*asked, return_exceptions=False))
    """,
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_code_is_right(tmp_path: Path, name: str) -> None:
    """Aliases, closures, generics, dispatch, generators, exception groups: no finding."""
    assert [finding.render() for finding in findings(tmp_path, UNUSUAL[name])] == []
