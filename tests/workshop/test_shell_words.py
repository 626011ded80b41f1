"""Whether a command seems to write a file, told by its words."""

from __future__ import annotations

import pytest

from headwater_workshop.shell_words import file_words, writes

WRITING = [
    "cat > backend/tasks.py <<'EOF'\nx = 1\nEOF",
    "cd backend && echo x >> tasks.py",
    'echo x >"backend/tasks.py"',
    "printf x | tee backend/tasks.py",
    "sed -i 's/a/b/' backend/tasks.py",
    "sed -E -i.bak 's/a/b/' backend/tasks.py",
    "perl -pi -e 's/a/b/' backend/tasks.py",
    "cp /tmp/solution.py backend/tasks.py",
    "cp /tmp/tasks.py backend/",
    "mv backend/tasks.py /tmp",
    "git checkout main -- backend/tasks.py",
    "patch backend/tasks.py < /tmp/x",
    "python3 - <<'E'\nopen('backend/tasks.py','w').write('x')\nE",
    "uv run python -c \"import pathlib; pathlib.Path('backend/tasks.py').write_text('x')\"",
    "Set-Content backend\\tasks.py x",
    "FOO=1 rm \\\n  backend/tasks.py",
]
READING = [
    "cat backend/tasks.py",
    "grep -n 'ctx.db.patch' backend/tasks.py",
    "cat backend/tasks.py > /tmp/copy",
    "grep x backend/tasks.py 2>/dev/null",
    "cp backend/tasks.py /tmp/kept.py",
    "sed -n 1,40p backend/tasks.py",
    "git diff backend/tasks.py | tee /tmp/x",
    "uv run pytest tests/test_tasks.py -k write",
    "echo x > backend/my_tasks.py",
    "uv run ruff check backend/tasks.py",
]


@pytest.mark.parametrize("command", WRITING)
def test_it_is_seen_when_a_file_is_written(command: str) -> None:
    """Redirects, programs that write, and programs typed in place."""
    assert writes(command, file_words("backend/tasks.py"), "backend")


@pytest.mark.parametrize("command", READING)
def test_reading_a_file_stays_free(command: str) -> None:
    """A command that only looks at it is none."""
    assert not writes(command, file_words("backend/tasks.py"), "backend")
