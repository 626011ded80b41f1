"""A backend made of what a test defines itself, as a loader would make it of modules."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from headwater import Document
from headwater.clock import VirtualClock
from headwater.core.functions import Registered
from headwater.core.placement import InProcess
from headwater.core.registry import App, register
from headwater.settings import Limits
from headwater.testing import Backend

MODULE = "backend.things"


def module_of(*members: Any, name: str = MODULE) -> ModuleType:
    """A module of these classes and functions; each belongs to it from then on."""
    module = ModuleType(name)
    for member in members:
        assert isinstance(member, Registered) or issubclass(member, Document)
        member.__module__ = name
        setattr(module, member.__name__, member)
    return module


def app_of(*members: Any) -> App:
    """The app of a backend with one module, `things`."""
    return register(Path(__file__).parent, [module_of(*members)])


def backend_of(
    *members: Any, limits: Limits | None = None, clock: VirtualClock | None = None
) -> Backend:
    """A backend of one module, `things`, on an empty database in memory."""
    limits = limits or Limits(function_limit_s=60.0)  # a busy machine fails no test
    return Backend(InProcess(app_of(*members), limits), clock=clock, limits=limits)
