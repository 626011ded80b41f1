"""The pieces of the server that assistants work through."""
