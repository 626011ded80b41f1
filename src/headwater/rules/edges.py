"""HW5xx: crons, routes, settings, and finishing honestly."""

RULES = []
