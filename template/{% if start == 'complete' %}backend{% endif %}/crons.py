"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import clean_up
from backend.statistics import record_day

crons = Crons()
crons.daily("record statistics", record_day, hour_utc=0, minute_utc=10)
crons.daily("clean up", clean_up, hour_utc=3)
