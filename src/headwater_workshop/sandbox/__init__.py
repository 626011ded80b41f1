"""The jail that a learner's code runs in: its levels, its launcher, and workers that start warm."""
