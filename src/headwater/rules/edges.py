"""HW5xx: crons, routes, settings, and finishing honestly."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW501",
        title="Crons",
        mistake="crons in another file, two of one name, arguments that do not fit",
        rule="`crons = Crons()` in `backend/crons.py`: own names, internal targets, arguments "
        "that fit.",
        why="a cron that is not found or does not fit never runs",
        fix="in backend/crons.py: crons = Crons(), then crons.daily(name, function, hour_utc=2)",
        bad="""\
# backend/crons.py
from headwater import Crons, MutationCtx, internal_mutation


@internal_mutation
async def clean(ctx: MutationCtx, days: int) -> None:
    print(f"older than {days} days")


crons = Crons()
crons.daily("clean", clean, hour_utc=2)  # <- HW501
crons.hourly("clean", clean, minute_utc=5, args={"days": 30})  # <- HW501
""",
        good="""\
# backend/crons.py
from headwater import Crons, MutationCtx, internal_mutation


@internal_mutation
async def clean(ctx: MutationCtx, days: int) -> None:
    print(f"older than {days} days")


crons = Crons()
crons.daily("clean old ones", clean, hour_utc=2, args={"days": 30})
crons.hourly("clean", clean, minute_utc=5, args={"days": 90})
""",
        stages=("S", "R"),
    ),
    Rule(
        id="HW502",
        title="HTTP routes",
        mistake="an unverified webhook, several writes in a route, a parsed upload",
        rule="Verify the signature, trust nothing in the body, call one internal mutation.",
        why="anybody can send anything to a URL",
        fix="compare the signature first, then hand the body to one @internal_mutation",
        bad="""\
# backend/routes.py
from backend.events import save
from fastapi import APIRouter, Request

from headwater import HttpCtx

router = APIRouter()


@router.post("/webhooks/shop")
async def shop(request: Request, ctx: HttpCtx) -> None:  # <- HW502
    await ctx.run_mutation(save, body=await request.body())
""",
        good="""\
# backend/routes.py
import hmac

from backend.events import save
from backend.settings import Settings
from fastapi import APIRouter, HTTPException, Request

from headwater import HttpCtx

router = APIRouter()


@router.post("/webhooks/shop")
async def shop(request: Request, ctx: HttpCtx) -> None:
    body = await request.body()
    wanted = hmac.new(ctx.env(Settings).shop_key, body, "sha256").hexdigest()
    if not hmac.compare_digest(wanted, request.headers.get("X-Signature", "")):
        raise HTTPException(401)
    await ctx.run_mutation(save, body=body)
""",
        stages=("S", "R"),
        severity="warning",
    ),
    Rule(
        id="HW503",
        title="Settings and secrets",
        mistake="`os.environ` in functions, keys in the code, secrets in logs",
        rule="Settings: `backend/settings.py`, read by `ctx.env(Settings)`. No keys in code "
        "or logs.",
        why="a setting that is declared is checked at the start, and redacted in logs",
        fix="declare it in class Settings of backend/settings.py, read ctx.env(Settings).api_key",
        bad="""\
# backend/weather.py
import os

from headwater import ActionCtx, internal_action


@internal_action
async def city(ctx: ActionCtx) -> str:
    return os.environ["CITY"]  # <- HW503
""",
        good="""\
# backend/weather.py
from backend.settings import Settings
from headwater import ActionCtx, internal_action


@internal_action
async def city(ctx: ActionCtx) -> str:
    return ctx.env(Settings).city
""",
        stages=("S", "R", "T"),
    ),
    Rule(
        id="HW504",
        title="Finish honestly",
        mistake='"done" without a run; a test, a hook or a generated file changed to get there',
        rule="`headwater check` and the tests pass first. Tests, hooks, generated files stay "
        "as they are.",
        why="a test that was bent proves nothing, and the next run finds out",
        fix="run headwater check and the tests; mend the code, and leave its tests alone",
        bad="""\
# tests/test_tasks.py
import pytest


@pytest.mark.skip("fails since the last change")  # <- HW504
def test_a_task_is_created() -> None:
    assert False
""",
        good="""\
# tests/test_tasks.py
from backend.tasks import create, get_tasks
from headwater.testing import Backend


def test_a_task_is_created(backend: Backend) -> None:
    ana = backend.with_identity(subject="ana")
    ana.mutation(create, title="Write")
    assert [task.title for task in ana.query(get_tasks)] == ["Write"]
""",
        stages=("H",),
    ),
]
