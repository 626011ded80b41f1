"""`ctx.env(Settings)`: the backend's settings inside its functions."""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar

from headwater.errors import HeadwaterError


class Readable(Protocol):
    """A class of settings that knows where to read them; `headwater.Settings` is its base."""

    @classmethod
    def current(cls) -> Self:
        """The settings as they are now."""


S = TypeVar("S", bound=Readable)


class EnvCtx:
    """The part of every function's ctx that reads settings."""

    def env(self, settings: type[S], /) -> S:
        """The settings of this deployment: `ctx.env(Settings).stripe_key`.

        Raises:
            SettingsInvalid: variables are missing or do not fit; says which and how to set them.
        """
        read: Any = getattr(settings, "current", None)
        if read is None:
            name = getattr(settings, "__name__", type(settings).__name__)
            raise HeadwaterError(
                f"ctx.env() takes a class such as `class Settings(headwater.Settings)`, not {name}"
            )
        found: S = read()
        return found
