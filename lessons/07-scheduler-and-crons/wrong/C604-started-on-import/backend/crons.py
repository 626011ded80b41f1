"""Nothing here: the clean-up starts itself, see cleanup.py."""

from headwater import Crons

crons = Crons()
