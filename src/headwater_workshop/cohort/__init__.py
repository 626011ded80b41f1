"""Grading a cohort: many submissions of people one does not know, into one gradebook."""
