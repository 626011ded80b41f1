"""The baseline: the same live task board, written by hand on FastAPI and SQLite."""
