"""`with_search_index`: what is found, in which order, what it costs and when it runs again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import (
    UNSET,
    Document,
    Id,
    Index,
    Model,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    SearchIndex,
    mutation,
    query,
)
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Place(Model):
    """Where something is."""

    city: str


class Message(Document, table="messages"):
    """A message of a room, perhaps by somebody, perhaps somewhere."""

    content: str
    room_id: str
    author: str | None = None
    likes: int = 0
    place: Place | None = None
    by_room = Index("room_id")
    search_content = SearchIndex("content", filter_fields=("room_id", "author", "place.city"))
    search_city = SearchIndex("place.city")


@mutation
async def say(
    ctx: MutationCtx, content: str, room_id: str = "x", author: str | None = None, city: str = ""
) -> Id[Message]:
    """A message."""
    place = Place(city=city) if city else None
    message = Message(content=content, room_id=room_id, author=author, place=place)
    return await ctx.db.insert(message)


@mutation
async def say_all(ctx: MutationCtx, contents: list[str], room_id: str = "x") -> None:
    """A message for each text."""
    for content in contents:
        await ctx.db.insert(Message(content=content, room_id=room_id))


@mutation
async def edit(ctx: MutationCtx, id: Id[Message], content: str) -> None:
    """Another text."""
    await ctx.db.patch(id, content=content)


@mutation
async def like(ctx: MutationCtx, id: Id[Message]) -> None:
    """A change that has no words."""
    await ctx.db.patch(id, likes=1)


@mutation
async def move(ctx: MutationCtx, id: Id[Message], room_id: str) -> None:
    """Another room."""
    await ctx.db.patch(id, room_id=room_id)


@mutation
async def drop(ctx: MutationCtx, id: Id[Message]) -> None:
    """One less."""
    await ctx.db.delete(id)


@query
async def in_room(ctx: QueryCtx, words: str, room_id: str, most: int = 10) -> list[str]:
    """The texts found in a room."""
    found = ctx.db.query(Message).with_search_index("search_content", words, room_id=room_id)
    return [message.content for message in await found.take(most)]


@query
async def page(ctx: QueryCtx, words: str, options: PaginationOptions) -> PaginationResult[Message]:
    """A page of what is found in all rooms."""
    return await ctx.db.query(Message).with_search_index("search_content", words).paginate(options)


steps: list[Any] = []
"""How the next `run` asks; set by `asked`."""


@query
async def run(ctx: QueryCtx) -> Any:
    """What the steps give."""
    return await steps[0](ctx.db.query(Message))


@query
async def run_by_name(ctx: QueryCtx) -> Any:
    """The same by the table's name."""
    return await steps[0](ctx.db.query("messages"))


@mutation
async def run_after_writes(ctx: MutationCtx) -> Any:
    """Finds what it has just written, and not what it has just changed or removed."""
    await ctx.db.insert(Message(content="new words", room_id="x"))
    for message in await ctx.db.query(Message).with_index("by_room", room_id="x").collect():
        if message.content == "old words":
            await ctx.db.patch(message.id, content="changed")
        if message.content == "gone words":
            await ctx.db.delete(message.id)
    found = await ctx.db.query(Message).with_search_index("search_content", "words").collect()
    return [message.content for message in found]


HANDLERS = (say, say_all, edit, like, move, drop, in_room, page, run, run_by_name, run_after_writes)


@pytest.fixture
def backend() -> Backend:
    """No messages yet."""
    return backend_of(Message, *HANDLERS)


def asked(backend: Backend, how: Callable[[Any], Any], function: Any = run) -> Any:
    """The result of a query of messages."""
    steps[:] = [how]
    return backend.query(function)


def contents(backend: Backend, text: str, **filters: Any) -> list[str]:
    """The texts of all messages found, in order."""
    how = lambda q: q.with_search_index("search_content", text, **filters).collect()  # noqa: E731
    return [message["content"] for message in asked(backend, how)]


def raised(backend: Backend, how: Callable[[Any], Any], function: Any = run) -> str:
    """The text of the error a query of messages ends with."""
    with pytest.raises(FunctionFailed) as error:
        asked(backend, how, function)
    return str(error.value)


# --- what is found ---


def test_any_of_the_words_is_enough_and_the_last_may_be_begun(backend: Backend) -> None:
    """More of them come first, then whole ones; equals are ordered by age, the newest first."""
    backend.mutation(say_all, ["Hello there!", "hello World", "other words", "nothing"])
    assert contents(backend, "hello wor") == ["hello World", "Hello there!", "other words"]
    assert contents(backend, "HELLO") == ["hello World", "Hello there!"]
    assert contents(backend, "hel world") == ["hello World"]


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_a_search_for_no_words_finds_nothing(backend: Backend, text: str) -> None:
    """An empty search box shows no results, not all documents."""
    backend.mutation(say, "hello")
    assert contents(backend, text) == []


