"""A document as it is stored: encoded once, decoded when somebody looks inside."""

from __future__ import annotations

from typing import Any

from headwater.core.values import Encoded, decode, encode, own_copy, size

_NO_KEYS: tuple[int, frozenset[bytes]] = (-1, frozenset())


class Stored(Encoded):
    """One version of one document; never changed, so that any number of calls may share it.

    Attributes:
        id: its id.
        body: its encoding, system fields included.
        keys: its index keys, with the catalog's generation they were made for.
        model: its Python object, kept by the handler's side when it cannot be changed in place.
    """

    __slots__ = ("_size", "_value", "id", "keys", "model")

    def __init__(
        self, document_id: str, table: str, body: bytes, value: dict[str, Any] | None = None
    ) -> None:
        super().__init__(body, table)
        self.id = document_id
        self.model: Any = None
        self.keys: tuple[int, frozenset[bytes]] = _NO_KEYS
        self._value = value
        self._size = -1

    @classmethod
    def of(cls, table: str, value: dict[str, Any]) -> Stored:
        """A new version from its value, system fields included."""
        return cls(value["_id"], table, encode(value), value)

    @property
    def value(self) -> dict[str, Any]:
        """The decoded document; not to be changed."""
        if self._value is None:
            self._value = decode(self.body)
        return self._value

    def own_value(self) -> dict[str, Any]:
        """The decoded document for a handler, which may change it and spoil nothing."""
        copied: dict[str, Any] = own_copy(self.value)
        return copied

    @property
    def fields(self) -> dict[str, Any]:
        """The document without its system fields."""
        return {k: v for k, v in self.value.items() if k not in ("_id", "_creationTime")}

    @property
    def size(self) -> int:
        """Bytes by Convex's rule; what limits count."""
        if self._size < 0:
            self._size = size(self.value)
        return self._size
