"""The rule about the checker itself."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW000",
        title="The checker must be able to judge",
        mistake="a file that does not parse, or imports what is not there; a finding silenced "
        "without saying why",
        rule="Files are readable Python and import what is there; an allowance gives its reason.",
        why="the next reader has to know why the rule does not hold here",
        fix="write the reason behind two dashes:\n"
        "# headwater: allow HW401 -- the table never has more than ten documents",
        bad="""\
# backend/rooms.py
from backend.schema import Room
from headwater import QueryCtx, query


@query
async def open_rooms(ctx: QueryCtx) -> list[Room]:
    # headwater: allow HW401  # <- HW000
    return await ctx.db.query(Room).filter(lambda room: room.open).take(10)
""",
        good="""\
# backend/rooms.py
from backend.schema import Room
from headwater import QueryCtx, query


@query
async def open_rooms(ctx: QueryCtx) -> list[Room]:
    # headwater: allow HW401 -- the building has six rooms
    return await ctx.db.query(Room).filter(lambda room: room.open).take(10)
""",
        stages=("S",),
    ),
]