def test_filters_must_all_hold(backend: Backend) -> None:
    """Equal values, the absent one and those inside nested objects among them."""
    for n, (room, author, city) in enumerate(
        [("x", "ana", "Rome"), ("x", "bo", ""), ("y", "ana", "Rome"), ("x", None, "Rome")]
    ):
        named = {} if author is None else {"author": author}
        backend.mutation(say, f"hi {n}", room_id=room, city=city, **named)
    assert contents(backend, "hi", room_id="x") == ["hi 3", "hi 1", "hi 0"]
    assert contents(backend, "hi", author="ana") == ["hi 2", "hi 0"]
    assert contents(backend, "hi", room_id="x", author="ana") == ["hi 0"]
    assert contents(backend, "hi", author=None) == contents(backend, "hi", author=UNSET) == ["hi 3"]
    rome = {"place.city": "Rome"}
    assert contents(backend, "hi", room_id="x", **rome) == ["hi 3", "hi 0"]
    assert contents(backend, "hi", author="ana", **rome) == ["hi 2", "hi 0"]
    assert contents(backend, "hi", room_id="x", author="bo", **{"place.city": UNSET}) == ["hi 1"]


def test_nested_text_is_searched(backend: Backend) -> None:
    """A field inside a nested object, absent in some documents."""
    backend.mutation(say, "here", city="New Rome")
    backend.mutation(say, "nowhere")
    found = asked(backend, lambda q: q.with_search_index("search_city", "rome").collect())
    assert [message["content"] for message in found] == ["here"]


def test_every_ending_works_after_a_search(backend: Backend) -> None:
    """Filters, too; documents come as their class or, by the table's name, as dicts."""
    backend.mutation(say_all, ["a 1", "a 2", "a 3", "b 4"])

    async def each(q: Any) -> list[str]:
        return [message.content async for message in q.with_search_index("search_content", "a")]

    def search(q: Any, text: str = "a") -> Any:
        return q.with_search_index("search_content", text)

    assert asked(backend, each) == ["a 3", "a 2", "a 1"]
    assert asked(backend, lambda q: search(q).first())["content"] == "a 3"
    assert asked(backend, lambda q: search(q, "b").unique())["content"] == "b 4"
    assert [m["content"] for m in asked(backend, lambda q: search(q).take(2))] == ["a 3", "a 2"]
    odd = asked(backend, lambda q: search(q).filter(lambda m: m.content != "a 2").collect())
    assert [message["content"] for message in odd] == ["a 3", "a 1"]
    named = asked(
        backend, lambda q: search(q).filter(lambda m: m["likes"] == 0).first(), run_by_name
    )
    assert (named["content"], named["roomId"]) == ("a 3", "x")
    assert "unique() query returned more than one" in raised(backend, lambda q: search(q).unique())


def test_a_mutation_finds_its_own_writes(backend: Backend) -> None:
    """What it inserted, not what it removed, and what it changed by the new words."""
    backend.mutation(say_all, ["old words", "gone words", "kept words"])
    assert backend.mutation(run_after_writes) == ["new words", "kept words"]
    assert contents(backend, "words") == ["new words", "kept words"]
    assert contents(backend, "changed") == ["changed"]


# --- errors ---


def search(name: str, text: Any = "a", **filters: Any) -> Callable[[Any], Any]:
    """The start of a search."""
    return lambda q: q.with_search_index(name, text, **filters).collect()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (search("serch_content"), "has no search index `serch_content`. Did you mean `search_con"),
        (search("by_room"), 'is no search index: read it by .with_index("by_room", ...)'),
        (search("search_content", rom_id="x"), "no filter field `rom_id`. Did you mean `room_id`?"),
        (search("search_city", room_id="x"), "no filter field `room_id`. It has none"),
        (search("search_content", room_id__gt="x"), "`room_id__gt`: a search filters by equal"),
        (search("search_content", 7), "with_search_index() takes a text, not int"),
        (
            lambda q: q.with_index("search_content").collect(),
            'is a search index: read it by .with_search_index("search_content", text)',
        ),
        (
            lambda q: q.with_search_index("search_content", "a").order("desc").collect(),
            "a search gives the best first",
        ),
        (
            lambda q: q.order("asc").with_search_index("search_content", "a").collect(),
            "a search gives the best first",
        ),
        (
            lambda q: q.with_index("by_room").with_search_index("search_content", "a").collect(),
            "a query reads through one index",
        ),
        (
            lambda q: q.with_search_index("search_content", "a").with_index("by_room").collect(),
            "a query reads through one index",
        ),
    ],
)
def test_a_wrong_search_says_what_to_write(
    backend: Backend, how: Callable[[Any], Any], said: str
) -> None:
    """The nearest name there is, or the call that fits."""
    assert said in raised(backend, how)


