"""For a room without network: a folder with all that it needs, and what is done there with it."""
