"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import old_rate_limits

crons = Crons()
crons.daily("clean up", old_rate_limits, hour_utc=3)
