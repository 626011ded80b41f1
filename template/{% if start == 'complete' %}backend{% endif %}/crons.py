"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import clean_up
from backend.statistics import record_day
from backend.summaries import schedule_summaries

crons = Crons()
crons.daily("record statistics", record_day, hour_utc=0, minute_utc=10)
crons.daily("clean up", clean_up, hour_utc=3)
crons.daily("send summaries", schedule_summaries, hour_utc=6)
