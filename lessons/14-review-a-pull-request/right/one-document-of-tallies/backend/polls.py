"""Polls, with all tallies of a poll in one small document: there are ten choices at most."""

import base64
import hashlib
import hmac
import json
import logging
from typing import Annotated

import headwater
from headwater import (
    AppError,
    Document,
    Id,
    Index,
    Model,
    MutationCtx,
    QueryCtx,
    internal_mutation,
    mutation,
    query,
)
from pydantic import Field, SecretStr

Choice = Annotated[str, Field(min_length=1, max_length=100)]
Choices = Annotated[list[Choice], Field(min_length=2, max_length=10)]
Question = Annotated[str, Field(min_length=1, max_length=200)]

logger = logging.getLogger("polls")


class Poll(Document, table="polls"):
    """One question."""

    question: Question
    choices: Choices
    starter: str
    is_open: bool = True
    closes_at: float | None = None


class Ballot(Document, table="ballots"):
    """One person's choice, by its place in the list."""

    poll_id: Id[Poll]
    token: str
    place: int
    by_poll_id_token = Index("poll_id", "token")


class Count(Document, table="poll_counts"):
    """The votes of every choice of one poll, in the order of its choices."""

    poll_id: Id[Poll]
    votes: Annotated[list[int], Field(max_length=10)]
    by_poll_id = Index("poll_id")


class PollResult(Model):
    """What a poll says so far."""

    question: str
    is_open: bool
    choices: list[str]
    votes: list[int]


class LinkSettings(headwater.Settings):
    """The secret that keys of results are made with."""

    poll_link_key: SecretStr | None = None


def refusal(code: str) -> AppError:
    """An error that clients can read."""
    return AppError({"code": code, "message": f"This was refused: {code}."})


async def the_poll(ctx: QueryCtx, poll_id: Id[Poll]) -> Poll:
    """The poll that is meant."""
    found = await ctx.db.get(poll_id)
    if found is None:
        raise refusal("NOT_FOUND")
    return found


async def caller(ctx: QueryCtx) -> str:
    """Who calls."""
    return (await ctx.auth.require_identity()).token_identifier


async def counted(ctx: QueryCtx, poll_id: Id[Poll]) -> Count | None:
    """The document with the tallies; none before the first vote."""
    return await ctx.db.query(Count).with_index("by_poll_id", poll_id=poll_id).unique()


def result_key(ctx: QueryCtx, poll_id: Id[Poll]) -> str:
    """What opens one result."""
    secret = ctx.env(LinkSettings).poll_link_key
    if secret is None:
        raise refusal("NOT_CONFIGURED")
    made = hmac.digest(secret.get_secret_value().encode(), poll_id.encode(), hashlib.sha512)
    return base64.urlsafe_b64encode(made).decode()


def say(what: str, **facts: object) -> None:
    """One JSON object in the log."""
    logger.info(json.dumps({"event": what, **facts}))


@mutation
async def start_poll(
    ctx: MutationCtx,
    question: Question,
    choices: Choices,
    minutes: Annotated[int, Field(ge=1, le=10_080)] = 60,
) -> Id[Poll]:
    """Ask something."""
    token, wait_ms = await caller(ctx), minutes * 60_000
    if len({*choices}) != len(choices):
        raise refusal("INVALID")
    poll = Poll(question=question, choices=choices, starter=token, closes_at=ctx.now + wait_ms)
    poll_id = await ctx.db.insert(poll)
    await ctx.scheduler.run_after(wait_ms, close_expired, poll_id=poll_id)
    say("polls.start", poll_id=poll_id, minutes=minutes)
    return poll_id


@mutation
async def vote(ctx: MutationCtx, poll_id: Id[Poll], choice: Choice) -> None:
    """Vote, or move one's vote."""
    token, poll = await caller(ctx), await the_poll(ctx, poll_id)
    if not poll.is_open:
        raise refusal("CLOSED")
    if choice not in poll.choices:
        raise refusal("NO_SUCH_CHOICE")
    place = poll.choices.index(choice)
    ballots = ctx.db.query(Ballot).with_index("by_poll_id_token", poll_id=poll_id, token=token)
    ballot, count = await ballots.unique(), await counted(ctx, poll_id)
    votes = list(count.votes) if count is not None else [0] * len(poll.choices)
    if ballot is not None:
        votes[ballot.place] -= 1
        await ctx.db.patch(ballot.id, place=place)
    else:
        await ctx.db.insert(Ballot(poll_id=poll_id, token=token, place=place))
    votes[place] += 1
    if count is None:
        await ctx.db.insert(Count(poll_id=poll_id, votes=votes))
    else:
        await ctx.db.patch(count.id, votes=votes)
    say("polls.vote", poll_id=poll_id, place=place)


@query
async def results(ctx: QueryCtx, poll_id: Id[Poll], key: str | None = None) -> PollResult:
    """What a poll says so far."""
    identity = await ctx.auth.get_user_identity()
    if identity is None and key is None:
        raise refusal("UNAUTHENTICATED")
    if identity is None and not hmac.compare_digest(
        (key or "").encode(), result_key(ctx, poll_id).encode()
    ):
        raise refusal("UNAUTHENTICATED")
    poll, count = await the_poll(ctx, poll_id), await counted(ctx, poll_id)
    votes = count.votes if count is not None else [0] * len(poll.choices)
    return PollResult(
        question=poll.question, is_open=poll.is_open, choices=poll.choices, votes=votes
    )


@mutation
async def close_poll(ctx: MutationCtx, poll_id: Id[Poll]) -> None:
    """Close a poll: for who asked."""
    token = await caller(ctx)
    if (await the_poll(ctx, poll_id)).starter != token:
        raise refusal("FORBIDDEN")
    await ctx.db.patch(poll_id, is_open=False)
    say("polls.close", poll_id=poll_id, by="starter")


@internal_mutation
async def close_expired(ctx: MutationCtx, poll_id: Id[Poll]) -> None:
    """Close a poll when its time is over."""
    poll = await ctx.db.get(poll_id)
    if poll is None or not poll.is_open or poll.closes_at is None or poll.closes_at > ctx.now:
        return
    await ctx.db.patch(poll_id, is_open=False)
    say("polls.close", poll_id=poll_id, by="clock")


@query
async def share_key(ctx: QueryCtx, poll_id: Id[Poll]) -> str:
    """A key to one result: for who asked."""
    token = await caller(ctx)
    if (await the_poll(ctx, poll_id)).starter != token:
        raise refusal("FORBIDDEN")
    say("polls.share", poll_id=poll_id)
    return result_key(ctx, poll_id)
