"""The proof of a lesson: what must pass passes, what must fail fails, and nothing slips through."""
