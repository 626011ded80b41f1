"""The registry: what the modules of one load of a backend define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from headwater.core.codecs import Codecs
from headwater.core.crons import Crons
from headwater.core.declared_at import declared_at
from headwater.core.functions import Function, Registered, read_signature, wire_path
from headwater.core.manifest import Manifest
from headwater.core.providers import read_providers
from headwater.core.schema import Document
from headwater.core.system import SYSTEM_NAMES
from headwater.core.tables import Table, Tables
from headwater.errors import RegistrationError
from headwater.settings import Limits

PACKAGE = "backend"
_TABLES = Limits().tables


@dataclass(frozen=True)
class App:
    """One load of a backend.

    Attributes:
        root: the project's folder.
        tables: its tables as classes.
        functions: its functions by wire path.
        manifest: the same as plain data.
        site: the application of its HTTP routes, None when it has none.
    """

    root: Path
    tables: Tables = field(default_factory=Tables)
    functions: Mapping[str, Function] = field(default_factory=dict)
    manifest: Manifest = field(default_factory=Manifest)
    site: Any = None


def register(root: Path, modules: Iterable[ModuleType]) -> App:
    """Reads what imported modules define.

    Args:
        root: the project's folder, for messages.
        modules: the backend's modules; what they import from elsewhere does not count.

    Raises:
        RegistrationError: two of a name, or something that cannot be stored or sent.
    """
    modules = list(modules)
    documents = _documents(modules)
    codecs = Codecs({cls.__name__: cls for cls in documents.values()})
    tables = Tables([_table(cls, codecs) for cls in documents.values()])
    functions: dict[str, Function] = {}
    for module in modules:
        for registered in _own_functions(module):
            function = _read(registered, module, codecs, root)
            _add(functions, function)
            registered.read = function
    manifest = Manifest(
        {name: table.spec for name, table in tables.by_name.items()},
        {path: function.spec for path, function in functions.items()},
        _crons(modules).specs(functions),
        providers=read_providers(modules, PACKAGE),
    )
    return App(root, tables, functions, manifest)


def _crons(modules: list[ModuleType]) -> Crons:
    """The crons of `backend/crons.py`; elsewhere they would be missed."""
    found = {id(v): m for m in modules for v in vars(m).values() if isinstance(v, Crons)}
    own = next((m for m in modules if m.__name__ == f"{PACKAGE}.crons"), None)
    crons = getattr(own, "crons", None)
    if crons is not None and not isinstance(crons, Crons):
        text = "backend/crons.py: `crons` must be a Crons(): crons = Crons()"
        where = declared_at(f"{PACKAGE}.crons", "crons")
        raise RegistrationError(text).by_rule("HW501", where=where)
    for identity, module in found.items():
        if identity != id(crons):
            names = [name for name, value in vars(module).items() if id(value) == identity]
            raise RegistrationError(
                f"{module.__name__} makes a Crons(); crons are declared in backend/crons.py, as "
                "`crons = Crons()`"
            ).by_rule("HW501", where=declared_at(module.__name__, *names[:1]))
    return crons or Crons()


def _documents(modules: list[ModuleType]) -> dict[str, type[Document]]:
    found: dict[str, type[Document]] = {}
    for module in modules:
        for value in vars(module).values():
            if _is_table_of(value, module):
                _add_document(found, value)
    by_class = {cls.__name__: cls for cls in found.values()}
    for cls in found.values():
        if not cls.__pydantic_complete__:
            cls.model_rebuild(_types_namespace={**SYSTEM_NAMES, **by_class})
    return found


def _table(cls: type[Document], codecs: Codecs) -> Table:
    try:
        return Table(cls, codecs)
    except RegistrationError as error:
        if error.rule and not error.where:  # `backend.schema.Task, field tags: ...`
            field = str(error).partition(":")[0].rpartition(", field ")[2]
            error.where = declared_at(cls.__module__, cls.__name__, field)
        raise


def _is_table_of(value: Any, module: ModuleType) -> bool:
    if not (isinstance(value, type) and issubclass(value, Document) and value is not Document):
        return False
    return value.__module__ == module.__name__ and bool(value.table_name)


def _add_document(found: dict[str, type[Document]], cls: type[Document]) -> None:
    name = cls.table_name
    other = found.get(name)
    if other is not None and other is not cls:
        raise RegistrationError(
            f"table `{name}` is declared twice: {other.__module__}.{other.__name__} and "
            f"{cls.__module__}.{cls.__name__}"
        )
    if not (name.isidentifier() and name.isascii()) or name.startswith("_") or len(name) > 64:
        raise RegistrationError(
            f"{cls.__module__}.{cls.__name__}: `{name}` is no table name; use letters, digits and "
            "_, at most 64, not starting with _"
        )
    if len(found) >= _TABLES:
        raise RegistrationError(f"there are more than {_TABLES} tables; put kinds into a field")
    found[name] = cls


def _own_functions(module: ModuleType) -> list[Registered[Any, Any]]:
    own = [v for v in vars(module).values() if isinstance(v, Registered)]
    return list(dict.fromkeys(v for v in own if v.__module__ == module.__name__))


def _read(
    registered: Registered[Any, Any], module: ModuleType, codecs: Codecs, root: Path
) -> Function:
    path = wire_path(registered, module.__name__.removeprefix(f"{PACKAGE}.").replace(".", "/"))
    code = getattr(registered.handler, "__code__", None)
    source = f"{_relative(code.co_filename, root)}:{code.co_firstlineno}" if code else ""
    try:
        return read_signature(registered, path, codecs, source)
    except RegistrationError as error:
        error.where = error.where or source
        raise


def _relative(file: str, root: Path) -> str:
    try:
        return Path(file).relative_to(root).as_posix()
    except ValueError:
        return Path(file).name


def _add(functions: dict[str, Function], function: Function) -> None:
    path = function.spec.path
    if path in functions:
        raise RegistrationError(
            f"two functions are `{path}` on the wire: {functions[path].spec.source} and "
            f"{function.spec.source}; rename one"
        )
    functions[path] = function
