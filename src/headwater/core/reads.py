"""Read sets and the one overlap test.

A call's reads are half-open intervals of the key space; a commit is a set of keys in it. Whether a
commit touches a read set decides both which transactions conflict and which subscriptions are
invalidated.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Interval = tuple[bytes, bytes]
Owner = TypeVar("Owner", bound=Hashable)


def point(key: bytes) -> Interval:
    """The interval that holds just this key."""
    return key, key + b"\x00"


class ReadSet:
    """The intervals one call looked at, also where it found nothing."""

    __slots__ = ("intervals",)

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self.intervals: set[Interval] = set(intervals)

    def add(self, start: bytes, end: bytes) -> None:
        """Adds the keys from `start` up to, not including, `end`."""
        if start < end:
            self.intervals.add((start, end))

    def overlaps(self, keys: Iterable[bytes]) -> bool:
        """True when any of the keys was looked at."""
        return any(start <= key < end for key in keys for start, end in self.intervals)


@dataclass(slots=True, eq=False)
class _Node(Generic[Owner]):
    """A treap node: a search tree by interval, a heap by priority, each with its subtree's last
    end.
    """

    interval: Interval
    owners: set[Owner]
    priority: int
    last: bytes
    left: _Node[Owner] | None = None
    right: _Node[Owner] | None = None


class IntervalIndex(Generic[Owner]):
    """Who reads which interval; finds the readers of a key in O(log n + found).

    Points, by far the most common interval, are kept in a dict; ranges in a treap whose nodes know
    the last end below them (an interval tree; Cormen et al., Introduction to Algorithms, 14.3).
    """

    def __init__(self) -> None:
        self._points: dict[bytes, set[Owner]] = {}
        self._root: _Node[Owner] | None = None
        self._nodes: dict[Interval, _Node[Owner]] = {}
        self._priority = 0

    def __len__(self) -> int:
        return len(self._points) + len(self._nodes)

    def add(self, interval: Interval, owner: Owner) -> None:
        """Notes that `owner` reads `interval`."""
        start, end = interval
        if len(end) == len(start) + 1 and end == start + b"\x00":
            self._points.setdefault(start, set()).add(owner)
            return
        node = self._nodes.get(interval)
        if node is None:
            node = _Node(interval, set(), self._next_priority(), end)
            self._nodes[interval] = node
            self._root = _insert(self._root, node)
        node.owners.add(owner)

    def _next_priority(self) -> int:
        # Balance only, and any sequence without a pattern will do: a linear congruential generator
        # (multiplier and increment: Knuth, MMIX).
        self._priority = (self._priority * 6364136223846793005 + 1442695040888963407) % 2**64
        return self._priority

    def remove(self, interval: Interval, owner: Owner) -> None:
        """Forgets that `owner` reads `interval`."""
        start, end = interval
        if len(end) == len(start) + 1 and end == start + b"\x00":
            owners = self._points[start]
            owners.discard(owner)
            if not owners:
                del self._points[start]
            return
        node = self._nodes[interval]
        node.owners.discard(owner)
        if not node.owners:
            del self._nodes[interval]
            self._root = _remove(self._root, interval)

    def readers(self, keys: Iterable[bytes]) -> set[Owner]:
        """All owners with an interval that holds any of the keys."""
        found: set[Owner] = set()
        for key in keys:
            at_point = self._points.get(key)
            if at_point:
                found |= at_point
            for node in _stab(self._root, key):
                found |= node.owners
        return found


def _refresh(node: _Node[Owner]) -> None:
    last = node.interval[1]
    for child in (node.left, node.right):
        if child is not None and child.last > last:
            last = child.last
    node.last = last


def _insert(root: _Node[Owner] | None, node: _Node[Owner]) -> _Node[Owner]:
    if root is None:
        return node
    if node.priority > root.priority:
        node.left, node.right = _split(root, node.interval)
        _refresh(node)
        return node
    if node.interval < root.interval:
        root.left = _insert(root.left, node)
    else:
        root.right = _insert(root.right, node)
    _refresh(root)
    return root


def _split(
    root: _Node[Owner] | None, interval: Interval
) -> tuple[_Node[Owner] | None, _Node[Owner] | None]:
    """The nodes before and from `interval` on."""
    if root is None:
        return None, None
    if root.interval < interval:
        root.right, after = _split(root.right, interval)
        _refresh(root)
        return root, after
    before, root.left = _split(root.left, interval)
    _refresh(root)
    return before, root


def _remove(root: _Node[Owner] | None, interval: Interval) -> _Node[Owner] | None:
    assert root is not None, "every interval in the dict is in the treap"
    if root.interval == interval:
        return _merge(root.left, root.right)
    if interval < root.interval:
        root.left = _remove(root.left, interval)
    else:
        root.right = _remove(root.right, interval)
    _refresh(root)
    return root


def _merge(left: _Node[Owner] | None, right: _Node[Owner] | None) -> _Node[Owner] | None:
    if left is None or right is None:
        return left or right
    if left.priority > right.priority:
        left.right = _merge(left.right, right)
        _refresh(left)
        return left
    right.left = _merge(left, right.left)
    _refresh(right)
    return right


def _stab(root: _Node[Owner] | None, key: bytes) -> Iterator[_Node[Owner]]:
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if node.last <= key:
            continue  # everything below ends before the key
        if node.left is not None:
            waiting.append(node.left)
        if node.interval[0] <= key:
            if key < node.interval[1]:
                yield node
            if node.right is not None:
                waiting.append(node.right)
