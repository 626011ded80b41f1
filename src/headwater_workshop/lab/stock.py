"""What checks have filled their databases with, kept from one verdict to the next."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from headwater.host import Kept, Manifest

_MOST: Final = 8  # some MB each


@dataclass(frozen=True)
class Filled:
    """One filled database.

    Attributes:
        kept: what is stored.
        chance: the check's chance after it was filled, as `random.Random` tells it.
        value: what the check remembers of it.
    """

    kept: Kept
    chance: Any
    value: Any


class Stock:
    """Filled databases, by `stock_key`: tables, crons and chance. Those that were not used for
    longest go first.
    """

    def __init__(self) -> None:
        self._filled: OrderedDict[Any, Filled] = OrderedDict()

    def find(self, key: Any) -> Filled | None:
        """What was filled under this key, and is free."""
        found = self._filled.get(key)
        if found is None or not found.kept.free:
            return None
        self._filled.move_to_end(key)
        return found

    def keep(self, key: Any, filled: Filled) -> None:
        """Has it at hand for the next time."""
        self._filled[key] = filled
        if len(self._filled) > _MOST:
            self._filled.popitem(last=False)


def stock_key(manifest: Manifest, chance: Any) -> Any:
    """What decides the content of a database that is filled by this chance."""
    data = manifest.to_json()
    return json.dumps([data["tables"], data["crons"]]), chance
