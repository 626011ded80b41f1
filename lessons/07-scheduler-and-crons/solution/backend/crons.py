"""What happens every day by itself, in UTC."""

from headwater import Crons

from backend.cleanup import clean_up

crons = Crons()
crons.daily("clean up", clean_up, hour_utc=3)
