"""What happens every hour by itself."""

from headwater import Crons

from backend.cleanup import old_rate_limits

crons = Crons()
crons.hourly("forget old limits", old_rate_limits, minute_utc=7, args={"batch": 300})
