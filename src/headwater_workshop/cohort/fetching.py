"""Getting a stranger's repository without running anything of it.

Nothing is checked out: no hook, filter, LFS pointer, submodule or symbolic link ever comes to
effect. Git brings the newest commit's objects into a bare repository over https, and the few text
files that are graded are read out of it by their object ids.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from headwater_workshop.cohort.groups import end, group
from headwater_workshop.grader.grader import DEPTH_AT_MOST, FILE_BYTES_AT_MOST, FILES_AT_MOST
from headwater_workshop.kit import KitError

FETCH_S = 60.0
FETCH_BYTES = 50 * 2**20
LISTING_BYTES = 16 * 2**20  # a few trees that name each other may list a billion files
_POLL_S = 0.2
_REGULAR = ("100644", "100755")


def fetch(
    url: str, folder: Path, graded: Iterable[str], *, extra: Mapping[str, str] | None = None
) -> str:
    """Lay the graded files of a repository's newest commit into a folder; gives the commit's id.

    Args:
        url: over https.
        folder: an empty one.
        graded: names of the project's folders whose files are graded.
        extra: further variables of git's environment, for a proxy or a certificate.

    Raises:
        KitError: it cannot be had, is too large, or holds no project.
    """
    git = shutil.which("git")
    if git is None:
        raise KitError("There is no git here.", where=url, fix="install git")
    bare = folder / ".bare"
    run = _Git(git, bare, url, {**_environment(), **(extra or {})})
    run("init", "--quiet", "--bare", str(bare))
    run.bounded(
        "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", url, "HEAD"
    )
    commit = run("rev-parse", "FETCH_HEAD").decode().strip()
    listing = run("ls-tree", "-r", "-z", "--long", commit)
    for path, name in _graded(listing, tuple(f"{each}/" for each in graded)).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(run("cat-file", "blob", name))
    shutil.rmtree(bare)
    return commit


def _environment() -> dict[str, str]:
    """Git's environment: nobody's settings, no questions, no protocol but https."""
    keep = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy")
    return {name: os.environ[name] for name in keep if name in os.environ} | {
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }


class _Git:
    """Git in one bare repository."""

    def __init__(self, git: str, bare: Path, url: str, environment: Mapping[str, str]) -> None:
        self._command = [
            git,
            *("-c", "core.hooksPath=/dev/null"),
            *("-c", "fetch.fsckObjects=true"),
            *("-c", "http.followRedirects=initial"),
            *("--git-dir", str(bare)),
        ]
        self._bare, self._url, self._environment = bare, url, environment

    def __call__(self, *words: str) -> bytes:
        """The output of one command: ended when it takes too long or says too much."""
        with self._started(words, subprocess.PIPE) as (process, errors):
            assert process.stdout is not None
            timer = threading.Timer(FETCH_S, end, [process])
            timer.start()
            try:
                said = process.stdout.read(LISTING_BYTES + 1)
                ended = len(said) <= LISTING_BYTES and process.wait() == 0
            finally:
                timer.cancel()
            if len(said) > LISTING_BYTES:
                raise self._too_large("tells of more files than a project has")
            if not ended:
                raise self._failed(errors)
            return said

    def bounded(self, *words: str) -> None:
        """A command that brings data: ended when it takes too long or too much."""
        deadline = monotonic() + FETCH_S
        with self._started(words, subprocess.DEVNULL) as (process, errors):
            while process.poll() is None:
                self._check(monotonic() > deadline)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
            if process.returncode != 0:
                raise self._failed(errors)
        self._check(late=False)

    @contextmanager
    def _started(
        self, words: Iterable[str], output: int
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """Git, and the file of what it complains of; with all it started it is ended at the end."""
        with TemporaryFile() as errors:
            command = [*self._command, *words]
            nothing = subprocess.DEVNULL
            with group(
                command, env=self._environment, stdin=nothing, stdout=output, stderr=errors
            ) as process:
                yield process, errors

    def _check(self, late: bool) -> None:
        files = (path for path in self._bare.rglob("*") if path.is_file())
        size = sum(path.stat().st_size for path in files if path.exists())
        if size > FETCH_BYTES:
            raise self._too_large(f"is larger than {FETCH_BYTES // 2**20} MB")
        if late:
            what = f"The repository did not come within {FETCH_S:g} s."
            raise KitError(
                what, where=self._url, fix="try again later: what is graded stays graded"
            )

    def _too_large(self, what: str) -> KitError:
        fix = "ask for a repository of the project alone"
        return KitError(f"The repository {what}.", where=self._url, fix=fix)

    def _failed(self, errors: IO[bytes]) -> KitError:
        errors.seek(0)
        lines = errors.read(LISTING_BYTES).decode(errors="replace").strip().splitlines()
        why = lines[-1][:200] if lines else "it said nothing"
        fix = "open the URL in a browser: is it public, and is there a commit?"
        return KitError(f"Git could not get it: {why}", where=self._url, fix=fix)


def _graded(listing: bytes, folders: tuple[str, ...]) -> dict[str, str]:
    """Object ids of the files that may be graded, by path; no links, no submodules, no large ones.

    Git's own lines: `MODE blob ID SIZE<tab>PATH`, ended by a zero byte.
    """
    rows = [row.partition(b"\t") for row in listing.split(b"\0") if row]
    facts = [(head.decode().split(), path.decode(errors="replace")) for head, _, path in rows]
    root = _root([path for _, path in facts])
    found: dict[str, str] = {}
    for (mode, kind, name, size), path in facts:
        inside = path.removeprefix(root)
        wanted = path.startswith(root) and inside.startswith(folders) and inside.endswith(".py")
        parts = inside.split("/")
        near = ".." not in parts and len(parts) <= DEPTH_AT_MOST
        plain = kind == "blob" and mode in _REGULAR and near
        if wanted and plain and int(size) <= FILE_BYTES_AT_MOST and len(found) < FILES_AT_MOST:
            found[inside] = name
    return found


def _root(paths: list[str]) -> str:
    """What stands before `backend/`: nothing, or one folder."""
    if any(path.startswith("backend/") for path in paths):
        return ""
    inside = sorted(path for path in paths if path.split("/")[1:2] == ["backend"])
    return inside[0].partition("/")[0] + "/" if inside else ""
