"""Random texts, changes and searches: what is found, pushed and read anew is the model's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from headwater import (
    UNSET,
    Document,
    Id,
    Model,
    MutationCtx,
    PaginationOptions,
    QueryCtx,
    SearchIndex,
    mutation,
    query,
)
from headwater.core.search import weight
from headwater.settings import Limits
from headwater.testing import Backend, Subscribed
from tests.headwater.core.things import backend_of

POSTINGS = 400  # far more than there are; bounded reading has tests of its own
Rank = tuple[float, ...]
Plan = dict[str, Any]


class Place(Model):
    """Where something is."""

    city: str


class Note(Document, table="notes"):
    """A text with something to filter by at each depth, perhaps absent."""

    text: str | None = None
    room: str
    author: str | None = None
    place: Place | None = None
    likes: int = 0
    find = SearchIndex("text", filter_fields=("room", "author", "place.city"))
    find_all = SearchIndex("text")


async def searched(ctx: QueryCtx, plan: Plan) -> Any:
    """The ids a plan finds, in order; of a page, and its cursor."""
    filters = {name: UNSET if value is None else value for name, value in plan["filters"].items()}
    found = ctx.db.query(Note).with_search_index(plan["index"], plan["words"], **filters)
    if plan["odd"]:
        found = found.filter(lambda note: note.likes % 2 == 1)
    if plan["how"] == "page":
        options = PaginationOptions(num_items=int(plan["count"]), cursor=plan["cursor"])
        page = await found.paginate(options)
        return [[note.id for note in page.page], page.is_done, page.continue_cursor]
    if plan["how"] == "each":
        return [note.id async for note in found]
    notes = await (found.collect() if plan["how"] == "collect" else found.take(int(plan["count"])))
    return [note.id for note in notes]


@query
async def search(ctx: QueryCtx, plan: dict[str, Any]) -> Any:
    """What a plan finds."""
    return await searched(ctx, plan)


@mutation
async def change(ctx: MutationCtx, ops: list[dict[str, Any]]) -> list[Any]:
    """Changes, with searches between them; gives new ids and what was found."""
    done: list[Any] = []
    for op in ops:
        what, found = op["op"], None
        if what == "insert":
            found = await ctx.db.insert("notes", op["fields"])
        elif what == "search":
            found = await searched(ctx, op["plan"])
        elif what == "delete":
            await ctx.db.delete(Id(op["id"]))
        else:
            await ctx.db.replace(Id(op["id"]), op["fields"])
        done.append(found)
    return done


# --- the model ---


def words_of(text: Any) -> list[str]:
    """The words of a text, letter by letter."""
    found, word = [], ""
    for letter in f"{text or ''} ":
        if letter.isalnum():
            word += letter.lower()
        else:
            found += [word] if 0 < len(word.encode()) <= 32 else []
            word = ""
    return found


def of_field(note: dict[str, Any], name: str) -> Any:
    """A filter field's value, None where it is absent."""
    return (note.get("place") or {}).get("city") if name == "place.city" else note.get(name)


@dataclass
class Plain:
    """All notes, oldest first, and how a search reads them."""

    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)

    def rank(self, note_id: str, plan: Plan) -> Rank | None:
        """Where a search has a note: lower is better; None where it has not."""
        note, words = self.notes[note_id], words_of(plan["words"])[:16]
        if any(of_field(note, name) != value for name, value in plan["filters"].items()):
            return None
        text, matched, whole, weighs = words_of(note.get("text")), 0, 0, 0
        for word in set(words):
            begun = [t for t in text if t == word or (word == words[-1] and t.startswith(word))]
            kind = [word] if word in begun else sorted(set(begun))
            matched += bool(begun)
            whole += word in begun
            weighs += max([weight(text.count(t), len(text)) for t in kind], default=0)
        return (-matched, -whole, -weighs, -self.ages[note_id]) if matched else None

    def ranks(self, plan: Plan) -> dict[str, Rank]:
        """The notes found, best first."""
        found = [(self.rank(note_id, plan), note_id) for note_id in self.notes]
        return {note_id: rank for rank, note_id in sorted((r, n) for r, n in found if r)}

    def chosen(self, plan: Plan) -> list[str]:
        """Those the filter keeps."""
        odd = plan["odd"]
        return [n for n in self.ranks(plan) if not odd or self.notes[n].get("likes", 0) % 2 == 1]

    def found(self, plan: Plan) -> list[str]:
        """What a plan that is no page gives."""
        chosen = self.chosen(plan)
        return chosen[: int(plan["count"])] if plan["how"] == "take" else chosen

    def apply(self, op: dict[str, Any], made: Any) -> None:
        """A change that gave `made`; a search must have found what is there now."""
        if op["op"] == "search":
            assert made == self.found(op["plan"]), op
        elif op["op"] == "insert":
            self.notes[made], self.ages[made] = op["fields"], len(self.ages)
        elif op["op"] == "delete":
            del self.notes[op["id"]]
        else:
            self.notes[op["id"]] = op["fields"]


@dataclass
class Followed:
    """A search somebody follows; a page stays where it ended first."""

    plan: Plan
    pushed: Subscribed
    end: Rank | None = None


# --- what is drawn ---

LONG = "z" * 33
WORDS = st.sampled_from(["a", "ab", "b", "a", "ab", "b", "abc", "ba", "Ä", "äb", "9", "日本", LONG])
PARTED = st.sampled_from([" ", ", ", "_", "-"])
TEXTS = st.builds(lambda words, by: by.join(words), st.lists(WORDS, min_size=1, max_size=8), PARTED)
TYPED = st.builds(lambda words, by: by.join(words), st.lists(WORDS, max_size=3), PARTED)
ROOMS, AUTHORS = st.sampled_from(["x", "y"]), st.sampled_from(["ana", "bo", None])
CITIES = st.sampled_from(["Rome", None])


