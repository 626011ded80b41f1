"""One contract, every storage."""
