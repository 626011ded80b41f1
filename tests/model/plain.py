"""The model: a database as a dict of documents, its reads as sorting and counting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater import UNSET
from tests.model.order import order, same
from tests.model.plans import Plan, unboxed
from tests.model.schemas import TablePlan

Position = tuple[Any, ...]
END: Position = ("end",)
STALE: Position = ("of an index that was made anew",)


class Refused(Exception):
    """The model's word for: this call fails."""


@dataclass
class Answer:
    """What a plan gives, and the part of its range it depends on.

    Attributes:
        reach: the last position looked at, END for the whole range, None for nothing.
        after: the position a page begins after.
        end: where a page ends.
    """

    value: Any
    reach: Position | None = END
    after: Position | None = None
    end: Position | None = None


@dataclass
class Plain:
    """A database in plain Python: documents by id, tables by name."""

    tables: dict[str, TablePlan]
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursors: dict[str, Position] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)  # the table of every id ever made

    def copy(self) -> Plain:
        """The database as it is now."""
        return Plain(self.tables, dict(self.documents), self.cursors, self.homes)

    def of(self, table: str) -> list[dict[str, Any]]:
        """The documents of a table."""
        return [d for i, d in self.documents.items() if self.homes[i] == table]

    # reads

    def answer(self, plan: Plan, who: str | None = None, end: Position | None = None) -> Answer:
        """What a plan gives here; `end` is where a page that is followed has its end."""
        if plan["how"] == "get":
            found = self.documents.get(plan["id"])
            return Answer({"found": found})
        made = self._page(plan, end) if plan["how"] == "page" else self._listed(plan)
        if plan["who"] and made.value:
            made.value = {"found": made.value, "who": who}
        else:
            made.value = {"found": made.value}
        return made

    def in_range(self, plan: Plan) -> list[dict[str, Any]]:
        """The documents of a plan's range, in its order."""
        self._fields(plan)
        inside = [d for d in self.of(plan["table"]) if self.matches(plan, d)]
        return sorted(inside, key=lambda d: self.position(plan, d), reverse=plan["desc"])

    def matches(self, plan: Plan, document: Mapping[str, Any]) -> bool:
        """Whether a document lies in a plan's range."""
        if not all(same(_value(document, n), unboxed(box)) for n, box in plan["equal"]):
            return False
        if plan["lower"] is not None:
            name, box, closed = plan["lower"]
            given, bound = order(_value(document, name)), order(unboxed(box))
            if given < bound or (given == bound and not closed):
                return False
        if plan["upper"] is not None:
            name, box, closed = plan["upper"]
            given, bound = order(_value(document, name)), order(unboxed(box))
            return given < bound or (given == bound and closed)
        return True

    def position(self, plan: Plan, document: Mapping[str, Any]) -> Position:
        """Where a document stands in a plan's index."""
        values = [_value(document, name) for name in self._fields(plan)]
        tail = (document["_creationTime"], document["_id"])
        return tuple(order(value) for value in (*values, *tail))

    def _fields(self, plan: Plan) -> tuple[str, ...]:
        if plan["index"] in (None, "by_creation_time"):
            return ()
        fields = self.tables[plan["table"]].indexes.get(plan["index"])
        if fields is None:
            raise Refused("HW401")
        order_of_index, equal = (*fields, "creation_time"), len(plan["equal"])
        bounds = {plan[bound][0] for bound in ("lower", "upper") if plan[bound] is not None}
        if {name for name, _ in plan["equal"]} != set(order_of_index[:equal]):
            raise Refused("HW401")
        if not bounds <= set(order_of_index[equal : equal + 1]):
            raise Refused("HW401")
        return fields

    def _listed(self, plan: Plan) -> Answer:
        documents, how = self.in_range(plan), plan["how"]
        limit = {"first": 1, "unique": 2, "collect": None}.get(how, int(plan["count"]))
        if limit == 0 and how == "take":
            return Answer([], None)
        limit = max(limit, 1) if limit is not None else None
        kept, looked_at = _kept(documents, plan["has"], limit)
        if how == "unique" and len(kept) > 1:
            raise Refused("unique() query returned more than one result")
        stopped = limit is not None and len(kept) == limit
        streamed = how == "iterate" or plan["has"] is not None
        whole = not stopped or (streamed and looked_at == len(documents))
        reach = END if whole else self.position(plan, documents[looked_at - 1])
        single = how in ("first", "unique")
        return Answer((kept[0] if kept else None) if single else kept, reach)

    def _page(self, plan: Plan, end: Position | None) -> Answer:
        in_range = self.in_range(plan)  # an index that does not serve is the first to be told
        after = None if plan["cursor"] is None else self.cursors[plan["cursor"]]
        if after == STALE:
            raise Refused("InvalidCursor")
        documents = [d for d in in_range if self._beyond(plan, d, after)]
        if end is None:
            count = int(plan["count"])
            end = END if len(documents) < count else self.position(plan, documents[count - 1])
        page = [d for d in documents if not self._beyond(plan, d, end)] if end != END else documents
        return Answer({"page": page, "isDone": end == END}, end, after, end)

    def _beyond(self, plan: Plan, document: Mapping[str, Any], place: Position | None) -> bool:
        if place is None:
            return True
        if place == END:
            return False
        position = self.position(plan, document)
        return position < place if plan["desc"] else position > place

    def touched(self, plan: Plan, answer: Answer, document: Mapping[str, Any]) -> bool:
        """Whether a version of a document lies where a plan has looked."""
        if self.homes[document["_id"]] != plan["table"]:
            return False
        if plan["how"] == "get":
            return bool(document["_id"] == plan["id"])
        if answer.reach is None or not self.matches(plan, document):
            return False
        if not self._beyond(plan, document, answer.after):
            return False
        return answer.reach == END or not self._beyond(plan, document, answer.reach)

    # writes

    def apply(self, ops: list[Any], ids: Iterator[list[Any]]) -> list[Any]:
        """Carries out a mutation's steps; gives what it saw. Changes nothing when it is refused."""
        trial = _Trial(self.copy(), ids)
        try:
            trial.run(ops)
        except IndexError:
            raise Refused("no such document was made") from None
        self.documents = trial.plain.documents
        return trial.seen


