"""Where a project's generated types go, and when they are written: only when they change."""

from __future__ import annotations

import os
import queue
import threading
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from headwater.core.manifest import Manifest
from headwater.errors import CodegenError
from headwater.typescript import MARK, files

FOLDER = "_generated"
_OTHERS_MARK = "THIS CODE IS AUTOMATICALLY GENERATED"  # what `npx convex codegen` made before us


def kept_folder(root: Path) -> Path | None:
    """The folder that `headwater dev` keeps fresh; None when the project has no use for one.

    Args:
        root: the project's folder.

    Returns:
        What `[tool.headwater.codegen] out` in pyproject.toml says; else, in `frontend/`, a folder
        `_generated`: in `src/` if there is one, where `frontend/` is a project of npm or where
        such a folder has been generated before.

    Raises:
        CodegenError: pyproject.toml does not parse, or says something else than a folder.
    """
    configured = _configured(root)
    if configured is not None:
        return root / configured
    folder = _usual(root)
    wanted = (root / "frontend" / "package.json").is_file() or (folder / "api.d.ts").is_file()
    return folder if wanted else None


def output_folder(root: Path) -> Path:
    """The folder that `headwater codegen` writes into when nothing else is said.

    Raises:
        CodegenError: as for `kept_folder`.
    """
    return kept_folder(root) or _usual(root)


def _usual(root: Path) -> Path:
    frontend = root / "frontend"
    return (frontend / "src" if (frontend / "src").is_dir() else frontend) / FOLDER


def _configured(root: Path) -> str | None:
    try:
        data: Any = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CodegenError(f"pyproject.toml does not read: {error}") from None
    for name in ("tool", "headwater", "codegen", "out"):
        data = data.get(name) if isinstance(data, dict) else None
    if data is not None and not (isinstance(data, str) and data):
        raise CodegenError(
            "pyproject.toml: `out` in [tool.headwater.codegen] is a folder in quotes, "
            f"such as 'web/src/_generated', not {data!r}"
        )
    return data


def stale(folder: Path, manifest: Manifest) -> dict[str, str]:
    """The generated files that are missing or hold something else, with what they should hold.

    Raises:
        CodegenError: a file of that name was not generated, or cannot be read.
    """
    return {name: text for name, text in files(manifest).items() if _current(folder / name) != text}


def _current(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CodegenError(f"cannot read {path}: {error}") from None
    if text.strip() and MARK not in text and _OTHERS_MARK not in text:
        raise CodegenError(
            f"{path} was not generated, so it is left alone. Give a folder of its own: "
            f"headwater codegen --out {path.parent / FOLDER}"
        )
    return text


def write(folder: Path, manifest: Manifest) -> list[str]:
    """Brings the generated files up to date; those that already are keep their times.

    Args:
        folder: made when it is missing.
        manifest: of the backend.

    Returns:
        The names of the files written.

    Raises:
        CodegenError: a file of that name was not generated, or the folder cannot be written.
    """
    wanted = stale(folder, manifest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            _replace(folder / name, text)
    except OSError as error:
        raise CodegenError(f"cannot write into {folder}: {error.strerror or error}") from None
    return list(wanted)


def _replace(path: Path, text: str) -> None:
    # Whoever watches the folder (a bundler, an editor) sees the old file or the new one, whole.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


class FreshTypes:
    """Keeps a project's generated files fresh, in a thread of its own: no client waits for it.

    Args:
        root: the project's folder.
        tell: takes a sentence for whoever watches the terminal, and whether it is a trouble.
    """

    def __init__(self, root: Path, tell: Callable[[str, bool], None]) -> None:
        self._root = root
        self._tell = tell
        self._manifests: queue.SimpleQueue[Manifest] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="codegen", daemon=True).start()

    def put(self, manifest: Manifest) -> None:
        """Takes the manifest of a backend that was just loaded."""
        self._manifests.put(manifest)

    def _run(self) -> None:
        while True:
            manifest = self._manifests.get()
            while not self._manifests.empty():  # of several saves only the last one counts
                manifest = self._manifests.get()
            try:
                self._write(manifest)
            except CodegenError as error:
                self._tell(error.message, True)

    def _write(self, manifest: Manifest) -> None:
        folder = kept_folder(self._root)
        written = write(folder, manifest) if folder is not None else []
        if folder is not None and written:
            self._tell(f"{shown(folder, self._root)}: {', '.join(written)}", False)


def shown(folder: Path, root: Path) -> str:
    """A folder as messages name it: relative to the project where it is inside."""
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)
