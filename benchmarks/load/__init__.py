"""The load generator: one program for both servers, in a process of its own."""
