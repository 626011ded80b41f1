"""Unusual but right code gives no finding: a false error is the worst the checker can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import HEADER, findings

RIGHT = {
    "dates without a clock": """
        from datetime import UTC, datetime, timedelta
        import time

        @mutation
        async def day(ctx: MutationCtx, at: float) -> str:
            tomorrow = datetime.fromtimestamp(ctx.now / 1000, UTC) + timedelta(days=1)
            return tomorrow.isoformat() + time.strftime("%Y", time.gmtime(at / 1000))
    """,
    "chance with a seed, and ids that are computed": """
        import random
        import uuid

        @query
        async def shuffled(ctx: QueryCtx, seed: int, words: list[str]) -> list[str]:
            dice = random.Random(seed)
            dice.shuffle(words)
            return [*words, str(uuid.uuid5(uuid.NAMESPACE_DNS, words[0]))]

        @mutation
        async def roll(ctx: MutationCtx) -> int:
            return ctx.random.randint(1, 6)
    """,
    "clocks, chance, timers and state of actions": """
        import asyncio
        import secrets
        import time

        started: dict[str, float] = {}

        @internal_action
        async def wait(ctx: ActionCtx) -> str:
            started["last"] = time.time()
            await asyncio.sleep(1)
            return secrets.token_hex()
    """,
    "calls of ctx that are awaited later": """
        import asyncio

        @mutation
        async def several(ctx: MutationCtx, ids: list[Id[Task]]) -> None:
            reads = [ctx.db.get(id) for id in ids]
            first = ctx.db.get(ids[0])
            await asyncio.gather(*reads, first)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(ctx.db.delete(ids[0]))
            await asyncio.sleep(0)
            print(task.result())

        def reading(ctx: QueryCtx, id: Id[Task]):
            return ctx.db.get(id)
    """,
    "module state that is only read, and locals of the same name": """
        WORDS = {"a": 1}
        seen: list[str] = []

        @query
        async def words(ctx: QueryCtx, key: str) -> int:
            seen = []
            seen.append(key)
            counts = dict(WORDS)
            counts[key] = 2
            return WORDS.get(key, 0) + len(seen) + len(counts)
    """,
    "bounded reads": """
        @query
        async def few(ctx: QueryCtx, who: str) -> int:
            mine = ctx.db.query(Task).with_index("by_assignee", assignee=who)
            found = [task async for task in mine]
            async for task in ctx.db.query(Task):
                if task.completed:
                    break
            some = await ctx.db.query(Task).take(20)
            return len(some) + len(found)
    """,
    "a batch that schedules the rest": """
        @internal_mutation
        async def clear(ctx: MutationCtx, who: str) -> None:
            tasks = await ctx.db.query(Task).with_index("by_assignee", assignee=who).take(50)
            for task in tasks:
                await ctx.db.delete(task.id)
            if tasks:
                await ctx.scheduler.run_after(0, clear, who=who)
    """,
    "own classes with the methods of other databases": """
        class Words:
            def where(self, word: str) -> "Words":
                return self

            def all(self) -> list[str]:
                return []

        @query
        async def found(ctx: QueryCtx, word: str) -> list[str]:
            return Words().where(word).all()
    """,
    "an action that works between its calls": """
        import httpx

        @internal_query
        async def urls(ctx: QueryCtx) -> list[str]:
            return []

        @internal_mutation
        async def save(ctx: MutationCtx, text: str) -> None:
            pass

        @internal_action
        async def fetch(ctx: ActionCtx) -> None:
            for url in await ctx.run_query(urls):
                async with httpx.AsyncClient() as client:
                    reply = await client.get(url)
                await ctx.run_mutation(save, text=reply.text)
    """,
    "writes with words and fields of the table": """
        @mutation
        async def edit(ctx: MutationCtx, id: Id[Task], low: bool, more: dict[str, str]) -> None:
            await ctx.db.patch(id, priority="low" if low else None, title="x")
            await ctx.db.patch(id, {"projectId": None}, completed=True)
            await ctx.db.patch(id, **more)
            await ctx.db.insert(Task(title="a", assignee="b", projectId=None, priority="high"))
    """,
    "ids as text, with the table said": """
        @query
        async def by_text(ctx: QueryCtx, text: str) -> Task | None:
            found = await ctx.db.get(Task, text)
            id = ctx.db.normalize_id(Task, text)
            return found or (await ctx.db.get(id) if id else None)
    """,
    "who calls, and somebody else": """
        @mutation
        async def invite(ctx: MutationCtx, user_id: str, title: str) -> None:
            identity = await ctx.auth.require_identity()
            await ctx.db.insert(Task(title=title, assignee=user_id or identity.subject))
    """,
    "module alias": """
        import datetime as d
        import headwater as hw

        @hw.query
        async def at(ctx: hw.QueryCtx, day: str) -> str:
            return d.date.fromisoformat(day).isoformat()
    """,
    "decorator alias": """
        from headwater import query as q

        @q(name="list")
        async def list_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
            return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(9)
    """,
    "searches": """
        from headwater import Document, SearchIndex

        FIELDS = ("author", "room")

        class Note(Document, table="notes"):
            text: str
            author: str
            search_text = SearchIndex("text", FIELDS)
            search_by_author = SearchIndex(field="text", filter_fields=["author", "id"][:1])

        @query
        async def found(ctx: QueryCtx, words: str, who: str, more: dict[str, str]) -> None:
            tasks = ctx.db.query(Task).with_search_index("search_title", words, completed=True)
            await tasks.filter(lambda task: task.assignee == who).take(9)
            plain = ctx.db.query("tasks").with_search_index("search_title", words, projectId=who)
            await plain.first()
            notes = ctx.db.query(Note)
            await notes.with_search_index("search_text", words, author=who).take(9)
            await ctx.db.query(Task).with_search_index("search_title", words, **more).take(9)
            await ctx.db.query(Note).with_search_index(f"search_{who}", words).take(9)
    """,
    "table alias": """
        from backend import schema as s
        from backend.schema import Task as T

        @query
        async def both(ctx: QueryCtx, who: str) -> int:
            one = await ctx.db.query(s.Task).with_index("by_assignee", assignee=who).take(9)
            two = await ctx.db.query(T).with_index("by_assignee", assignee__gt=who).take(9)
            return len(one) + len(two)
    """,
    "any object of arguments": """
        from typing import Any

        @mutation
        async def log(ctx, /, **fields: Any) -> None:
            print(fields)
    """,
    "keyword-only arguments with defaults": """
        @query
        async def page(ctx: QueryCtx, *, size: int = 10, after: float | None = None) -> list[str]:
            return [str(size), str(after)]
    """,
    "ids of any table, and typed dicts": """
        from typing import Any

        @query
        async def counts(ctx: QueryCtx, id: Id[Any], seen: dict[str, int]) -> dict[str, list[int]]:
            return {str(id): list(seen.values())}
    """,
    "types in strings": """
        @query
        async def get(ctx: "QueryCtx", id: "Id[Task]") -> "Task | None":
            return await ctx.db.get(id)
    """,
    "I/O in an action": """
        import httpx
        from pathlib import Path

        @action
        async def fetch(ctx: ActionCtx, url: str) -> str:
            async with httpx.AsyncClient() as client:
                text = (await client.get(url)).text
            Path("copy.txt").write_text(text)
            return open("copy.txt").read()
    """,
    "a helper with I/O that only actions call": """
        import requests

        def download(url: str) -> str:
            return requests.get(url).text

        @internal_action
        async def fetch(ctx: ActionCtx, url: str) -> str:
            return download(url)

        @mutation
        async def ask(ctx: MutationCtx, url: str) -> str:
            return url
    """,
    "handing an action on as a reference": """
        import httpx

        @internal_action
        async def notify(ctx: ActionCtx, text: str) -> None:
            httpx.post("https://example.org", content=text)

        @action
        async def relay(ctx: ActionCtx, text: str) -> None:
            await ctx.run_action(notify, text=text)
    """,
    "pure neighbours of I/O": """
        import os.path
        import urllib.parse
        from io import StringIO
        from pathlib import Path, PurePosixPath

        import httpx

        @query
        async def parts(ctx: QueryCtx, url: str) -> list[str]:
            host = httpx.URL(url).host
            quoted = urllib.parse.quote(os.path.join("a", "b"))
            name = Path(url).name.replace("a", "b")
            return [host, quoted, name, str(PurePosixPath(url) / "x"), StringIO(url).read()]
    """,
    "own names that look like I/O": """
        def open(task: Task) -> bool:
            return not task.completed

        class Path:
            def read_text(self) -> str:
                return "mine"

        @query
        async def is_open(ctx: QueryCtx, id: Id[Task]) -> bool:
            task = await ctx.db.get(id)
            return task is not None and open(task) and bool(Path().read_text())
    """,
    "parameters and variables that hide modules": """
        import requests

        @query
        async def count(ctx: QueryCtx, requests: list[str], open: bool) -> int:
            get = requests.copy
            return len(get())

        @mutation
        async def rename(ctx: MutationCtx, id: Id[Task], title: str) -> None:
            os = {"rename": str.strip}
            await ctx.db.patch(id, title=os["rename"](title))
    """,
    "match statements": """
        @query
        async def word(ctx: QueryCtx, value: str | int) -> str:
            match value:
                case str() as open:
                    return open.upper()
                case int(n) if n > 3:
                    return "many"
                case _:
                    return "few"
    """,
    "async for over a chain in a variable": """
        @query
        async def open_titles(ctx: QueryCtx, assignee: str) -> list[str]:
            tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee)
            titles = []
            async for task in tasks.filter(lambda t: not t.completed):
                titles.append(task.title)
            return titles
    """,
    "async comprehension": """
        @query
        async def titles(ctx: QueryCtx, who: str) -> list[str]:
            index = ctx.db.query(Task).with_index("by_assignee", assignee=who)
            return [t.title async for t in index.order("desc") if not t.completed]
    """,
    "an index chosen after the filter, in another branch": """
        @query
        async def some(ctx: QueryCtx, who: str | None) -> list[Task]:
            found = ctx.db.query(Task)
            if who is not None:
                found = found.with_index("by_assignee", assignee=who)
            else:
                found = found.with_index("by_creation_time")
            return await found.filter(lambda t: t.completed).take(10)
    """,
    "keywords in another order than the index": """
        @query
        async def some(ctx: QueryCtx, id: Id[Project]) -> list[Task]:
            return await ctx.db.query(Task).with_index(
                "by_project", completed=False, project_id=id, priority__gte="low"
            ).take(10)
    """,
    "two ends of one range, and the creation time": """
        @query
        async def some(ctx: QueryCtx, who: str, a: float, b: float) -> list[Task]:
            return await (
                ctx.db.query(Task)
                .with_index("by_assignee", assignee=who, creation_time__gte=a, creation_time__lt=b)
                .filter(lambda t: not t.completed)
                .order("desc")
                .take(10)
            )
    """,
    "built-in index": """
        @query
        async def newest(ctx: QueryCtx, since: float) -> list[Task]:
            found = ctx.db.query(Task).with_index("by_creation_time", creation_time__gt=since)
            return await found.filter(lambda t: t.completed).take(5)
    """,
    "queries by table name, declared or not, under wire names": """
        @query
        async def some(ctx: QueryCtx, id: str) -> int:
            one = await ctx.db.query("tasks").with_index("by_project", projectId=id).take(5)
            two = await ctx.db.query("tasks").with_index("by_project", project_id=id).take(5)
            three = await ctx.db.query("notes").with_index("by_anything", whatever=id).take(5)
            return len(one) + len(two) + len(three)
    """,
    "keywords and index names that are not known": """
        @query
        async def some(ctx: QueryCtx, who: str, index: str) -> list[Task]:
            bounds = {"assignee": who}
            one = ctx.db.query(Task).with_index("by_assignee", **bounds)
            two = ctx.db.query(Task).with_index(index, nothing=1)
            return [*await one.take(5), *await two.take(5)]
    """,
    "a helper that gives a query": """
        def visible(ctx: QueryCtx, who: str):
            return ctx.db.query(Task).filter(lambda t: t.title != "")

        def shaped(q):
            q = q.filter(lambda t: t.completed)
            return q
    """,
    "filter that is not the builder's": """
        @query
        async def some(ctx: QueryCtx, words: list[str]) -> list[str]:
            return list(filter(None, words))

        class Words:
            def query(self, of: type) -> "Words":
                return self

            def filter(self, f: object) -> "Words":
                return self

            def collect(self) -> list[str]:
                return []

        def local(db: Words) -> list[str]:
            return db.query(Task).filter(None).collect()
    """,
    "nested functions and closures": """
        @mutation
        async def add_all(ctx: MutationCtx, titles: list[str], who: str) -> int:
            async def add(title: str) -> None:
                await ctx.db.insert(Task(title=title, assignee=who))

            def clean(text: str) -> str:
                return text.strip()

            for title in titles:
                await add(clean(title))
            return len(titles)
    """,
    "imports for the type checker": """
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from fastapi import Request
            import httpx

        def headers(request: "Request") -> dict[str, str]:
            return dict(request.headers)
    """,
    "a decorator that changes the signature": """
        import functools

        def with_user(handler):
            @functools.wraps(handler)
            async def wrapped(ctx: MutationCtx, title: str) -> None:
                await handler(ctx, await ctx.auth.require_identity(), title)
            return wrapped

        @mutation
        @with_user
        async def create(ctx: MutationCtx, user, title: str) -> None:
            await ctx.db.insert(Task(title=title, assignee=user.subject))
    """,
    "a helper for both kinds of ctx": """
        import httpx

        async def tell(ctx: MutationCtx | ActionCtx, text: str) -> None:
            if isinstance(ctx, ActionCtx):
                httpx.post("https://example.org", content=text)

        @mutation
        async def send(ctx: MutationCtx, text: str) -> None:
            await tell(ctx, text)
    """,
    "helpers that call each other": """
        def even(n: int) -> bool:
            return n == 0 or odd(n - 1)

        def odd(n: int) -> bool:
            return n != 0 and even(n - 1)

        @query
        async def parity(ctx: QueryCtx, n: int) -> bool:
            return even(n)
    """,
    "several calls at once, walrus, try": """
        import asyncio

        @query
        async def pair(ctx: QueryCtx, one: Id[Task], two: Id[Task]) -> list[str]:
            found = await asyncio.gather(ctx.db.get(one), ctx.db.get(two))
            try:
                return [t.title for task in found if (t := task)]
            except* ValueError as open:
                print(open)
            return []
    """,
    "a client's exceptions and types": """
        import httpx

        @mutation
        async def note(ctx: MutationCtx, status: int) -> str:
            try:
                return httpx.codes.get_reason_phrase(status)
            except (httpx.HTTPError, OSError):
                return "none"
    """,
    "internal functions scheduled, and what only looks like it": """
        @internal_mutation
        async def send(ctx: MutationCtx, text: str) -> None:
            pass

        @mutation
        async def public(ctx: MutationCtx) -> None:
            pass

        class Own:
            async def run_after(self, ms: float, function: object) -> None:
                pass

        @action
        async def fetch(ctx: ActionCtx, later: bool) -> None:
            await ctx.scheduler.run_after(0, send, text="a")
            await ctx.run_mutation(public)
            await Own().run_after(0, public)
            chosen = public if later else send
            await ctx.scheduler.run_after(0, chosen)
    """,
    "logging and printing": """
        import logging

        log = logging.getLogger(__name__)

        @mutation
        async def loud(ctx: MutationCtx) -> None:
            print("working")
            log.info("done")
    """,
    "PEP 604, Annotated, unions and generics": """
        from typing import Annotated, Literal, Optional
        from pydantic import Field
        from headwater import PaginationOptions, PaginationResult

        @query
        async def page(
            ctx: QueryCtx,
            options: PaginationOptions,
            text: Annotated[str, Field(max_length=9)],
            kind: Literal["a", "b"] | None = None,
            other: Optional[list[tuple[str, int]]] = None,
        ) -> PaginationResult[Task]:
            return await ctx.db.query(Task).with_index("by_creation_time").paginate(options)
    """,
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_has_no_findings(tmp_path: Path, name: str) -> None:
    """Each of these is right, and nothing is said of it."""
    assert [f.render() for f in findings(tmp_path, RIGHT[name])] == []


RIGHT_PROJECTS: dict[str, dict[str, str]] = {
    "routes and their helpers": {
        "routes.py": """
            from fastapi import APIRouter, Request
            from backend.signatures import verified

            router = APIRouter()

            @router.post("/hook")
            async def hook(request: Request) -> None:
                await verified(request)
        """,
        "signatures.py": """
            from fastapi import HTTPException, Request

            async def verified(request: Request) -> None:
                raise HTTPException(401)
        """,
    },
    "modules named as the standard library's": {
        "logging.py": "def open(name: str) -> str:\n    return name\n",
        "requests.py": "def get(url: str) -> str:\n    return url\n",
        "tasks.py": """
            from headwater import QueryCtx, query
            from backend import logging, requests

            @query
            async def both(ctx: QueryCtx) -> str:
                return logging.open("a") + requests.get("b")
        """,
    },
    "tables with bases, in several modules": {
        "schema.py": """
            from backend.bases import Dated

            class Event(Dated, table="events"):
                name: str
                by_day_and_name = Index("day", "name")
        """,
        "bases.py": """
            from typing import ClassVar
            from headwater import Document, Index

            class Dated(Document):
                shown: ClassVar[int] = 3
                day: str
                by_day = Index("day")
        """,
        "events.py": """
            from backend.schema import Event
            from headwater import QueryCtx, query

            @query
            async def of(ctx: QueryCtx, day: str, name: str) -> list[Event]:
                one = await ctx.db.query(Event).with_index("by_day", day=day).take(3)
                two = ctx.db.query(Event).with_index("by_day_and_name", day=day, name__gte=name)
                return [*one, *await two.take(3)]
        """,
    },
    "a table whose indexes cannot be seen": {
        "schema.py": """
            from elsewhere import Audited, indexed
            from headwater import Document, Index

            class Entry(Audited, Document, table="entries"):
                text: str
                by_added_field = Index("added")

            class Note(Document, table="notes"):
                text: str
                by_text = indexed("text")
        """,
        "entries.py": """
            from backend.schema import Entry, Note
            from headwater import QueryCtx, query

            @query
            async def all(ctx: QueryCtx) -> int:
                one = await ctx.db.query(Entry).with_index("by_author", author="a").take(3)
                two = await ctx.db.query(Note).with_index("by_txt", text="a").take(3)
                return len(one) + len(two)
        """,
    },
    "crons with internal targets": {
        "tasks.py": """
            from headwater import MutationCtx, internal_mutation

            @internal_mutation
            async def clean(ctx: MutationCtx) -> None:
                pass
        """,
        "crons.py": """
            from backend.tasks import clean
            from headwater import Crons

            crons = Crons()
            crons.daily("clean", clean, hour_utc=2)
        """,
    },
    "imports in a circle, re-exports and stars": {
        "one.py": "from backend import two\nfrom backend.lib import *\n\nvalue = two.value\n",
        "two.py": "from backend import one\n\nvalue = one.value\n",
        "lib/__init__.py": "from .inner import shout as shout\n",
        "lib/inner.py": "def shout(text: str) -> str:\n    return text.upper()\n",
        "tasks.py": """
            from backend.lib import shout
            from backend.one import value
            from headwater import QueryCtx, query

            @query
            async def loud(ctx: QueryCtx, text: str) -> str:
                return shout(text) + str(value())
        """,
    },
}


@pytest.mark.parametrize("name", RIGHT_PROJECTS)
def test_right_projects_have_no_findings(tmp_path: Path, name: str) -> None:
    """Several files that belong together, and nothing is said of them."""
    assert [f.render() for f in findings(tmp_path, RIGHT_PROJECTS[name])] == []


def test_the_usual_header_is_right_by_itself(tmp_path: Path) -> None:
    """The imports above each snippet give no finding of their own."""
    assert findings(tmp_path, {"tasks.py": HEADER}) == []
