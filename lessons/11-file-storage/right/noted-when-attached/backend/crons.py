"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import abandoned_files, old_rate_limits

crons = Crons()
crons.daily("clean up", old_rate_limits, hour_utc=3)
crons.interval("clean up files", abandoned_files, hours=6)
