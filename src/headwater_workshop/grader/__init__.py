"""The grader: a verdict on one lesson, on all of them, or after each save."""
