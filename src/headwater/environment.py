"""What a backend is configured by: its `Settings`, read from its deployment's environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from sys import modules
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from headwater.core.registry import PACKAGE, App
from headwater.errors import SettingsInvalid
from headwater.loader import load
from headwater.variables import DOTENV, Put, Variables

_MISSING: Final = "is missing"
_serving: object | None = None
"""Stands for the variables that a server has put into this process's environment; None outside of
servers, where settings are read anew each time. A process has one environment, so it has one."""

if TYPE_CHECKING:
    # For type checkers no pydantic class: they would ask for every field in `Settings()`, and know
    # nothing of an environment.
    class Settings:
        """Base of a backend's settings: each field is read from the variable of its name."""

        model_config: ClassVar[SettingsConfigDict]
        convex_cloud_url: str
        convex_site_url: str

        def __init__(self, **values: Any) -> None: ...

        @classmethod
        def current(cls) -> Self:
            """The settings as they are now."""

        def model_dump(self, **options: Any) -> dict[str, Any]:
            """The fields as a dict; secrets stay hidden."""

else:

    class Settings(BaseSettings):
        """Base of a backend's settings: each field is read from the variable of its name.

        Attributes:
            convex_cloud_url: where clients reach this deployment.
            convex_site_url: where its HTTP routes are reached.

        Raises:
            SettingsInvalid: variables that are missing or do not fit; names all of them, shows no
                value.
        """

        model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)
        convex_cloud_url: str = ""
        convex_site_url: str = ""

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
                return
            except (ValidationError, SettingsError) as error:
                problems = _problems(type(self), error)
            raise SettingsInvalid(problems)  # out here: the first error has values in its chain

        @classmethod
        def current(cls) -> Self:
            """The settings as they are now; a server keeps them until its variables change."""
            kept = cls.__dict__.get("_headwater_kept")
            if kept is None or _serving is None or kept[0] is not _serving:
                kept = cls._headwater_kept = (_serving, cls())
            return kept[1]


def _problems(
    settings: type[BaseSettings], error: ValidationError | SettingsError
) -> list[tuple[str, str]]:
    """Each variable that is missing or does not fit, with why; never with its value."""
    if isinstance(error, SettingsError):  # a list or an object that is no JSON; names its field
        named = [name for name in settings.model_fields if f'"{name}"' in str(error)]
        return [(_variable(settings, (name,)), "is no JSON") for name in named]
    return [
        (
            _variable(settings, one["loc"]),
            _MISSING if one["type"] == "missing" else _without(one["msg"], one.get("input")),
        )
        for one in error.errors(include_url=False, include_context=False)
    ]


def _without(text: str, value: Any) -> str:
    """A sentence of a validator, should it repeat the value."""
    shown = text.replace(str(value), "***") if isinstance(value, str) and value else text
    return f"does not fit: {shown}"


def _variable(settings: type[BaseSettings], place: tuple[int | str, ...]) -> str:
    config = settings.model_config
    names = [str(part) for part in place]
    if names and names[0] in settings.model_fields:  # else it is an alias, which has no prefix
        names[0] = f"{config.get('env_prefix', '')}{names[0]}"
    return (config.get("env_nested_delimiter") or "__").join(names).upper()


class Environment:
    """The environment of one served deployment.

    Args:
        root: the project's folder.
        dev: the project's `.env` and `.env.local` count too.
        built_in: the addresses the server is bound to.
    """

    def __init__(
        self, root: Path, *, dev: bool = False, built_in: Mapping[str, str] | None = None
    ) -> None:
        self.variables = Variables(root)
        self.secrets: frozenset[str] = frozenset()
        self._root, self._dev = root, dev
        self._built_in = dict(built_in or {})
        self._process = dict(os.environ)
        self._put = Put()
        self._wanted: dict[str, str] = {}

    def apply(self) -> None:
        """Puts the deployment's variables into the process's environment as they are now."""
        wanted = {**self._built_in, **self.variables.read()}
        if self._dev:
            files = {k: v for k, v in self._of_files().items() if k not in self._process}
            wanted = files | wanted
        else:  # behind a proxy only who starts the server knows the address clients use
            wanted |= {k: v for k, v in self._process.items() if k in self._built_in}
        self._set(wanted, object())

    def _set(self, wanted: dict[str, str], serving: object | None) -> None:
        global _serving
        self._put.undo()
        self._put.put(wanted)
        self._wanted, _serving = wanted, serving

    def undo(self) -> None:
        """Leaves the process's environment as it was."""
        self._set({}, None)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Which of these variables a backend loaded now would not find; case does not count."""
        there = {**self._process, **self._built_in, **self.variables.read()}
        if self._dev:
            there |= self._of_files()
        known = {name.upper() for name in there}
        return [name for name in names if name.upper() not in known]

    def files(self) -> list[tuple[str, float]]:
        """The files for development that are there, each with the time of its last change."""
        found = [self._root / name for name in DOTENV]
        return [(file.name, file.stat().st_mtime) for file in found if file.is_file()]

    def load(self, limit_s: float | None = None) -> App:
        """The project's backend, loaded in this environment.

        Args:
            limit_s: seconds the import may take.

        Raises:
            SettingsInvalid: variables that its settings need are missing or do not fit.
            HeadwaterError: it does not load.
        """
        before = self._wanted, _serving
        self.apply()
        try:
            return load(self._root, limit_s, self._note_secrets)
        except BaseException:  # the backend of before stays live, and keeps what it was loaded in
            self._set(*before)
            raise

    def _note_secrets(self) -> None:
        self.secrets = checked_secrets()

    def _of_files(self) -> dict[str, str]:
        from dotenv import dotenv_values

        found: dict[str, str] = {}
        for name in DOTENV:
            file = dotenv_values(self._root / name, interpolate=False)
            found |= {key: value for key, value in file.items() if value is not None}
        return found


def checked_secrets() -> frozenset[str]:
    """The secrets among the loaded backend's settings.

    Raises:
        SettingsInvalid: variables are missing or do not fit; names all of them.
    """
    problems: list[tuple[str, str]] = []
    found: set[str] = set()
    for settings in _declared():
        try:
            found.update(_secrets(settings.current()))
        except SettingsInvalid as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise SettingsInvalid(problems)
    return frozenset(found)


def declared_variables(*, needed: bool = False) -> list[str]:
    """The variables that the loaded backend's settings read.

    Args:
        needed: only those without which they cannot be read.
    """
    declared: list[Any] = list(_declared())
    return sorted(
        {
            _variable(settings, (field.alias or name,))
            for settings in declared
            for name, field in settings.model_fields.items()
            if not field.validation_alias and (field.is_required() or not needed)
        }
    )


def _declared() -> list[type[Settings]]:
    """The classes of settings that the loaded backend declares."""
    found: dict[type[Settings], None] = {}
    for name, module in list(modules.items()):
        if name.partition(".")[0] == PACKAGE:
            for value in list(vars(module).values()):
                if isinstance(value, type) and issubclass(value, Settings):
                    found[value] = None
    found.pop(Settings, None)
    return list(found)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode(errors="replace")
    elif isinstance(value, BaseModel):
        for _, member in value:
            yield from _secrets(member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _secrets(member)
    elif isinstance(value, list | tuple | set | frozenset):
        for member in value:
            yield from _secrets(member)
