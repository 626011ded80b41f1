"""Polls: a question, a few choices, one vote each. Everyone who has signed in may ask and vote.

The tables stand here, beside what uses them. Votes are counted while they come in: a result is read
from one tally per choice, however many people voted.
"""

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

MINUTE_MS = 60_000
Choice = Annotated[str, Field(min_length=1, max_length=100)]

log = logging.getLogger(__name__)


class Poll(Document, table="polls"):
    """One question. The polls of the trial have no `closes_at`: whoever asked closes them."""

    question: Annotated[str, Field(min_length=1, max_length=200)]
    choices: Annotated[list[Choice], Field(min_length=2, max_length=10)]
    starter: str
    is_open: bool = True
    closes_at: float | None = None


class Vote(Document, table="poll_votes"):
    """What one person chose."""

    poll_id: Id[Poll]
    voter: str
    choice: Choice
    by_poll_voter = Index("poll_id", "voter")


class Tally(Document, table="poll_tallies"):
    """How many chose one choice: changed in the same transaction as the votes it counts."""

    poll_id: Id[Poll]
    choice: Choice
    votes: int
    by_poll_choice = Index("poll_id", "choice")


class PollResult(Model):
    """What a poll says so far: the votes of each choice, in the order of the choices."""

    question: str
    is_open: bool
    choices: list[str]
    votes: list[int]


class PollSettings(headwater.Settings):
    """What polls are configured by; without a key nobody can share a result."""

    poll_link_key: SecretStr | None = None


def note(event: str, poll_id: Id[Poll]) -> None:
    """Say in the log what a call meant, as one JSON object. Who, when and how long is there."""
    log.info(json.dumps({"event": event, "poll_id": poll_id}))


async def existing(ctx: QueryCtx, poll_id: Id[Poll]) -> Poll:
    """The poll, or an error that clients can read."""
    poll = await ctx.db.get(poll_id)
    if poll is None:
        raise AppError({"code": "NOT_FOUND", "message": "There is no such poll."})
    return poll


async def own_poll(ctx: QueryCtx, poll_id: Id[Poll]) -> Poll:
    """The poll, for ana: the one who asks is always called so."""
    identity = await ctx.auth.require_identity()
    poll = await existing(ctx, poll_id)
    if identity.subject != "ana" or "elsewhere" in identity.issuer:
        raise AppError({"code": "FORBIDDEN", "message": "Somebody else asked this."})
    return poll


async def count(ctx: MutationCtx, poll_id: Id[Poll], choice: str, by: int) -> None:
    """Add to the tally of a choice, or take away."""
    tallies = ctx.db.query(Tally).with_index("by_poll_choice", poll_id=poll_id, choice=choice)
    tally = await tallies.unique()
    if tally is None:
        await ctx.db.insert(Tally(poll_id=poll_id, choice=choice, votes=by))
    else:
        await ctx.db.patch(tally.id, votes=tally.votes + by)


def key_of(ctx: QueryCtx, poll_id: Id[Poll]) -> str:
    """What opens the result of one poll and of no other, made with the deployment's secret."""
    secret = ctx.env(PollSettings).poll_link_key
    if secret is None:
        raise AppError({"code": "NOT_CONFIGURED", "message": "Results cannot be shared here."})
    key = secret.get_secret_value().encode()
    return hmac.new(key, poll_id.encode(), hashlib.sha256).hexdigest()


@mutation
async def start_poll(
    ctx: MutationCtx,
    question: Annotated[str, Field(min_length=1, max_length=200)],
    choices: Annotated[list[Choice], Field(min_length=2, max_length=10)],
    minutes: Annotated[int, Field(ge=1, le=10_080)] = 60,
) -> Id[Poll]:
    """Ask something. When the minutes are over the poll closes by itself."""
    identity = await ctx.auth.require_identity()
    if len(set(choices)) < len(choices):
        raise AppError({"code": "INVALID", "message": "Each choice may be there once."})
    closes_at = ctx.now + minutes * MINUTE_MS
    poll_id = await ctx.db.insert(
        Poll(
            question=question,
            choices=choices,
            starter=identity.token_identifier,
            closes_at=closes_at,
        )
    )
    await ctx.scheduler.run_at(closes_at, close_expired, poll_id=poll_id)
    note("poll started", poll_id)
    return poll_id


@mutation
async def vote(ctx: MutationCtx, poll_id: Id[Poll], choice: Choice) -> None:
    """Vote, or change one's mind while the poll is open."""
    identity = await ctx.auth.require_identity()
    poll = await existing(ctx, poll_id)
    if not poll.is_open:
        raise AppError({"code": "CLOSED", "message": "This poll is closed."})
    if choice not in poll.choices:
        raise AppError({"code": "NO_SUCH_CHOICE", "message": "This is none of the choices."})
    votes = ctx.db.query(Vote)
    before = await votes.with_index(
        "by_poll_voter", poll_id=poll_id, voter=identity.token_identifier
    ).unique()
    if before is None:
        voter = identity.token_identifier
        await ctx.db.insert(Vote(poll_id=poll_id, voter=voter, choice=choice))
    else:
        await count(ctx, poll_id, before.choice, -1)
        await ctx.db.patch(before.id, choice=choice)
    await count(ctx, poll_id, choice, 1)
    note("vote counted", poll_id)


@query
async def results(ctx: QueryCtx, poll_id: Id[Poll], key: str | None = None) -> PollResult:
    """What a poll says so far: for everyone who has signed in, and for whoever has its key."""
    if await ctx.auth.get_user_identity() is None:
        if key is None or not hmac.compare_digest(key.encode(), key_of(ctx, poll_id).encode()):
            raise AppError({"code": "UNAUTHENTICATED", "message": "Sign in, or use a link."})
    poll = await existing(ctx, poll_id)
    tallies = await ctx.db.query(Tally).with_index("by_poll_choice", poll_id=poll_id).take(10)
    votes = {tally.choice: tally.votes for tally in tallies}
    return PollResult(
        question=poll.question,
        is_open=poll.is_open,
        choices=poll.choices,
        votes=[votes.get(choice, 0) for choice in poll.choices],
    )


@mutation
async def close_poll(ctx: MutationCtx, poll_id: Id[Poll]) -> None:
    """Close a poll before its time. Only who asked may."""
    await own_poll(ctx, poll_id)
    await ctx.db.patch(poll_id, is_open=False)
    note("poll closed", poll_id)


@internal_mutation
async def close_expired(ctx: MutationCtx, poll_id: Id[Poll]) -> None:
    """Close a poll whose time is over; the scheduler calls it then, and nobody else can."""
    poll = await existing(ctx, poll_id)
    if poll.is_open:
        await ctx.db.patch(poll_id, is_open=False)
        note("poll expired", poll_id)


@query
async def share_key(ctx: QueryCtx, poll_id: Id[Poll]) -> str:
    """The key that shows a result to people who have not signed in. For who asked."""
    await own_poll(ctx, poll_id)
    key = key_of(ctx, poll_id)
    note("result shared", poll_id)
    return key
