"""The documentation runs, is complete, and its links resolve."""
