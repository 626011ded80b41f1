"""The deployment's variables: their file, their limits, and the process's environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from headwater.errors import VariableInvalid
from headwater.settings import Limits
from headwater.variables import Put, Variables, addresses


def test_variables_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    """In a file that nobody else may read, sorted by name; None removes one."""
    variables = Variables(tmp_path)
    variables.change({"B": "2", "A": "1", "C": "3"})
    variables.change({"C": None, "D": None})
    assert list(Variables(tmp_path).read().items()) == [("A", "1"), ("B", "2")]
    file = tmp_path / ".headwater" / "env.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["env.json"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", "x", "is no name of a variable"),
        ("1A", "x", "is no name of a variable"),
        ("A-B", "x", "is no name of a variable"),
        ("A" * 41, "x", "41 characters, the limit is 40"),
        ("CONVEX_SITE_URL", "x", "built in"),
        ("HEADWATER_ADMIN_KEY", "x", "belongs to the server"),
        ("A", "é" * 4097, "8194 bytes, the limit is 8192"),
        ("A", "a\0b", "NUL"),
        ("A", "\ud800", "no Unicode"),
    ],
)
def test_what_cannot_be_a_variable_is_told(
    tmp_path: Path, name: str, value: str, message: str
) -> None:
    """And nothing of the same change is kept."""
    variables = Variables(tmp_path)
    with pytest.raises(VariableInvalid, match=message):
        variables.change({"GOOD": "1", name: value})
    assert variables.read() == {}


def test_variables_at_their_limits_pass(tmp_path: Path) -> None:
    """Forty characters, eight kilobytes, and the last variable that is allowed; not one more."""
    variables = Variables(tmp_path, Limits(variables=2))
    variables.change({"A" * 40: "x" * 8192, "B": ""})
    assert len(variables.read()) == 2
    with pytest.raises(VariableInvalid, match="may have 2 variables, these would be 3"):
        variables.change({"C": "1"})


@pytest.mark.parametrize("text", ["{", "[]", '{"A": 1}'])
def test_a_file_changed_by_hand_is_told(tmp_path: Path, text: str) -> None:
    """With its place and what to do; it is not written over."""
    file = tmp_path / ".headwater" / "env.json"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(VariableInvalid, match=r"env\.json is not what"):
        Variables(tmp_path).change({"A": "1"})
    assert file.read_text() == text


def test_what_is_put_into_the_environment_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was there before, and however often it was put."""
    monkeypatch.setenv("HELD", "before")
    monkeypatch.delenv("NEW", raising=False)
    put = Put()
    put.put({"HELD": "1", "NEW": "1"})
    put.put({"HELD": None, "NEW": "2"})
    assert (os.environ.get("HELD"), os.environ["NEW"]) == (None, "2")
    put.undo()
    assert (os.environ["HELD"], os.environ.get("NEW")) == ("before", None)


def test_addresses_are_what_the_server_is_bound_to() -> None:
    """Routes are below /http without a port of their own."""
    assert addresses("::1", 80)["CONVEX_CLOUD_URL"] == "http://[::1]:80"
    assert addresses("h", 1)["CONVEX_SITE_URL"] == "http://h:1/http"
    assert addresses("h", 1, 2)["CONVEX_SITE_URL"] == "http://h:2"
