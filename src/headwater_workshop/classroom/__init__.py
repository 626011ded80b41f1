"""The room board: who is where in a workshop, told by the learners' own graders."""
