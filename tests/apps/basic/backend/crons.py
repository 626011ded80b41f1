"""One cron: it runs when the server starts, and each hour after."""

from backend.scheduling import tick

from headwater import Crons

crons = Crons()
crons.interval("tick", tick, hours=1)