def _value(document: Mapping[str, Any], name: str) -> Any:
    head, *rest = name.split("_")
    wire = head + "".join(part.capitalize() for part in rest)
    return document.get("_creationTime" if name == "creation_time" else wire, UNSET)


def _kept(
    documents: list[dict[str, Any]], has: str | None, limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    kept: list[dict[str, Any]] = []
    for number, document in enumerate(documents, 1):
        if has is None or has in document:
            kept.append(document)
            if limit is not None and len(kept) == limit:
                return kept, number
    return kept, len(documents)


@dataclass
class _Trial:
    """One mutation on a copy."""

    plain: Plain
    ids: Iterator[list[Any]]
    made: list[str] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    def run(self, ops: list[Any]) -> None:
        for op in ops:
            getattr(self, f"_{op['op']}")(op)

    def _insert(self, op: dict[str, Any]) -> None:
        never_kept: list[Any] = [f"never kept {len(self.plain.homes)}", 0.0]
        document_id, created = next(self.ids, never_kept)
        self.plain.homes[document_id] = op["table"]
        system = {"_id": document_id, "_creationTime": created}
        self.plain.documents[document_id] = {**op["fields"], **system}
        self.made.append(document_id)

    def _target(self, op: dict[str, Any]) -> str:
        found: str = op["id"] if isinstance(op["id"], str) else self.made[int(op["id"])]
        if found not in self.plain.documents:
            raise Refused("nonexistent document")
        return found

    def _patch(self, op: dict[str, Any]) -> None:
        target = self._target(op)
        changed = {**self.plain.documents[target], **op["changes"]}
        kept = {name: value for name, value in changed.items() if name not in op["removed"]}
        self.plain.documents[target] = kept

    def _replace(self, op: dict[str, Any]) -> None:
        target = self._target(op)
        old = self.plain.documents[target]
        system = {name: old[name] for name in ("_id", "_creationTime")}
        self.plain.documents[target] = {**op["fields"], **system}

    def _delete(self, op: dict[str, Any]) -> None:
        del self.plain.documents[self._target(op)]

    def _read(self, op: dict[str, Any]) -> None:
        self.seen.append(self.plain.answer(op["plan"]).value)

    def _misfit(self, _op: dict[str, Any]) -> None:
        raise Refused("does not match the schema")

    def _fail(self, _op: dict[str, Any]) -> None:
        raise Refused("on purpose")

    def _nested(self, op: dict[str, Any]) -> None:
        try:
            _Trial(self.plain.copy(), iter(())).run(op["ops"])
        except (Refused, IndexError):
            return  # its ids are known to nobody
        inner = _Trial(self.plain, self.ids)
        inner.run(op["ops"])
        self.seen.extend(inner.seen)
        self.made.extend(inner.made)
