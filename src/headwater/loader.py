"""Loading a backend: import `backend/` as a package, all of it or nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from headwater.core.callsite import user_trace
from headwater.core.driver import Run
from headwater.core.logs import logged_print
from headwater.core.registry import PACKAGE, App, register
from headwater.core.violations import as_refusal
from headwater.errors import BackendLoadError, HeadwaterError, RuleViolation, TimeLimitExceeded
from headwater.strays import check_strays


def load(root: Path, limit_s: float | None = None, check: Callable[[], None] | None = None) -> App:
    """Imports every module below `root/backend` afresh and reads what they define.

    Args:
        root: the project's folder.
        limit_s: seconds the import may take; None is no limit.
        check: called when all is imported; it may raise what keeps the backend from being served.

    Returns:
        The loaded backend. When loading fails, the modules of the load before are put back.

    Raises:
        BackendLoadError: a module does not import; says which file and line, and why.
        RegistrationError, RuleViolation: it imports, but cannot be served.
    """
    root = root.resolve()
    folder = root / PACKAGE
    if not folder.is_dir():
        raise BackendLoadError(
            f"{root} holds no folder `{PACKAGE}/`. Run this in a project's folder, or make one "
            "with `headwater new my-app`"
        )
    try:
        with _fresh_modules():
            app = _limited(lambda: _registered(root, _import_all(root, folder)), root, limit_s)
            _check_keys(app)
            if check is not None:
                check()
            return app
    except HeadwaterError as error:
        raise as_refusal(error, root) from error.__cause__


def _registered(root: Path, modules: list[ModuleType]) -> App:
    check_strays(sys.modules[PACKAGE], modules)
    app = register(root, modules)
    for module in modules:
        if module.__name__ == f"{PACKAGE}.routes":
            from headwater.routes import with_routes  # the web is for those who serve it

            app = with_routes(app, module)
    return app


def _limited(step: Callable[[], App], root: Path, limit_s: float | None) -> App:
    """Runs a step of user code under a time limit, with errors that name the user's line."""

    async def run_step() -> App:
        return step()

    run = Run(
        answer_one=_no_requests, function=PACKAGE, kind="import of", limit_s=limit_s, root=root
    )
    try:
        return run.drive(run_step())
    except (BackendLoadError, RuleViolation, TimeLimitExceeded):
        raise
    except HeadwaterError as error:
        raise error from None


def _check_keys(app: App) -> None:
    if app.manifest.providers:  # else nobody waits for a library of cryptography
        from headwater.auth.keys import check_own_keys

        check_own_keys(app.manifest.providers)


def _no_requests(_request: Any) -> Any:
    raise AssertionError("an import asks for nothing")


@contextmanager
def _fresh_modules() -> Iterator[None]:
    """Takes the backend's modules out of sys.modules, and puts them back if the block fails."""
    old = _backend_modules()
    for name in old:
        del sys.modules[name]
    writes_bytecode = sys.dont_write_bytecode
    # A compiled file is trusted by the second its source was saved in: too coarse for saving twice.
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        for name in _backend_modules():
            del sys.modules[name]
        sys.modules.update(old)
        raise
    finally:
        sys.dont_write_bytecode = writes_bytecode


def _backend_modules() -> dict[str, ModuleType]:
    loaded = sys.modules.copy()  # another thread may import something meanwhile
    return {name: loaded[name] for name in loaded if name.partition(".")[0] == PACKAGE}


def _import_all(root: Path, folder: Path) -> list[ModuleType]:
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    init = folder / "__init__.py"
    sys.modules[PACKAGE] = package
    if init.is_file():
        _guarded(root, lambda: _execute(package, init))
    return [_import(root, name) for name in module_names(folder)]


def _execute(package: ModuleType, file: Path) -> ModuleType:
    package.__file__ = str(file)
    exec(compile(file.read_bytes(), str(file), "exec"), package.__dict__)
    return package


def module_names(folder: Path) -> list[str]:
    """Dotted names of all modules below a backend folder, generated and hidden ones left out."""
    found = []
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        if any(part.startswith((".", "_")) for part in parts):
            continue
        found.append(".".join((PACKAGE, *parts)))
    return found


def _import(root: Path, name: str) -> ModuleType:
    module = _guarded(root, lambda: importlib.import_module(name))
    # Functions look `print` up in their module: from here on it is a log line of their call.
    module.__dict__.setdefault("print", logged_print)
    return module


def _guarded(root: Path, step: Callable[[], ModuleType]) -> ModuleType:
    try:
        return step()
    except HeadwaterError:
        raise
    except SyntaxError as error:
        file = _shown(error.filename or "?", root)
        text = (error.text or "").strip()
        raise BackendLoadError(f"{file}:{error.lineno}: {error.msg}\n    {text}") from None
    except ImportError as error:
        raise BackendLoadError(f"{_place(error, root)}{error}{_circular(error)}") from None
    except Exception as error:
        place = _place(error, root)
        raise BackendLoadError(f"{place}{type(error).__name__}: {error}") from error


def _circular(error: ImportError) -> str:
    if "circular import" not in str(error):
        return ""
    return (
        "\n  Fix:  import the module instead: `from backend import tasks`, then `tasks.helper(...)`"
    )


def _place(error: BaseException, root: Path) -> str:
    trace = user_trace(error, root)
    return f"{trace[0][1]}:{trace[0][2]}: " if trace else ""


def _shown(file: str, root: Path) -> str:
    try:
        return Path(file).resolve().relative_to(root).as_posix()
    except ValueError:
        return file
