"""The files of `backend/`, parsed; what cannot be read becomes a finding, never a crash."""

from __future__ import annotations

import ast
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

from headwater.rules import Finding, rule

MAX_FILE_BYTES = 1_000_000  # a module this long is data; parsing it would hold up the editor
_SKIPPED_FOLDERS = {"__pycache__", "_generated", "node_modules"}
_OTHER_HOMES = ("api", "app", "convex", "functions", "routes", "server", "services", "src")
_MOST_OUTSIDE = 300  # files: what is looked for there would be in the first ones


@dataclass(frozen=True)
class Source:
    """One parsed module: `path` is relative to the project, `module` is its dotted name."""

    path: str
    module: str
    tree: ast.Module
    text: str
    is_package: bool = False

    @property
    def wire_module(self) -> str:
        """The module as function paths name it: `backend.actions.simple` is `actions/simple`."""
        return self.module.partition(".")[2].replace(".", "/")


def read_backend(root: Path) -> tuple[list[Source], list[Finding]]:
    """Every module below `root/backend`, and a finding for each file that could not be read."""
    sources: list[Source] = []
    findings: list[Finding] = []
    backend = root / "backend"
    skipped = len(str(backend)) - len("backend")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an invalid escape, say
        for file in _python_files(backend):
            read = _read(file, str(file)[skipped:].replace(os.sep, "/"))
            if isinstance(read, Finding):
                findings.append(read)
            else:
                sources.append(read)
    return sources, findings


def read_outside(root: Path) -> list[Source]:
    """The modules in the project's folder, and where other frameworks keep functions, that have to
    do with headwater or with routes. Tests are left out: they may define what they like.
    """
    files = sorted(root.glob("*.py"))
    for name in _OTHER_HOMES:
        files += _python_files(root / name)
    found = []
    for file in files[:_MOST_OUTSIDE]:
        path = file.relative_to(root)
        if _is_test(path) or not _is_relevant(file):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = _read(file, path.as_posix())
        if isinstance(read, Source):
            found.append(read)
    return found


def _is_test(path: Path) -> bool:
    name = path.name
    named = name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    return named or bool({"tests", "test", "site-packages"} & set(path.parts))


def _is_relevant(file: Path) -> bool:
    try:
        raw = file.read_bytes() if file.stat().st_size <= MAX_FILE_BYTES else b""
    except OSError:
        return False
    return any(word in raw for word in (b"headwater import", b"import headwater", b"fastapi"))


def _python_files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(".")
        )
        found += [Path(here, name) for name in sorted(files) if name.endswith(".py")]
    return found


def _read(file: Path, path: str) -> Source | Finding:
    try:
        about = os.stat(file)
        if not stat.S_ISREG(about.st_mode):
            return _unreadable(path, "is not a regular file")
        if about.st_size > MAX_FILE_BYTES:
            return _too_large(path, about.st_size)
        with open(file, "rb", buffering=0) as opened:
            raw = opened.readall()
    except FileNotFoundError:  # a link that leads nowhere
        return _unreadable(path, "is not a regular file")
    except OSError as error:
        return _unreadable(path, f"cannot be read: {error.strerror}")
    try:
        tree = ast.parse(raw, path)
    except SyntaxError as error:
        return _does_not_parse(path, raw, error)
    except (RecursionError, MemoryError):
        return too_deep(path)
    except ValueError as error:
        return _unreadable(path, f"cannot be parsed: {error}")
    package = file.name == "__init__.py"
    parts = path.removesuffix(".py").split("/")
    return Source(path, ".".join(parts[:-1] if package else parts), tree, _text(raw), package)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _does_not_parse(path: str, raw: bytes, error: SyntaxError) -> Finding:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        if b"coding" not in raw[:200]:
            return _unreadable(
                path,
                "is not UTF-8",
                line=raw.count(b"\n", 0, undecodable.start) + 1,
                fix="save the file as UTF-8",
            )
    if "null byte" in error.msg:
        return _unreadable(path, "holds null bytes: it is no Python source")
    return _unreadable(
        path,
        f"does not parse: {error.msg}",
        line=error.lineno or 0,
        col=error.offset or 0,
        fix="mend the syntax at this place, or just before it",
    )


def too_deep(path: str) -> Finding:
    """The finding for a file whose expressions cannot be walked."""
    return rule("HW000").finding(
        f"{path} nests expressions too deeply and was not checked",
        stage="S",
        path=path,
        severity="warning",
        why="neither Python's parser nor the checker goes that deep",
        fix="split the longest expression or chain into several statements",
    )


def _too_large(path: str, size: int) -> Finding:
    return rule("HW000").finding(
        f"{path} has {size:,} bytes and was not checked",
        stage="S",
        path=path,
        severity="warning",
        why=f"files over {MAX_FILE_BYTES:,} bytes are taken for data",
        fix="keep functions in smaller modules, and data in a table or a file that is not Python",
    )


def _unreadable(
    path: str, what: str, *, line: int = 0, col: int = 0, fix: str = "replace or remove the file"
) -> Finding:
    return rule("HW000").finding(
        f"{path} {what}",
        stage="S",
        path=path,
        line=line,
        col=col,
        why="the backend cannot be loaded with it",
        fix=fix,
    )
