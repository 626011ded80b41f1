"""The complete project's access matrix leaves out no function that the kit brings."""

from __future__ import annotations

from headwater.core.placement import InProcess
from headwater_workshop.stages import complete


def test_every_public_function_of_the_kit_is_in_the_matrix(placement: InProcess) -> None:
    """The project's own test asks this of the modules that have a row; the kit's all have."""
    matrix = complete()["tests/test_access_matrix.py"].decode()
    functions = placement.manifest.functions.values()
    public = [each.path for each in functions if each.is_public]
    assert len(public) > 40
    assert [path for path in public if f'"{path}":' not in matrix] == []
