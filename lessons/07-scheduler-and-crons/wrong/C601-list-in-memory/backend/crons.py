"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import clean_up
from backend.notifications import send_due

crons = Crons()
crons.daily("clean up", clean_up, hour_utc=3)
crons.interval("send reminders", send_due, minutes=1)