@st.composite
def notes(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of a note."""
    fields = {
        "text": draw(st.one_of(TEXTS, TEXTS, TEXTS, st.none())),
        "author": draw(AUTHORS),
        "place": draw(CITIES),
    }
    fields["place"] = fields["place"] and {"city": fields["place"]}
    given = {name: value for name, value in fields.items() if value is not None}
    return {"room": draw(ROOMS), "likes": float(draw(st.integers(0, 1))), **given}


@st.composite
def plans(draw: st.DrawFn, hows: tuple[str, ...] = ("collect", "take", "each", "page")) -> Plan:
    """A search."""
    wanted = {"room": ROOMS, "author": AUTHORS, "place.city": CITIES}
    names = draw(st.sets(st.sampled_from(sorted(wanted)), max_size=2))
    return {
        "words": draw(TYPED),
        "index": draw(st.sampled_from(["find"] if names else ["find", "find_all"])),
        "filters": {name: draw(wanted[name]) for name in sorted(names)},
        "odd": draw(st.booleans()),
        "how": draw(st.sampled_from(hows)),
        "count": float(draw(st.integers(1, 3))),
        "cursor": None,
    }


class Searches(RuleBasedStateMachine):
    """Some follow searches, others change what is searched."""

    @initialize(crowd=st.lists(notes(), min_size=4, max_size=8))
    def begin(self, crowd: list[dict[str, Any]]) -> None:
        """A backend with some notes."""
        limits = Limits(search_postings=POSTINGS, function_limit_s=60.0)
        self.backend: Backend = backend_of(Note, search, change, limits=limits)
        self.plain, self.followed = Plain(), list[Followed]()
        self._change([{"op": "insert", "fields": fields} for fields in crowd])

    @rule(plan=plans())
    def follow(self, plan: Plan) -> None:
        """Somebody follows a search."""
        followed = Followed(plan, self.backend.subscribe("things:search", {"plan": plan}))
        chosen, count = self.plain.chosen(plan), int(plan["count"])
        if plan["how"] == "page" and len(chosen) >= count:
            followed.end = self.plain.ranks(plan)[chosen[count - 1]]
        self.followed.append(followed)
        self._check(followed)

    @rule(data=st.data(), count=st.integers(1, 4))
    def mutate(self, data: st.DataObject, count: int) -> None:
        """A few changes at once, each of which later searches of the same mutation see."""
        free, ops = sorted(self.plain.notes), []
        for _ in range(count):
            what = data.draw(st.sampled_from(["insert", "search", "replace", "delete"]))
            if what == "search":
                plan = data.draw(plans(("collect", "take", "each")))
                ops.append({"op": what, "plan": plan})
            elif what == "insert" or not free:
                ops.append({"op": "insert", "fields": data.draw(notes())})
            elif what == "delete":
                ops.append({"op": what, "id": free.pop(data.draw(st.integers(0, len(free) - 1)))})
            else:
                note_id = data.draw(st.sampled_from(free))
                ops.append({"op": what, "id": note_id, "fields": data.draw(notes())})
        self._change(ops)

    @rule(data=st.data())
    def like(self, data: st.DataObject) -> None:
        """A change that has no words runs only the searches that show the note or filter it."""
        if self.plain.notes:
            note_id = data.draw(st.sampled_from(sorted(self.plain.notes)))
            runs = {id(f): f.pushed.runs for f in self.followed}
            hidden = [f for f in self.followed if note_id not in self.plain.ranks(f.plan)]
            fields = {**self.plain.notes[note_id], "likes": float(data.draw(st.integers(2, 9)))}
            self._change([{"op": "replace", "id": note_id, "fields": fields}])
            assert all(f.pushed.runs == runs[id(f)] for f in hidden)

    @rule(fields=notes())
    def say_elsewhere(self, fields: dict[str, Any]) -> None:
        """A note that a search does not find, in another room, does not run it."""
        elsewhere = {**fields, "room": "z"}
        runs = {id(f): f.pushed.runs for f in self.followed}
        self._change([{"op": "insert", "fields": elsewhere}])
        narrow = [f for f in self.followed if "room" in f.plan["filters"]]
        assert all(f.pushed.runs == runs[id(f)] for f in narrow)

    @rule(plan=plans(("page",)))
    def walk(self, plan: Plan) -> None:
        """Page after page gives everything once, in order."""
        seen: list[str] = []
        done, cursor = False, None
        while not done:
            asked = {**plan, "cursor": cursor}
            page, done, cursor = self.backend.query("things:search", {"plan": asked})
            assert done or len(page) == plan["count"]
            seen += page
        assert seen == self.plain.chosen(plan)

    def _change(self, ops: list[dict[str, Any]]) -> None:
        for op, made in zip(ops, self.backend.mutation("things:change", {"ops": ops}), strict=True):
            self.plain.apply(op, made)
        for followed in self.followed:
            self._check(followed)

    def _check(self, followed: Followed) -> None:
        """What was pushed last is the model's, and what a run of now gives."""
        plan, pushed = followed.plan, followed.pushed.value
        if plan["how"] != "page":
            assert pushed == self.plain.found(plan), plan
            assert pushed == self.backend.query("things:search", {"plan": plan})
            return
        ranks, chosen = self.plain.ranks(plan), self.plain.chosen(plan)
        within = [n for n in chosen if followed.end is None or ranks[n] <= followed.end]
        assert pushed[:2] == [within, followed.end is None], plan


TestSearches = Searches.TestCase
TestSearches.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
