"""The room board's backend: seats of learners, changed by their graders, seen live by the page.

Everything needs the room's code. What arrives is a learner's own word (`trust: local`) and is shown
as such; the grade is what the instructor's run over the submitted sources says.
"""

import hashlib
import hmac
from typing import Annotated, Literal

from pydantic import Field, SecretStr

import headwater
from headwater import AppError, Document, Index, Model, MutationCtx, QueryCtx, mutation, query

SEATS_AT_MOST = 200

Name = Annotated[str, Field(min_length=1, max_length=40)]
Secret = Annotated[str, Field(min_length=22, max_length=64)]
Word = Annotated[str, Field(max_length=20)]
Count = Annotated[int, Field(ge=0, le=99)]


class Settings(headwater.Settings):
    """The room's configuration.

    Attributes:
        room_code: what one has to know to take part.
    """

    room_code: SecretStr


class Seat(Document, table="seats"):
    """A learner in the room. Whoever has the secret may change the seat; only its hash is kept."""

    seat_hash: str
    name: Name
    lesson: Count = 0
    title: Annotated[str, Field(max_length=100)] = ""
    met: Count = 0
    of: Count = 0
    finding: Word | None = None
    rule: Word | None = None
    stuck_since: float | None = None
    hand_since: float | None = None
    hints: Count = 0
    passed: Annotated[list[Count], Field(max_length=50)] = []
    seen_at: float
    trust: Literal["local"] = "local"
    by_seat_hash = Index("seat_hash")


class Row(Model):
    """What the page shows of a seat."""

    name: str
    lesson: int
    title: str
    met: int
    of: int
    finding: str | None
    rule: str | None
    stuck_since: float | None
    hand_since: float | None
    hints: int
    passed: list[int]
    seen_at: float
    trust: str


class Work(Model):
    """How far a learner is, as their grader saw it."""

    lesson: Count
    title: Annotated[str, Field(max_length=100)]
    met: Count
    of: Count
    finding: Word | None
    rule: Word | None
    hints: Count
    passed: Annotated[list[Count], Field(max_length=50)]


@query
async def room(ctx: QueryCtx, code: str) -> list[Row]:
    """Everybody in the room."""
    check_code(ctx, code)
    return [row_of(seat) for seat in await ctx.db.query(Seat).take(SEATS_AT_MOST)]


@mutation
async def report(ctx: MutationCtx, code: str, seat: Secret, name: Name, work: Work) -> None:
    """Say where one is; a finding that stays the same keeps its time."""
    check_code(ctx, code)
    mine = await seat_of(ctx, seat, name)
    same = (mine.lesson, mine.finding) == (work.lesson, work.finding)
    since = None if work.finding is None else mine.stuck_since if same else ctx.now
    await ctx.db.patch(
        mine.id,
        name=name,
        lesson=work.lesson,
        title=work.title,
        met=work.met,
        of=work.of,
        finding=work.finding,
        rule=work.rule,
        hints=work.hints,
        passed=work.passed,
        stuck_since=since,
        seen_at=ctx.now,
    )


@mutation
async def hand(ctx: MutationCtx, code: str, seat: Secret, name: Name, up: bool) -> None:
    """Raise one's hand, or take it down."""
    check_code(ctx, code)
    mine = await seat_of(ctx, seat, name)
    since = (mine.hand_since or ctx.now) if up else None
    await ctx.db.patch(mine.id, hand_since=since, seen_at=ctx.now)


@mutation
async def leave(ctx: MutationCtx, code: str, seat: Secret) -> None:
    """Take one's seat off the board."""
    check_code(ctx, code)
    mine = await ctx.db.query(Seat).with_index("by_seat_hash", seat_hash=hash_of(seat)).unique()
    if mine is not None:
        await ctx.db.delete(mine.id)


def check_code(ctx: QueryCtx, code: str) -> None:
    """Raises an AppError for whoever does not know the room's code."""
    wanted = ctx.env(Settings).room_code.get_secret_value()
    if not hmac.compare_digest(code.strip().upper().encode(), wanted.encode()):
        raise AppError({"code": "FORBIDDEN", "message": "This is not the room's code."})


def hash_of(seat: str) -> str:
    """What is kept of a seat's secret, which has 128 random bits."""
    return hashlib.sha256(seat.encode()).hexdigest()


def row_of(seat: Seat) -> Row:
    """A seat without what proves whose it is."""
    shown = Row.model_fields
    return Row(**{name: getattr(seat, name) for name in shown})


async def seat_of(ctx: MutationCtx, seat: str, name: str) -> Seat:
    """The seat with this secret; a new one, unless the room is full."""
    seats = ctx.db.query(Seat)
    mine = await seats.with_index("by_seat_hash", seat_hash=hash_of(seat)).unique()
    if mine is not None:
        return mine
    if len(await ctx.db.query(Seat).take(SEATS_AT_MOST)) == SEATS_AT_MOST:
        raise AppError({"code": "FULL", "message": f"The room has {SEATS_AT_MOST} seats."})
    made = Seat(seat_hash=hash_of(seat), name=name, seen_at=ctx.now)
    found = await ctx.db.get(await ctx.db.insert(made))
    assert found is not None
    return found
