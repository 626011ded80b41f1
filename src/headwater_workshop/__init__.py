"""The workshop around the runtime: new projects, lessons and the grader."""
