"""Where the kit's data lies: the template and the lessons, in a checkout or in an install.

In a checkout `template/` and `lessons/` are folders at the root of the repository. In a wheel the
template is a folder beside this file, without its complete backend, and the lessons are one
compressed file, so that no solution lies in plain text in a learner's environment. That is a
courtesy, not security.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

Tree = Mapping[str, bytes]
"""Files by their path, written with `/` and relative to some folder."""

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent
_INSTALLED = _PACKAGE / "_kit"
_BUNDLE = b"headwater-lessons-1"
_NOT_DATA = ("__pycache__", ".pytest_cache", ".headwater")


class KitError(Exception):
    """Something a person has to know: what is wrong, where, and what to do next."""

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(f"{what}\n  Where: {where}\n  Fix:   {fix}")
        self.what = what
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes back whole from a process of its own."""
        return partial(type(self), where=self.where, fix=self.fix), (self.what,)


def kit_root() -> Path:
    """The folder that holds `copier.yml` and `template/`."""
    for root in (_INSTALLED, _CHECKOUT):
        if (root / "copier.yml").is_file():
            return root
    raise KitError(
        "The template and the lessons are missing from this install of headwater.",
        where=str(_PACKAGE),
        fix="install it again: uv sync --reinstall-package headwater",
    )


def lessons_tree() -> dict[str, bytes]:
    """Every file of `lessons/`, from the folder or from the bundle."""
    bundle, folder = _INSTALLED / "lessons.bundle", _CHECKOUT / "lessons"
    if folder.is_dir() and not bundle.is_file():
        return read_folder(folder)
    return read_bundle(bundle)


def lessons_folder() -> Path:
    """The `lessons/` folder of a checkout, where lessons are written.

    Raises:
        KitError: this is an install, which has no such folder.
    """
    folder = _CHECKOUT / "lessons"
    if folder.is_dir():
        return folder
    raise KitError(
        "Lessons are written in a checkout of headwater, and this is an install.",
        where=str(_PACKAGE),
        fix="clone the repository, and call it from there",
    )


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, without caches."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if is_data(name)}


def is_data(name: str) -> bool:
    """Whether a file is part of the kit, and not what a tool left beside it."""
    parts = name.split("/")
    return not name.endswith(".pyc") and not any(part in _NOT_DATA for part in parts)


def write_bundle(tree: Tree, target: Path) -> None:
    """Write files as one compressed file with its checksum, the same bytes for the same files.

    Their names are inside as well: who lists the bundle learns of no wrong solution either.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        for name in sorted(tree):
            files.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), tree[name])
    content = zlib.compress(packed.getvalue(), 9)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"%s %s\n%s" % (_BUNDLE, _checksum(content), content))


def read_bundle(source: Path) -> dict[str, bytes]:
    """Every file of a bundle.

    Raises:
        KitError: it is not there, or is not what its checksum says.
    """
    try:
        head, _, content = source.read_bytes().partition(b"\n")
    except OSError as error:
        raise _unreadable(source, str(error)) from error
    if head != b"%s %s" % (_BUNDLE, _checksum(content)):
        raise _unreadable(source, "its checksum is another")
    with zipfile.ZipFile(io.BytesIO(zlib.decompress(content))) as files:
        return {name: files.read(name) for name in files.namelist()}


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _unreadable(source: Path, why: str) -> KitError:
    return KitError(
        "The lessons cannot be read from this install of headwater.",
        where=f"{source}: {why}",
        fix="install it again: uv sync --reinstall-package headwater",
    )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old one or the new one, never half of one."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def write_tree(tree: Tree, folder: Path) -> None:
    """Lay files into a folder, over what is there."""
    for name, content in tree.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
