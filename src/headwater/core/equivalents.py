"""What other databases' query methods are called here: for messages, static and at run time."""

from __future__ import annotations

_TAKE = "end with .take(n), .paginate(options), .first() or .unique()"
_INDEX = "choose what is read: .with_index(name, field=value), ranges as field__gte=value"
_COUNT = "keep a counter document, changed in the same transaction; len() of what is read counts it"

QUERY: dict[str, str] = {
    **dict.fromkeys(
        ["where", "filter_by", "eq", "gt", "gte", "lt", "lte", "match", "find"], _INDEX
    ),
    **dict.fromkeys(
        ["all", "fetch", "fetchall", "to_list", "list", "execute", "run", "get"], _TAKE
    ),
    **dict.fromkeys(["limit", "find_many", "top", "slice"], _TAKE),
    **dict.fromkeys(["one", "one_or_none", "scalar", "fetchone", "get_or_none"], "use .unique()"),
    **dict.fromkeys(["find_one", "find_first", "fetch_one", "first_or_none"], "use .first()"),
    **dict.fromkeys(["skip", "offset", "page"], "use .paginate(options): a cursor, not a number"),
    **dict.fromkeys(["order_by", "sort", "sort_by"], 'use .order("desc"): an index is the order'),
    **dict.fromkeys(["count", "count_documents", "sum", "exists", "aggregate"], _COUNT),
    **dict.fromkeys(
        ["join", "include", "select_related", "populate", "options"],
        "get the other documents by their ids: await ctx.db.get(task.project_id)",
    ),
    **dict.fromkeys(
        ["update", "delete", "delete_many", "update_many"],
        "write document by document: await ctx.db.patch(task.id, ...)",
    ),
}
"""For a method that no query has, what to write instead."""

_READ = "read through an index: ctx.db.query(Task).with_index(name, field=value).take(n)"

DATABASE: dict[str, str] = {
    **dict.fromkeys(["execute", "exec", "raw", "sql", "select", "fetch", "fetchall"], _READ),
    **dict.fromkeys(["find", "find_many", "find_one", "all", "scalars", "table"], _READ),
    **dict.fromkeys(["add", "create", "insert_one", "save"], "use await ctx.db.insert(Task(...))"),
    **dict.fromkeys(["update", "update_one", "set"], "use await ctx.db.patch(id, field=value)"),
    **dict.fromkeys(["remove", "delete_one", "destroy"], "use await ctx.db.delete(id)"),
    **dict.fromkeys(
        ["commit", "rollback", "flush", "begin", "transaction", "session"],
        "leave it out: a mutation is one transaction, and an error that leaves it undoes all",
    ),
    **dict.fromkeys(
        ["insert_many", "add_all", "bulk_insert", "bulk_create"],
        "insert one by one: it is one transaction all the same",
    ),
}
"""For a method that `ctx.db` does not have, what to write instead."""

STEPS = frozenset({"with_index", "with_search_index", "filter", "order"})
ENDS = frozenset({"collect", "first", "unique", "take", "paginate"})
READS = frozenset({"get", "query", "normalize_id", "system"})
WRITES = frozenset({"insert", "patch", "replace", "delete"})


def instead_of(method: str, *, query: bool) -> str:
    """What to write instead of a method that does not exist."""
    known = QUERY if query else DATABASE
    names = sorted(STEPS | ENDS) if query else sorted(READS | WRITES)
    return known.get(method) or f"there are {', '.join(names)}"
