"""How people write functions, arguments and results."""

from headwater.spelling import integral, wire_arguments, wire_path


def test_functions_may_be_written_as_in_python() -> None:
    """The names of Python and of the wire mean the same function, dots the same folder."""
    assert wire_path("tasks:create_task") == wire_path("tasks:createTask") == "tasks:createTask"
    assert wire_path("admin.tasks:wipe_all") == "admin/tasks:wipeAll"


def test_arguments_may_be_written_as_in_python() -> None:
    """Only their own names change, not what is in them."""
    assert wire_arguments({"room_id": {"as_is": 1}}) == {"roomId": {"as_is": 1}}


def test_whole_numbers_are_shown_whole() -> None:
    """A float64 without a fraction is written without one, at any depth; large ones stay."""
    assert repr(integral([{"n": 3.0}, 2.5, 1e300])) == "[{'n': 3}, 2.5, 1e+300]"
