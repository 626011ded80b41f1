"""The measured backend, and the programs that run it."""
