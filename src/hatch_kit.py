"""Build hook: puts the template and the lessons into the wheel, below `headwater_workshop/_kit/`.

The template goes in as files, without its complete backend, which is made from the lessons where
it is needed. The lessons go in as one compressed file. So no solution lies in plain text in a
learner's environment. An editable install reads both from the checkout.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_KIT = "headwater_workshop/_kit"
_SOLVED = "{% if start == 'complete' %}"


class KitBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling is there for builds only
    """Adds the kit's data to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which files go where; the bundle is made in a temporary folder."""
        if version == "editable":
            return
        root = Path(self.root)
        kit = _kit_module(root)
        self._made = tempfile.TemporaryDirectory()
        bundle = Path(self._made.name) / "lessons.bundle"
        kit.write_bundle(kit.read_folder(root / "lessons"), bundle)
        include: dict[str, str] = build_data["force_include"]
        include[str(bundle)] = f"{_KIT}/lessons.bundle"
        include[str(root / "copier.yml")] = f"{_KIT}/copier.yml"
        template = kit.read_folder(root / "template")
        for name in (name for name in template if not name.startswith(_SOLVED)):
            include[str(root / "template" / name)] = f"{_KIT}/template/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        if version != "editable":
            self._made.cleanup()


def _kit_module(root: Path) -> ModuleType:
    """`headwater_workshop.kit` alone: the package's dependencies are not there during a build."""
    path = root / "src" / "headwater_workshop" / "kit.py"
    spec = importlib.util.spec_from_file_location("_headwater_kit", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
