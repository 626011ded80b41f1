"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import old_rate_limits
from backend.notifications import send_due

crons = Crons()
crons.daily("clean up", old_rate_limits, hour_utc=3)
crons.interval("send reminders", send_due, minutes=1)
