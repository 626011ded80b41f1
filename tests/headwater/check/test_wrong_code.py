"""Wrong code is found at its line, whatever it is dressed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import findings, marked

WRONG = {
    # --- HW101 ---
    "FastAPI app with routes": """
        import fastapi as web

        app = web.FastAPI()

        @app.get("/tasks")  # <- HW101
        def list_tasks() -> list[str]:
            return []

        @app.post("/tasks")  # <- HW101
        async def add(title: str) -> str:
            return title
    """,
    "Flask app without routes": """
        from flask import Flask

        app = Flask(__name__)  # <- HW101
    """,
    "an HTTP error in a mutation": """
        from fastapi import HTTPException  # <- HW101

        @mutation
        async def fail(ctx: MutationCtx) -> None:
            raise HTTPException(404)
    """,
    # --- HW103 ---
    "nothing typed": """
        @query
        async def get(  # <- HW103
            ctx,
            title,  # <- HW103
        ):
            return title
    """,
    "not async": """
        @query
        def get(ctx: QueryCtx) -> str:  # <- HW103
            return ""
    """,
    "no ctx": """
        @query
        async def get(title: str) -> str:  # <- HW103
            return title

        @query
        async def none() -> str:  # <- HW103
            return ""
    """,
    "Any and bare containers": """
        from typing import Any, Dict

        @mutation
        async def put(
            ctx: MutationCtx,
            a: Any,  # <- HW103
            b: dict[str, Any],  # <- HW103
            c: list,  # <- HW103
            d: "Dict | None" = None,  # <- HW103
        ) -> None:
            pass
    """,
    "positional arguments": """
        @mutation
        async def put(ctx: MutationCtx, *titles: str) -> None:  # <- HW103
            pass
    """,
    "registered by a call": """
        async def _get(ctx: QueryCtx, title) -> str:  # <- HW103
            return title

        get = query(name="get")(_get)
    """,
    # --- HW104 ---
    "a registered function called, by alias and from a helper": """
        @query
        async def one(ctx: QueryCtx, id: Id[Task]) -> str:
            return id

        again = one

        async def helper(ctx: QueryCtx, id: Id[Task]) -> str:
            return await again(ctx, id)  # <- HW104
    """,
    # --- HW201, HW202, HW204 ---
    "a clock behind an alias and two helpers": """
        import datetime as d
        from time import time as clock, perf_counter

        def stamp() -> float:
            return clock()  # <- HW201

        def day() -> str:
            return d.datetime.now(d.UTC).date().isoformat() + str(stamp())  # <- HW201

        @mutation
        async def create(ctx: MutationCtx) -> str:
            started = perf_counter()  # <- HW201
            return day() + str(started)
    """,
    "chance of several kinds": """
        import os
        import random as r
        from uuid import uuid4

        @mutation
        async def draw(ctx: MutationCtx) -> list[str]:
            dice = r.Random()  # <- HW202
            salt = os.urandom(4).hex()  # <- HW202
            return [str(uuid4()), salt, str(dice)]  # <- HW202
    """,
    "waiting and starting": """
        import asyncio
        import threading

        @mutation
        async def later(ctx: MutationCtx, id: Id[Task]) -> None:
            asyncio.create_task(ctx.db.delete(id))  # <- HW204
            threading.Timer(5, print).start()  # <- HW204
            await asyncio.to_thread(print)  # <- HW204
            asyncio.get_running_loop().call_later(5, print)  # <- HW204
    """,
    # --- HW205 ---
    "results of calls that are not awaited": """
        async def touch(ctx: MutationCtx, id: Id[Task]) -> None:
            await ctx.db.patch(id, completed=True)

        @mutation
        async def go(ctx: MutationCtx, id: Id[Task]) -> str:
            db = ctx.db
            db.delete(id)  # <- HW205
            touch(ctx, id)  # <- HW205
            task = db.get(id)  # <- HW205
            if not ctx.auth.get_user_identity():  # <- HW205
                return ""
            return task.title
    """,
    # --- HW206 ---
    "what a module remembers": """
        import functools

        cache: dict[str, list[str]] = {}
        count = 0

        @functools.cache  # <- HW206
        def seen(ctx: QueryCtx) -> int:
            return 1

        @query
        async def words(ctx: QueryCtx, key: str) -> int:
            global count  # <- HW206
            count += 1
            cache.setdefault(key, []).append(key)  # <- HW206
            return seen(ctx)
    """,
    # --- HW301, HW406 ---
    "an action that is not one transaction": """
        @internal_query
        async def value(ctx: QueryCtx) -> int:
            return 1

        @internal_mutation
        async def save(ctx: MutationCtx, value: int) -> None:
            pass

        @internal_action
        async def go(ctx: ActionCtx, values: list[int]) -> None:
            found = await ctx.run_query(value)
            await ctx.run_mutation(save, value=found + 1)  # <- HW406
            await ctx.run_mutation(save, value=3)  # <- HW301
            for one in values:
                await ctx.run_mutation(save, value=one)  # <- HW301
    """,
    # --- HW402, HW403, HW406 ---
    "endless reads": """
        @query
        async def all(ctx: QueryCtx, who: str) -> int:
            async for task in ctx.db.query(Task):  # <- HW402
                print(task)
            found = await ctx.db.query(Task).with_index("by_assignee").collect()  # <- HW402
            mine = await ctx.db.query(Task).with_index("by_assignee", assignee=who).collect()
            number = len(await ctx.db.query(Task).collect())  # <- HW402
            return number + len(found) + len(mine) + int(mine[0].completed)

        @mutation
        async def clear(ctx: MutationCtx, who: str) -> None:
            tasks = await ctx.db.query(Task).with_index(
                "by_assignee", assignee=who).collect()  # <- HW406
            for task in tasks:
                await ctx.db.delete(task.id)
    """,
    "methods of other databases": """
        @query
        async def found(ctx: QueryCtx, who: str) -> list[str]:
            await ctx.db.execute("select 1")  # <- HW403
            await ctx.db.query(Task).order_by("title").take(5)  # <- HW403
            await ctx.db.query(Task).with_index(
                "by_assignee", lambda q: q.eq("assignee", who)).take(5)  # <- HW403
            await ctx.db.insert(Task(title="a", assignee=who))  # <- HW403
            return Task.objects.filter(assignee=who)  # <- HW403
    """,
    # --- HW503 ---
    "the environment, keys and logs": """
        import os
        from pydantic import SecretStr

        base = os.environ["BASE"]  # <- HW503
        client_key = "sk-ant-api03-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0"  # <- HW503

        @internal_action
        async def show(ctx: ActionCtx, key: SecretStr) -> str:
            print(f"with {key.get_secret_value()}")  # <- HW503
            return os.getenv("HOME", "")  # <- HW503
    """,
    # --- HW203 ---
    "aliases of I/O": """
        import httpx as h
        from pathlib import Path as P
        from requests import post as send

        @mutation
        async def go(ctx: MutationCtx, url: str) -> None:
            h.get(url)  # <- HW203
            send(url)  # <- HW203
            P("a").write_text(url)  # <- HW203
            (P("a") / "b").parent.mkdir()  # <- HW203
            with open("x") as file:  # <- HW203
                file.read()
    """,
    "a client made inside counts once": """
        import httpx

        @query
        async def go(ctx: QueryCtx, url: str) -> str:
            async with httpx.AsyncClient() as client:  # <- HW203
                reply = await client.get(url)
            return reply.text
    """,
    "a client made at the top": """
        from openai import AsyncOpenAI

        client = AsyncOpenAI()

        @mutation
        async def ask(ctx: MutationCtx, text: str) -> None:
            await client.responses.create(input=text)  # <- HW203
    """,
    "a client as a helper's parameter": """
        import httpx

        async def fetch(client: httpx.AsyncClient | None, url: str) -> str:
            return (await client.get(url)).text  # <- HW203

        @query
        async def go(ctx: QueryCtx, url: str) -> str:
            return await fetch(None, url)
    """,
    "another database": """
        import sqlite3

        @query
        async def rows(ctx: QueryCtx) -> int:
            db = sqlite3.connect("tasks.db")  # <- HW203
            return len(db.execute("select 1").fetchall())
    """,
    "in a thread, an import inside, a nested function": """
        import asyncio
        import requests

        @mutation
        async def go(ctx: MutationCtx, url: str) -> None:
            import subprocess as s

            def inner() -> None:
                s.run(["ls"])  # <- HW203

            await asyncio.to_thread(requests.get, url)  # <- HW203
            [line for line in open(url)]  # <- HW203
    """,
    "a method that a query calls": """
        import smtplib

        class Mailer:
            def __init__(self, host: str) -> None:
                self.server = smtplib.SMTP(host)  # <- HW203

            @staticmethod
            def log(text: str) -> None:
                open("log", "a").write(text)  # <- HW203

        @mutation
        async def mail(ctx: MutationCtx) -> None:
            mailer = Mailer("localhost")
            Mailer.log("sent")
    """,
    # --- HW302 ---
    "public functions scheduled": """
        @mutation
        async def send(ctx: MutationCtx, text: str) -> None:
            pass

        @action
        async def fetch(ctx: ActionCtx) -> None:
            await ctx.scheduler.run_at(
                0,
                send,  # <- HW302
                text="a",
            )

        async def helper(ctx: MutationCtx) -> None:
            scheduler = ctx.scheduler
            await scheduler.run_after(0, fetch)  # <- HW302
    """,
    # --- HW401 ---
    "filter alone": """
        @query
        async def some(ctx: QueryCtx) -> list[Task]:
            return await (
                ctx.db.query(Task)
                .order("desc")
                .filter(lambda t: t.completed)  # <- HW401
                .take(10)
            )
    """,
    "filter alone, split over variables, in a helper": """
        async def some(ctx: QueryCtx) -> list[Task]:
            db = ctx.db
            tasks = db.query(Task)
            done = tasks.filter(lambda t: t.completed)  # <- HW401
            return await done.collect()
    """,
    "filter alone in a loop": """
        @mutation
        async def clear(ctx: MutationCtx) -> None:
            async for task in ctx.db.query("tasks").filter(bool):  # <- HW401
                await ctx.db.delete(task["_id"])
    """,
    "unknown index": """
        @query
        async def some(ctx: QueryCtx, who: str) -> list[Task]:
            return await (
                ctx.db.query(Task)
                .with_index(
                    "by_asignee",  # <- HW401
                    assignee=who,
                )
                .take(10)
            )
    """,
    "unknown fields and lookups": """
        @query
        async def some(ctx: QueryCtx, who: str) -> None:
            await ctx.db.query(Task).with_index("by_assignee", asignee=who).first()  # <- HW401
            await ctx.db.query(Task).with_index("by_assignee", completed=True).first()  # <- HW401
            await ctx.db.query(Task).with_index("by_assignee", assignee__in=who).first()  # <- HW401
            await ctx.db.query("tasks").with_index("by_project", projectID=who).first()  # <- HW401
    """,
    "fields out of order": """
        @query
        async def some(ctx: QueryCtx, id: Id[Project]) -> None:
            await ctx.db.query(Task).with_index("by_project", completed=True).first()  # <- HW401
            await ctx.db.query(Task).with_index(
                "by_project",
                project_id=id,
                priority="low",  # <- HW401
            ).first()
            await ctx.db.query(Task).with_index(
                "by_project",
                project_id__gte=id,
                completed=True,  # <- HW401
            ).first()
            tasks = ctx.db.query(Task)
            await tasks.with_index("by_project", completed__gt=False).first()  # <- HW401
            await ctx.db.query(Task).with_index(
                "by_project",
                project_id__gt=id,
                completed__lt=True,  # <- HW401
            ).first()
            await ctx.db.query(Task).with_index(
                "by_assignee",
                assignee="a",
                assignee__gt="b",  # <- HW401
            ).first()
            await ctx.db.query(Task).with_index(
                "by_assignee",
                assignee__gt="a",
                assignee__gte="b",  # <- HW401
            ).first()
    """,
    "search indexes and filters": """
        @query
        async def some(ctx: QueryCtx, text: str, id: Id[Project]) -> None:
            tasks = ctx.db.query(Task)
            await tasks.with_search_index("serch_title", text).take(9)  # <- HW401
            await ctx.db.query(Task).with_search_index("by_assignee", text).take(9)  # <- HW401
            await ctx.db.query(Task).with_search_index(
                "search_title",
                text,
                projct_id=id,  # <- HW401
            ).first()
            await ctx.db.query("tasks").with_search_index(
                "search_title",
                text,
                assignee="ana",  # <- HW401
                completed__gt=False,  # <- HW401
            ).first()
            await ctx.db.query(Task).with_index("search_title", title=text).take(9)  # <- HW401
            await ctx.db.query(Project).with_search_index("search_name", text).first()  # <- HW401
    """,
    "search indexes of fields that are not there": """
        from headwater import Document, SearchIndex

        class Note(Document, table="notes"):
            text: str
            by_text = SearchIndex("txt")  # <- HW401
            by_words = SearchIndex(field="text", filter_fields=["author"])  # <- HW401
            by_all = SearchIndex("text", ("room.id",))  # <- HW401
    """,
    "an index of fields that are not there": """
        from headwater import Document, Index

        class Note(Document, table="notes"):
            text: str
            by_author = Index("text", "author")  # <- HW401
    """,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_found_at_its_line(tmp_path: Path, name: str) -> None:
    """Exactly the marked lines have findings, with the marked rule."""
    found = findings(tmp_path, WRONG[name])
    assert [(f.code, f.line) for f in found] == marked(WRONG[name])
    assert found


WRONG_PROJECTS: dict[str, dict[str, str]] = {
    "helpers in other modules": {
        "lib/net.py": """
            import urllib.request

            def read(url: str) -> bytes:
                return urllib.request.urlopen(url).read()  # <- HW203
        """,
        "lib/helpers.py": """
            from .net import read as read_url

            async def fetch(ctx: object, url: str) -> int:
                return len(read_url(url))
        """,
        "pages.py": """
            from backend.lib import helpers
            from headwater import MutationCtx, mutation

            @mutation
            async def visit(ctx: MutationCtx, url: str) -> int:
                return await helpers.fetch(ctx, url)
        """,
    },
    "an app in one module, its routes in another": {
        "app.py": "from fastapi import FastAPI\n\napp = FastAPI()  # <- HW101\n",
        "pages.py": """
            from backend.app import app

            @app.get("/")  # <- HW101
            async def home() -> str:
                return ""
        """,
    },
    "crons of public functions": {
        "jobs.py": """
            from headwater import ActionCtx, action

            @action
            async def fetch(ctx: ActionCtx) -> None:
                pass
        """,
        "crons.py": """
            from headwater import Crons
            from . import jobs

            crons = Crons()
            crons.interval("fetch", jobs.fetch, hours=1)  # <- HW302
        """,
    },
    "functions below subfolders": {
        "actions/simple.py": """
            import headwater

            @headwater.action
            async def hello(ctx: headwater.ActionCtx, name) -> str:  # <- HW103
                return name
        """,
    },
}


@pytest.mark.parametrize("name", WRONG_PROJECTS)
def test_wrong_projects_are_found_at_their_lines(tmp_path: Path, name: str) -> None:
    """What is spread over files is found where it stands."""
    files = WRONG_PROJECTS[name]
    assert [(f.code, f.line) for f in findings(tmp_path, files)] == marked(files)