def test_a_table_without_search_indexes_says_so() -> None:
    """Also one that no class declares."""
    backend = backend_of(Message, *HANDLERS)

    @query
    async def other(ctx: QueryCtx) -> None:
        await ctx.db.query("notes").with_search_index("search", "a").collect()

    undeclared = backend_of(other)
    with pytest.raises(
        FunctionFailed, match=r"table notes has no search index `search`. It has no"
    ):
        undeclared.query(other)
    assert "Search indexes: search_content, search_city" in raised(backend, search("zzz"))


# --- limits ---


def test_search_filters_is_a_limit() -> None:
    """Eight equal values of one search, and no more."""

    class Wide(Document, table="wide"):
        text: str
        f0: float = 0
        f1: float = 0
        f2: float = 0
        f3: float = 0
        f4: float = 0
        f5: float = 0
        f6: float = 0
        f7: float = 0
        f8: float = 0
        find = SearchIndex("text", tuple(f"f{n}" for n in range(9)))

    @mutation
    async def fill(ctx: MutationCtx) -> None:
        await ctx.db.insert(Wide(text="a"))
        await ctx.db.insert(Wide(text="a", f7=1))

    @query
    async def count(ctx: QueryCtx, filters: int) -> int:
        equal = {f"f{n}": 0 for n in range(filters)}
        return len(await ctx.db.query(Wide).with_search_index("find", "a", **equal).collect())

    backend = backend_of(Wide, fill, count)
    backend.mutation(fill)
    assert [backend.query(count, n) for n in (0, 7, 8)] == [2, 2, 1]
    with pytest.raises(FunctionFailed, match=r"too many filter conditions\. Max: 8 Actual: 9"):
        backend.query(count, 9)


def test_search_words_is_a_limit(backend: Backend) -> None:
    """The first sixteen words count, the others are not looked for."""
    backend.mutation(say_all, ["w16", "w17"])
    typed = " ".join(f"w{n}" for n in range(1, 18))
    assert contents(backend, typed) == ["w16"]


