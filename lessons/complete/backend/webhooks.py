"""Telling another service: a signed request for every completed task, to WEBHOOK_URL.

A mutation cannot send it, for it may run again. It schedules the action in its own transaction:
what is rolled back tells nobody, and what is committed tells for certain that the task is done.
"""

import hashlib
import hmac
import json
import ssl
from functools import cache

import httpx
from headwater import ActionCtx, Id, Model, MutationCtx, QueryCtx, internal_action, internal_query

from backend.schema import Task
from backend.settings import Settings

ATTEMPTS = 5
FIRST_PAUSE_MS = 10_000
TIMEOUT_S = 10.0


class TaskNews(Model):
    """What the other service is told of a task."""

    task_id: Id[Task]
    title: str
    assignee: str
    project_id: str | None = None


def sign(secret: str, body: bytes) -> str:
    """The value of X-Signature: who has the secret too can tell that nobody else wrote the body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def announce_completed(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Schedule the news of a task that was just completed, if anybody wants to know."""
    if ctx.env(Settings).webhook_url is not None:
        event_id = f"{task_id}-{ctx.now:.0f}"  # the same for every attempt, so it counts once
        await ctx.scheduler.run_after(0, deliver_webhook, task_id=task_id, event_id=event_id)


@internal_action
async def deliver_webhook(
    ctx: ActionCtx, task_id: Id[Task], event_id: str, attempt: int = 1
) -> None:
    """Send the news; if nobody takes them, try again after 10, 20, 40 and 80 seconds.

    The scheduler runs an action once at most, so an attempt that fails schedules the next itself.
    """
    settings = ctx.env(Settings)
    news = await ctx.run_query(task_news, task_id=task_id)
    if news is None or settings.webhook_url is None or settings.webhook_secret is None:
        return
    event = {"id": event_id, "type": "task.completed", "data": news.model_dump(by_alias=True)}
    body = json.dumps(event).encode()
    signature = sign(settings.webhook_secret.get_secret_value(), body)
    problem = await _post(settings.webhook_url, body, signature)
    if problem is None:
        return
    print(f"webhook, attempt {attempt} of {ATTEMPTS}: {problem}")
    if attempt < ATTEMPTS:
        pause_ms = FIRST_PAUSE_MS * 2 ** (attempt - 1)
        await ctx.scheduler.run_after(
            pause_ms, deliver_webhook, task_id=task_id, event_id=event_id, attempt=attempt + 1
        )


@internal_query
async def task_news(ctx: QueryCtx, task_id: Id[Task]) -> TaskNews | None:
    """What to tell of a task, None when it is gone."""
    task = await ctx.db.get(task_id)
    if task is None or task.deleted_at is not None:
        return None
    return TaskNews(
        task_id=task.id, title=task.title, assignee=task.assignee, project_id=task.project_id
    )


async def _post(url: str, body: bytes, signature: str) -> str | None:
    """What went wrong, None for nothing. Redirects are not followed: the address is as it was set.

    The address may hold a secret, and an error of the network repeats it: only its kind is told.
    """
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted()) as client:
            answer = await client.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"status {answer.status_code}"


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates count. Read once: it takes longer than to send the news."""
    return httpx.create_ssl_context()
