"""Does the guidance help, and does the tutor keep the learner's work to the learner?

    arms      what an assistant finds: nothing, rulebook, + check, + hooks, + MCP and skills
    tasks     the lessons, as what is asked for
    claude    one call of `claude -p`, with a budget
    runs      a task in an arm: project, call, grade; results as dated JSON
    leaks     the scorer of tutor mode, on a transcript
    pasting, diffs   a reply's code put where the learner would put it
    tutoring  a learner's turns in tutor mode, with `claude -p`
    page      the tables of docs/guides/evals.md

`python -m evals --help` tells the rest. Without the command `claude` or an account it says so, and
runs nothing.
"""