@pytest.mark.parametrize("over", [0, 1])
def test_search_results_is_a_limit(over: int) -> None:
    """Just as many are given; one more is an error for who wants all, not for who wants some."""
    limits = Limits(search_results=60, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    backend.mutation(say_all, [f"a {n}" for n in range(60 + over)])
    everything: list[Callable[[Any], Any]] = [
        lambda q: q.collect(),
        lambda q: q.take(61),
        lambda q: q.filter(lambda m: m.likes == 0).collect(),
        lambda q: q.filter(lambda m: m.likes == 1).first(),
    ]
    for ending in everything:
        how = lambda q, end=ending: end(q.with_search_index("search_content", "a"))  # noqa: E731
        if over:
            assert "scanned too many documents (fetched 60)" in raised(backend, how)
        else:
            asked(backend, how)
    some = asked(backend, lambda q: q.with_search_index("search_content", "a").take(60))
    assert len(some) == 60


def test_search_postings_is_a_limit() -> None:
    """Of a word that many documents share only the weightiest and newest are looked at."""
    limits = Limits(search_postings=3, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    backend.mutation(say_all, ["a a", "a 1", "a 2", "a 3", "a 4"])
    assert contents(backend, "a") == ["a a", "a 4", "a 3"]


def test_search_document_words_is_a_limit() -> None:
    """A text of more different words is refused with the field's name; repeating them is fine."""
    limits = Limits(search_document_words=3, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    backend.mutation(say, "a b c a b c a b c")
    with pytest.raises(FunctionFailed, match=r"`content` .* more than 3 different words"):
        backend.mutation(say, "a b c d")


def test_documents_read_counts_what_a_search_gives() -> None:
    """Not what it found: relevance is decided without reading documents."""
    limits = Limits(documents_read=5, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    for _ in range(4):
        backend.mutation(say_all, ["a b", "a c"])
    assert len(asked(backend, lambda q: q.with_search_index("search_content", "a").take(5))) == 5
    assert backend.stats.documents_read == 5
    assert "limit of 5 documents read" in raised(backend, search("search_content"))


@pytest.mark.prove
def test_a_rare_word_among_ten_thousand_messages_reads_few_documents(backend: Backend) -> None:
    """As many as it finds, in a room and everywhere."""
    for room in range(10):
        texts = [f"message {n} of the usual kind" for n in range(1_000)]
        texts[500] = f"a needle in room {room}"
        backend.mutation(say_all, texts, room_id=f"r{room}")
    assert len(contents(backend, "needle")) == 10
    assert backend.stats.documents_read == 10
    assert contents(backend, "needle", room_id="r3") == ["a needle in room 3"]
    assert backend.stats.documents_read == 1
    assert len(backend.query(in_room, "usual", "r3")) == 10
    assert backend.stats.documents_read == 10


# --- what runs again ---


def test_a_search_runs_again_for_its_words_in_its_filter_only(backend: Backend) -> None:
    """A message elsewhere, or without the words, leaves it alone; one that begins to match not."""
    other = backend.mutation(say, "something else")
    shown = backend.subscribe(in_room, "hel wor", "x")
    for content, room in (("hello", "y"), ("help", "x"), ("a world", "y"), ("nothing", "x")):
        backend.mutation(say, content, room_id=room)
    assert (shown.value, shown.runs) == ([], 1)
    backend.mutation(say, "a world", room_id="x")
    assert (shown.value, shown.runs) == (["a world"], 2)
    backend.mutation(edit, other, "some words")
    assert (shown.value, shown.runs) == (["a world", "some words"], 3)


def test_a_search_sees_documents_leave(backend: Backend) -> None:
    """By an edit, by another filter value, and for good."""
    one, two, three = (backend.mutation(say, f"word {n}") for n in (1, 2, 3))
    shown = backend.subscribe(in_room, "word", "x")
    assert shown.value == ["word 3", "word 2", "word 1"]
    backend.mutation(move, three, "y")
    backend.mutation(edit, two, "empty")
    assert shown.value == ["word 1"]
    backend.mutation(drop, one)
    assert (shown.value, shown.runs) == ([], 4)


def test_a_change_without_words_runs_only_searches_that_show_the_document(
    backend: Backend,
) -> None:
    """The others depend on its words, which stay."""
    old, new = backend.mutation(say, "word 1"), backend.mutation(say, "word 2")
    top, both = backend.subscribe(in_room, "word", "x", 1), backend.subscribe(in_room, "word", "x")
    backend.mutation(like, old)
    assert (top.runs, both.runs) == (1, 2)
    backend.mutation(like, new)
    assert (top.runs, both.runs) == (2, 3)


def test_a_bounded_search_depends_on_what_it_looked_at() -> None:
    """Past the postings it reads, changes leave it alone."""
    limits = Limits(search_postings=2, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    shown = backend.subscribe(in_room, "a", "x")
    backend.mutation(say_all, ["a a", "a a b"])
    runs = shown.runs
    backend.mutation(say, "a " + "long text " * 9)
    assert (shown.value, shown.runs) == (["a a b", "a a"], runs)
    backend.mutation(say, "a a a")
    assert shown.value == ["a a a", "a a b"]


# --- pages ---


def options(cursor: str | None = None, end: str | None = None, items: int = 2) -> PaginationOptions:
    """What a client sends."""
    return PaginationOptions(num_items=items, cursor=cursor, end_cursor=end)


def test_pages_go_on_in_order_of_relevance(backend: Backend) -> None:
    """To the end, which is only known after it; more than search_results in all is fine."""
    limits = Limits(search_results=3, function_limit_s=60.0)
    backend = backend_of(Message, *HANDLERS, limits=limits)
    backend.mutation(say_all, ["a b", "a a", "a c", "a b c", "a"])
    seen: list[str] = []
    cursor, done = None, False
    while not done:
        result = backend.query(page, "a", options(cursor))
        seen += [message.content for message in result.page]
        cursor, done = result.continue_cursor, result.is_done
    assert seen == ["a a", "a", "a b c", "a c", "a b"]


def test_pages_stay_where_they_end(backend: Backend) -> None:
    """What comes in before a page's end makes it longer; the next page does not move."""
    backend.mutation(say_all, ["a 1", "a 2", "a 3"])
    first = backend.subscribe(page, "a", options())
    assert [message.content for message in first.value.page] == ["a 3", "a 2"]
    following = backend.subscribe(page, "a", options(first.value.continue_cursor))
    backend.mutation(say, "a a")
    assert [message.content for message in first.value.page] == ["a a", "a 3", "a 2"]
    assert [message.content for message in following.value.page] == ["a 1"]


@pytest.mark.parametrize("words", ["b", "a b"])
def test_a_cursor_belongs_to_its_words(backend: Backend, words: str) -> None:
    """That of another search is refused, as clients expect it."""
    backend.mutation(say_all, ["a 1", "a 2", "a 3"])
    cursor = backend.query(page, "a", options()).continue_cursor
    with pytest.raises(Exception, match="InvalidCursor"):
        backend.query(page, words, options(cursor))
