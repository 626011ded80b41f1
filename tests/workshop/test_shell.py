"""Which files a command line writes."""

from __future__ import annotations

from time import perf_counter

import pytest

from headwater_workshop.shell import AT_MOST, targets, writes

BASH = {
    "echo x > a b": ["a"],
    "echo x >> 'my app/a'": ["my app/a"],
    "cat > a <<'EOF'\nrm b > c\nEOF": ["a"],
    "cat <<EOF | tee -a a b\ntext\nEOF": ["a", "b"],
    "sed -i 's/x/y/' a": ["s/x/y/", "a"],
    "sed -i.bak -e s/x/y/ a": ["s/x/y/", "a"],
    "perl -pi -e 's/x/y/' a": ["s/x/y/", "a"],
    "cp x a": ["a", "a/x"],
    "cp -t d x": ["d", "d/x"],
    "mv a b": ["a", "b"],
    "rm -rf a && echo done": ["a"],
    "sudo FOO=1 rm a": ["a"],
    "find a -name '*.py' -delete": ["a", "*.py"],
    "make test 2>&1 | tee log": ["log"],
    "dd if=/dev/zero of=a": ["a"],
    "bash -c 'echo x > a'": ["a"],
    "curl -o a http://127.0.0.1/": ["a"],
    "git mv a b": ["a", "b"],
    "uv run python -c \"open('a', 'w').write('x')\"": ["a", "w", "x"],
    'python3 -c "open(\\"a\\", \\"w\\").write(1)"': ["a", "w"],
    "python3 - <<'EOF'\nfrom pathlib import Path\nPath('a').write_text('x')\nEOF": ["a", "x"],
    "rm \\\n  a": ["a"],
    "cat <<<'x' > a\nrm b": ["a", "b"],
    "touch a; (cd d; touch b)": ["a", "b"],
}
READS = [
    "cat a | grep x",
    "sed -n 1,20p a",
    "git diff a && git log > /dev/null",
    "uv run headwater check backend/tasks.py",
    "python3 -c \"print(open('a').read())\"",
    "make test 2>&1",
    "diff <(cat a) b",
    "echo 'rm a > b'",
    "python -m pytest -p no:cacheprovider",
    "",
]
POWERSHELL = {
    "Set-Content -Path backend\\_generated\\api.ts -Value x": "backend\\_generated\\api.ts",
    "'x' | Out-File \"my app\\a\"": "my app\\a",
    "Remove-Item -Recurse .headwater": ".headwater",
    "(Get-Content a) -replace 'x','y' > b": "b",
    "Copy-Item x a": "a",
}


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


@pytest.mark.parametrize("command", BASH)
def test_what_a_command_writes_is_read_from_its_words(command: str) -> None:
    """Redirections, the usual programs, and strings of an inline script that writes."""
    found = [each.path for each in targets(command)]
    assert [path for path in found if path in BASH[command]] == BASH[command], found


@pytest.mark.parametrize("command", READS)
def test_reading_is_no_writing(command: str) -> None:
    """Nothing is named but the bin that everybody writes to."""
    assert [each.path for each in targets(command) if each.path != "/dev/null"] == []


@pytest.mark.parametrize("command", POWERSHELL)
def test_powershell_has_words_of_its_own(command: str) -> None:
    """A backslash separates folders there, and escapes nothing."""
    assert POWERSHELL[command] in [each.path for each in targets(command, powershell=True)]


def test_a_change_of_folder_goes_with_the_name() -> None:
    """`cd x && rm y` deletes x/y."""
    (found,) = targets("cd .headwater && rm progress.json")
    assert (found.cwd, found.path, found.gone) == (".headwater", "progress.json", True)


@pytest.mark.parametrize(
    "command",
    [
        "cat <<A > x\n" * 5_000,
        "cat <<A\n" + " \n" * 30_000,
        "python3 - <<A\n" + "".join(f"write('{n}')\n" for n in range(8_000)),
        "bash -c \"bash -c 'bash -c x'\" " * 2_000,
    ],
    ids=["documents", "an endless one", "quotes", "shells"],
)
def test_a_long_command_is_no_long_wait(command: str) -> None:
    """An edit hook has ten seconds, and whoever waits has less."""
    started = perf_counter()
    assert len(targets(command)) <= AT_MOST
    assert perf_counter() - started < 5


def test_a_quote_without_its_partner_is_read_all_the_same() -> None:
    """A shell would refuse it; a hook does not fail on it."""
    assert "a" in [each.path for each in targets("echo 'x > a")]


@pytest.mark.parametrize("command", WRITING)
def test_it_is_seen_when_a_file_is_written(command: str) -> None:
    """Redirects, programs that write, and programs typed in place."""
    assert writes(command, "backend/tasks.py")


@pytest.mark.parametrize("command", READING)
def test_reading_a_file_stays_free(command: str) -> None:
    """A command that only looks at it is none."""
    assert not writes(command, "backend/tasks.py")
