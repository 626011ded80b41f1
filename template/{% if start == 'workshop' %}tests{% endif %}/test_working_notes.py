"""What working notes promise."""

from headwater.testing import Backend

from backend.working_notes import about, add, recent, remove


def test_notes_come_back_newest_first(backend: Backend) -> None:
    """All of them, or those about one topic."""
    for topic, text in (("search", "Titles only."), ("pages", "React."), ("search", "No stems.")):
        backend.mutation(add, topic=topic, text=text)
    assert [note.text for note in backend.query(recent)] == ["No stems.", "React.", "Titles only."]
    assert [note.text for note in backend.query(about, topic="search")] == [
        "No stems.",
        "Titles only.",
    ]


def test_a_note_that_is_no_longer_true_goes(backend: Backend) -> None:
    """By its id, as `recent` shows it."""
    note_id = backend.mutation(add, topic="search", text="Titles only.")
    backend.mutation(remove, note_id=note_id)
    assert backend.query(recent) == []
