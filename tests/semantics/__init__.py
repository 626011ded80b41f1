"""wire.md 3, row by row: each test is named after its row."""
