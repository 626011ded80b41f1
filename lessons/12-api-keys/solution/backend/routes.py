"""HTTP for those who cannot subscribe: programs with an API key."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from headwater import AppError, HttpCtx, Model
from pydantic import Field, ValidationError

from backend.api_keys import hash_of
from backend.programs import add_task_of_key, tasks_of_key
from backend.schema import Priority

router = APIRouter()

STATUS = {"UNAUTHENTICATED": 401, "RATE_LIMITED": 429}


class NewTask(Model):
    """The body of a request for a new task."""

    title: Annotated[str, Field(max_length=200)]
    priority: Priority | None = None


def key_hash(authorization: Annotated[str, Header()] = "") -> str:
    """The hash of the key in `Authorization: Bearer KEY`: nothing after this line has the key."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise HTTPException(
            401, "Send `Authorization: Bearer KEY`.", headers={"WWW-Authenticate": "Bearer"}
        )
    return hash_of(key.strip())


KeyHash = Annotated[str, Depends(key_hash)]


@contextmanager
def answered() -> Iterator[None]:
    """Turns an AppError into the HTTP status that says the same."""
    try:
        yield
    except AppError as error:
        data = error.data
        if not isinstance(data, dict) or data.get("code") not in STATUS:
            raise
        headers = {}
        if "retry_after_ms" in data:
            headers["Retry-After"] = str(ceil(data["retry_after_ms"] / 1000))
        raise HTTPException(STATUS[data["code"]], data, headers) from None


@router.get("/api/v1/tasks")
async def get_tasks(ctx: HttpCtx, key: KeyHash) -> JSONResponse:
    """The newest 100 tasks of whose key it is."""
    with answered():
        tasks = await ctx.run_mutation(tasks_of_key, key_hash=key)
    return JSONResponse({"tasks": [task.model_dump(by_alias=True) for task in tasks]})


@router.post("/api/v1/tasks", status_code=201)
async def post_task(ctx: HttpCtx, key: KeyHash, request: Request) -> dict[str, str]:
    """A new task of whose key it is; 400 for a body that is no JSON, or JSON of another shape."""
    try:
        new = NewTask.model_validate_json(await request.body())
    except ValidationError as error:
        misfits = error.errors(include_url=False, include_context=False, include_input=False)
        raise HTTPException(400, misfits) from None
    with answered():
        task_id = await ctx.run_mutation(
            add_task_of_key, key_hash=key, title=new.title, priority=new.priority
        )
    return {"id": task_id}
