"""A live task board by hand: what a good Python developer would write without Headwater.

FastAPI, one SQLite connection (WAL, synchronous=FULL), WebSockets on uvloop. Each write is one
transaction; each board's state is read and encoded once and the same text goes to every
subscriber. SQLite is called on the event loop itself: with one writer and statements this short
that is faster than a thread pool, which costs a hand-over for every statement.

    python -m benchmarks.handwritten.server --port 4000 --database board.sqlite3
"""

import argparse
import sqlite3
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, TypeAdapter

PAGE = Path(__file__).parent / "page.html"
SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL,
    board TEXT NOT NULL,
    title TEXT NOT NULL,
    completed INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS tasks_by_board ON tasks (board, position);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Subscribe(BaseModel):
    """Follow the newest tasks of a board."""

    op: Literal["subscribe"]
    board: str
    count: int


class Create(BaseModel):
    """Add a task to a board."""

    op: Literal["create"]
    id: int
    board: str
    title: Annotated[str, Field(max_length=200)]


class Seed(BaseModel):
    """Fill a board with tasks, in one transaction."""

    op: Literal["seed"]
    id: int
    board: str
    count: int


class Toggle(BaseModel):
    """Complete an open task of a board, or open a completed one."""

    op: Literal["toggle"]
    id: int
    board: str
    task: str


class Increment(BaseModel):
    """Add one to a counter."""

    op: Literal["increment"]
    id: int
    name: str


AnyMessage = Subscribe | Create | Seed | Toggle | Increment
MESSAGES: TypeAdapter[AnyMessage] = TypeAdapter(
    Annotated[AnyMessage, Field(discriminator="op")],
)
View = tuple[str, int]  # a board, and how many of its newest tasks


class Store:
    """The one SQLite connection; every method that writes is one durable transaction."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        self.queries = 0

    def create(self, board: str, titles: Iterable[str]) -> list[str]:
        """Insert tasks and return their ids."""
        now = time.time() * 1000
        rows = [(uuid.uuid4().hex, now, board, title) for title in titles]
        with self.db:
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(
                "INSERT INTO tasks (id, created_at, board, title, completed)"
                " VALUES (?, ?, ?, ?, 0)",
                rows,
            )
        return [row[0] for row in rows]

    def toggle(self, board: str, task: str) -> bool:
        """Turn a task's state around and return the new one."""
        with self.db:
            self.db.execute("BEGIN IMMEDIATE")
            [(completed,)] = self.db.execute(
                "UPDATE tasks SET completed = NOT completed WHERE id = ? AND board = ?"
                " RETURNING completed",
                (task, board),
            )
        return bool(completed)

    def increment(self, name: str) -> int:
        """Add one to a counter in a transaction and return the new value."""
        with self.db:
            self.db.execute("BEGIN IMMEDIATE")
            [(value,)] = self.db.execute(
                "INSERT INTO counters VALUES (?, 1)"
                " ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            )
        return int(value)

    def newest(self, view: View) -> list[dict[str, Any]]:
        """Return the newest tasks of a board, newest first."""
        self.queries += 1
        rows = self.db.execute(
            "SELECT id, created_at, board, title, completed FROM tasks"
            " WHERE board = ? ORDER BY position DESC LIMIT ?",
            view,
        )
        return [
            {"id": id, "created_at": at, "board": board, "title": title, "completed": bool(done)}
            for id, at, board, title, done in rows
        ]


class Rooms:
    """Who follows what. A state is read and encoded once, however many follow it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.followers: dict[View, set[WebSocket]] = defaultdict(set)
        self.views: dict[str, set[View]] = defaultdict(set)
        self.encodings = 0

    def state(self, view: View) -> str:
        """Read and encode the current state of a view."""
        self.encodings += 1
        return orjson.dumps(
            {"type": "tasks", "board": view[0], "tasks": self.store.newest(view)}
        ).decode()

    async def join(self, socket: WebSocket, view: View) -> None:
        """Follow a view, starting with its current state."""
        self.followers[view].add(socket)
        self.views[view[0]].add(view)
        await socket.send_text(self.state(view))

    def leave(self, socket: WebSocket) -> None:
        """Follow nothing any more; drop the views that nobody follows."""
        for view in [view for view, sockets in self.followers.items() if socket in sockets]:
            self.followers[view].discard(socket)
            if not self.followers[view]:
                del self.followers[view]
                self.views[view[0]].discard(view)

    async def changed(self, board: str) -> None:
        """Send the board's new state to everybody who follows it."""
        for view in tuple(self.views[board]):
            state = self.state(view)
            for socket in tuple(self.followers[view]):
                try:
                    await socket.send_text(state)
                except (WebSocketDisconnect, RuntimeError):
                    self.leave(socket)


def build_app(path: Path) -> FastAPI:
    """Make the application on one database file."""
    app = FastAPI()
    store = Store(path)
    rooms = Rooms(store)

    @app.websocket("/ws")
    async def follow(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                message = MESSAGES.validate_json(await socket.receive_text())
                await answer(socket, message)
        except WebSocketDisconnect:
            rooms.leave(socket)

    async def answer(socket: WebSocket, message: AnyMessage) -> None:
        match message:
            case Subscribe():
                await rooms.join(socket, (message.board, message.count))
            case Create():
                ids = store.create(message.board, [message.title])
                await acknowledge(socket, message.id, ids[0])
                await rooms.changed(message.board)
            case Seed():
                store.create(message.board, (f"task {n}" for n in range(message.count)))
                await acknowledge(socket, message.id, message.count)
                await rooms.changed(message.board)
            case Toggle():
                completed = store.toggle(message.board, message.task)
                await acknowledge(socket, message.id, completed)
                await rooms.changed(message.board)
            case Increment():
                await acknowledge(socket, message.id, store.increment(message.name))

    async def acknowledge(socket: WebSocket, id: int, value: str | int) -> None:
        await socket.send_text(orjson.dumps({"type": "ack", "id": id, "value": value}).decode())

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(PAGE)

    @app.get("/boards/{board}/tasks")
    async def newest(board: str, count: int = 100) -> list[dict[str, Any]]:
        return store.newest((board, count))

    @app.post("/boards/{board}/tasks")
    async def create(board: str, title: str) -> str:
        ids = store.create(board, [title])
        await rooms.changed(board)
        return ids[0]

    @app.get("/stats")
    async def stats() -> dict[str, float]:
        return {
            "cpu_s": time.process_time(),
            "executions": store.queries,
            "encodings": rooms.encodings,
        }

    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", type=Path, required=True)
    options = parser.parse_args()
    uvicorn.run(
        build_app(options.database),
        port=options.port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
