"""What `headwater check` does, without the library of commands: an edit hook waits for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headwater.check import check_project, repair_project
from headwater.rules import Finding

OPTIONS = ("--json", "--sarif", "--fix", "--load")


class UsageError(Exception):
    """Paths that cannot be checked; says why."""


def answer(words: Sequence[str]) -> None:
    """Runs the check and ends the process, if its words are but paths and known options.

    Nothing is tidied up at the end: to free what was parsed takes as long as a tenth of the check.
    """
    options = {word for word in words if word.startswith("-")}
    if not options <= set(OPTIONS):
        return
    paths = [Path(word) for word in words if word not in options]
    kept: list[Any] = []
    try:
        as_json, as_sarif, fix, load = (option in options for option in OPTIONS)
        code = checked(paths, as_json, as_sarif, fix, load, kept)
    except UsageError as error:
        print(f"headwater check: {error}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        code = 1
    _end(code)


def _end(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def checked(
    paths: Sequence[Path],
    as_json: bool = False,
    as_sarif: bool = False,
    fix: bool = False,
    load: bool = False,
    kept: list[Any] | None = None,
) -> int:
    """Prints the findings in these files and folders, or in the whole backend; gives the exit code.

    Args:
        paths: what to report on.
        as_json: as JSON.
        as_sarif: as SARIF.
        fix: mend first what needs no judgement.
        load: load the backend too, and tell what that refuses.
        kept: is given what was parsed, by whom who does not want to wait until it is freed.

    Raises:
        UsageError: a path or the backend is not there.
    """
    wanted = [path.absolute() for path in paths]
    root = _project_root(wanted)
    if fix:
        for diff in repair_project(root, lambda path: _is_wanted(root / path, wanted)):
            print(diff, file=sys.stderr if as_json or as_sarif else sys.stdout)
    found = check_project(root, kept)
    if load:
        from headwater.check.loading import with_load

        found = with_load(found, root)
    found = [finding for finding in found if _is_wanted(root / finding.path, wanted)]
    if as_json:
        import json

        print(json.dumps([finding.to_json() for finding in found], indent=2))
    elif as_sarif:
        import json

        from headwater.check.sarif import to_sarif

        print(json.dumps(to_sarif(found), indent=2))
    else:
        _print(found)
    return 1 if found else 0


def _project_root(wanted: Sequence[Path]) -> Path:
    """The nearest folder, from the first path upwards, that holds a backend."""
    for path in wanted:
        if not path.exists():
            raise UsageError(f"{path} does not exist")
    start = wanted[0] if wanted else Path.cwd()
    for folder in (start, *start.parents):
        if (folder / "backend").is_dir() and folder.name != "backend":
            return folder
    raise UsageError(f"no backend/ folder in {start} or above; run it in a project")


def _is_wanted(path: Path, wanted: Sequence[Path]) -> bool:
    resolved = path.resolve() if wanted else path
    return not wanted or any(resolved.is_relative_to(place.resolve()) for place in wanted)


def _print(found: Sequence[Finding]) -> None:
    if sys.stdout.isatty() or "FORCE_COLOR" in os.environ:
        from headwater.cli.styled import print_styled

        print_styled(found, summary(found))
        return
    for finding in found:
        print(finding.render(), end="\n\n")
    print(summary(found))


def summary(found: Sequence[Finding]) -> str:
    """How many there are, or that there are none."""
    if not found:
        return "No findings: every rule that can be read from the code holds."
    warnings = sum(finding.severity == "warning" for finding in found)
    errors = len(found) - warnings
    return ", ".join(filter(None, [_count(errors, "error"), _count(warnings, "warning")]))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
