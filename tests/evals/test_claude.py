"""One call of `claude -p`: what is read from its stream, and what ends it."""

from pathlib import Path

import pytest
from evals.claude import Budget, Skipped, ask

from tests.evals.conftest import Recorded, calls


def test_a_call_tells_what_was_said_and_done(recorded: Recorded, tmp_path: Path) -> None:
    """Text, tools with their results, session, cost; the edit is in the folder."""
    write = {"file_path": "a.py", "content": "x = 1\n"}
    folder = recorded({"text": "Written.", "edits": [("Write", write)]})
    reply = ask("Write it.", tmp_path, Budget())
    assert (reply.outcome, reply.text, reply.session) == ("finished", "Written.", "s-1")
    assert (reply.turns, reply.dollars, reply.model) == (2, 0.25, "recorded")
    (call,) = reply.tools
    assert (call.name, call.result, call.refused) == ("Write", "done", False)
    assert (tmp_path / "a.py").read_text() == "x = 1\n"
    (words,) = calls(folder)
    assert words[:2] == ["-p", "Write it."]
    assert words[words.index("--max-turns") + 1] == "30"
    assert words[words.index("--max-budget-usd") + 1] == "1"


def test_a_conversation_goes_on(recorded: Recorded, tmp_path: Path) -> None:
    """The session of the reply before is named to the next call."""
    folder = recorded({}, {})
    reply = ask("One.", tmp_path, Budget())
    ask("Two.", tmp_path, Budget(), session=reply.session)
    assert "--resume" not in calls(folder)[0]
    assert calls(folder)[1][-2:] == ["--resume", "s-1"]


def test_a_budget_of_seconds_ends_the_process(recorded: Recorded, tmp_path: Path) -> None:
    """What was said until then is kept."""
    recorded({"hangs": True, "text": "Thinking."})
    reply = ask("Go.", tmp_path, Budget(seconds=0.5))
    assert reply.outcome == "seconds"
    assert reply.seconds < 5


@pytest.mark.parametrize(
    ("recording", "outcome"),
    [
        ({"end": {"subtype": "error_max_turns", "is_error": True}}, "turns"),
        ({"end": {"subtype": "error_max_budget_usd", "is_error": True}}, "dollars"),
        ({"end": {"subtype": "error_during_execution", "is_error": True}}, "failed"),
        ({"turns": 9, "hangs": True}, "turns"),
    ],
)
def test_what_ended_a_call_is_told(
    recorded: Recorded, tmp_path: Path, recording: dict[str, object], outcome: str
) -> None:
    """The command's own limits, a failure, and ours where the command's did not hold."""
    recorded(recording)
    assert ask("Go.", tmp_path, Budget(turns=5)).outcome == outcome


def test_without_an_account_it_is_skipped(recorded: Recorded, tmp_path: Path) -> None:
    """Nothing failed: nobody is signed in, and the command's words say how to."""
    recorded({"end": {"is_error": True, "result": "Invalid API key · Please run /login"}})
    with pytest.raises(Skipped, match="Please run /login"):
        ask("Go.", tmp_path, Budget())


def test_without_the_command_it_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which command is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Skipped, match="`claude` is not installed"):
        ask("Go.", tmp_path, Budget())
