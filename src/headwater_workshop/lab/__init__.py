"""What a check works at: the lab with its parts, and the learner's processes under it."""
