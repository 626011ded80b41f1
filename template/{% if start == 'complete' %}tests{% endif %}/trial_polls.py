"""Polls as the database of the trial holds them: since March, under the schema of that time.

Put one in with `backend.run(lambda ctx: ctx.db.insert("polls", TRIAL_POLLS[0]))`.
"""

TRIAL_POLLS = [
    {
        "question": "Tea or coffee?",
        "choices": ["Tea", "Coffee"],
        "starter": "https://issuer.example|ana",
        "isOpen": True,
    },
    {
        "question": "Where do we meet?",
        "choices": ["Library", "Garden", "Café"],
        "starter": "https://issuer.example|ben",
        "isOpen": False,
    },
]
