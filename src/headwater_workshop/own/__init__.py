"""What is the learner's own in a project: found in the lessons' files, and never lost."""
