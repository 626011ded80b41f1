"""Every limit and default: a name with its unit, the value, and why it is what it is.

A limit is set for a server by the environment: `HEADWATER_FUNCTION_LIMIT_S=2`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

DEV_ISSUER = "https://dev.headwater.invalid"
"""Who vouches for the people of a development server; nobody else can be called so."""

STATE = ".headwater"
"""The folder of a project that holds what its server keeps: data, keys, variables."""


def _limit(default: float, reason: str) -> Any:
    return field(default=default, metadata={"reason": reason})


def _of_format(default: int, reason: str) -> Any:
    return field(default=default, init=False, metadata={"reason": reason, "fixed": True})


@dataclass(frozen=True)
class Limits:
    """The limits of one deployment; field metadata `reason` says why each is what it is.

    Those marked `fixed` belong to the format of values, which is the same for all who meet one.
    """

    function_limit_s: float = _limit(
        1.0, "a query or mutation holds the engine; Convex allows one second of user code too"
    )
    batch_s: float = _limit(
        0.05, "a batch that has run so long is committed and answered, the rest is the next one"
    )
    hard_limit_s: float = _limit(
        5.0, "past this the process is ended by faulthandler and restarted by its supervisor"
    )
    silent_server_s: float = _limit(
        15.0, "a process that cannot even beat is ended by its supervisor; above hard_limit_s"
    )
    refused_after_fault_s: float = _limit(
        60.0, "a function that ended the process is refused: clients send it again after a restart"
    )
    load_limit_s: float = _limit(20.0, "importing a backend may load heavy libraries, not hang")
    action_limit_s: float = _limit(600.0, "ten minutes, as Convex gives its Node actions")
    actions_at_once: int = _limit(1000, "bounds memory; Convex allows 1000 concurrent actions")
    action_shutdown_s: float = _limit(
        5.0, "what actions have to end when the server is stopped; below the ten of containers"
    )
    nested_calls: int = _limit(
        32, "functions that run one another; more is a function that runs itself without end"
    )
    documents_read: int = _limit(32_000, "a transaction that reads more needs an index")
    bytes_read: int = _limit(16 * 2**20, "16 MiB, as Convex; bounds memory per call")
    ranges_read: int = _limit(4_096, "index ranges per transaction; each is kept for invalidation")
    documents_written: int = _limit(16_000, "bounds the length of one commit")
    bytes_written: int = _limit(16 * 2**20, "16 MiB, as Convex; bounds the write-ahead log")
    document_bytes: int = _limit(2**20, "1 MiB; larger things are files or child documents")
    arguments_bytes: int = _limit(16 * 2**20, "16 MiB, as Convex; bounds memory per call")
    result_bytes: int = _limit(16 * 2**20, "16 MiB, as Convex; every subscriber gets a copy")
    value_depth: int = _of_format(64, "nesting of a value in flight; protects every recursive walk")
    document_depth: int = _of_format(
        16, "nesting of a stored document, as Convex; results wrap it in some more"
    )
    array_length: int = _of_format(8_192, "elements of one array, as Convex")
    object_fields: int = _of_format(1_024, "fields of one object, as Convex")
    search_results: int = _limit(
        1_024, "documents one search gives, as Convex; more of them is no answer to a question"
    )
    search_postings: int = _limit(
        8_192, "index entries read for one word of a search, the weightiest first; bounds its time"
    )
    search_document_words: int = _limit(
        32_768, "different words of one searched text; each is an index entry to write"
    )
    search_words: int = _of_format(16, "words of a search that count, as Convex")
    search_word_bytes: int = _of_format(32, "a longer word is not indexed, as Convex")
    search_filters: int = _of_format(8, "filters of one search, as Convex")
    search_filter_fields: int = _of_format(
        16, "filter fields of a search index, as Convex; each adds an index entry per word"
    )
    search_indexes: int = _of_format(4, "search indexes of one table, as Convex")
    name_length: int = _of_format(
        64, "letters of a table's, an index's or a field's name, as Convex"
    )
    key_length: int = _of_format(1_024, "letters of a name inside a nested object, as Convex")
    tables: int = _of_format(10_000, "tables of one backend, as Convex; each is looked up by name")
    indexes_per_table: int = _of_format(32, "as Convex; every write keeps all of them")
    index_fields: int = _of_format(
        16, "fields of an index with the creation time it ends with, as Convex; they make its keys"
    )
    near_limit_percent: float = _limit(
        80.0, "a call that comes so near to a limit of reads or writes logs a warning"
    )
    log_lines: int = _limit(256, "per call; more is dropped with a note")
    log_line_bytes: int = _limit(4_096, "per line; more is cut")
    file_bytes: int = _limit(
        5 * 2**30, "5 GiB; one upload must not fill the disk, and S3 takes so much in one object"
    )
    uploads_at_once: int = _limit(64, "each holds up to 25 MiB of parts on the way to S3")
    upload_idle_s: float = _limit(60.0, "an upload that sends nothing for so long is given up")
    scheduled_per_call: int = _limit(1_000, "calls one mutation schedules, as Convex")
    scheduled_outstanding: int = _limit(
        1_000_000, "calls that wait or run, as Convex; what schedules without end fills the disk"
    )
    scheduled_arguments_bytes: int = _limit(
        4 * 2**20, "4 MiB of one scheduled call, as Convex; they wait on the disk"
    )
    scheduled_actions_at_once: int = _limit(
        32, "scheduled actions beside those of clients; more wait for their turn"
    )
    scheduled_results_days: float = _limit(7.0, "how long results are kept, as Convex")
    message_bytes: int = _limit(
        20 * 2**20, "one message of a client: the arguments limit and its envelope"
    )
    snapshot_s: float = _limit(30.0, "how long a timestamp of /api/query_ts can be read, as Convex")
    snapshot_bytes: int = _limit(
        32 * 2**20, "replaced documents kept for such reads; more ends them, not the writes"
    )
    queries_at_once: int = _limit(100, "queries of one /api/query_batch; each holds the engine")
    http_request_bytes: int = _limit(20 * 2**20, "the body of a request for an HTTP route")
    http_response_bytes: int = _limit(
        20 * 2**20, "the answer of an HTTP route, as Convex; larger things are files"
    )
    frame_bytes: int = _limit(
        64 * 2**20, "a larger message is not read at all, and ends its session for good"
    )
    requests_waiting: int = _limit(1_000, "per socket, as Convex: TooManyConcurrentMutations")
    queries_per_session: int = _limit(10_000, "live queries of one socket; bounds memory")
    transitions_unsent: int = _limit(2, "per socket; a slower client gets only the newest state")
    slow_client_s: float = _limit(30.0, "a socket that takes nothing for this long is cut off")
    send_buffer_bytes: int = _limit(32 * 2**20, "answers waiting for one socket; more cuts it off")
    import_expansion: int = _limit(
        200, "times its size a zip may unpack to; ids are random, so no export packs that well"
    )
    import_directory_bytes: int = _limit(
        256 * 2**20, "the directory of a zip is read as a whole; two million stored files have this"
    )
    import_line_bytes: int = _limit(
        4 * 2**20, "one document of an import: the document limit, and what escaping adds"
    )
    import_array_bytes: int = _limit(
        16 * 2**20, "a JSON array is read as a whole; lines (.jsonl) and .csv have no such limit"
    )
    import_bytes: int = _limit(
        16 * 2**30, "a file sent to a running server, which lays it on its disk first"
    )
    mutation_retries: int = _limit(4, "runs after a conflict before the client is told, as Convex")
    session_request_days: float = _limit(14.0, "how long a re-sent mutation id is recognised")
    idle_ping_s: float = _limit(15.0, "a Ping message keeps quiet sockets open")
    dead_client_s: float = _limit(120.0, "a socket silent for this long is closed")
    log_records: int = _limit(10_000, "kept in memory for `headwater logs`, terminal and drain")
    log_bytes: int = _limit(16 * 2**20, "of these records together; the oldest make room")
    log_batch: int = _limit(500, "records of one request to a log drain")
    log_drain_timeout_s: float = _limit(10.0, "a drain that has not answered by then is asked anew")
    log_drain_pause_s: float = _limit(30.0, "the longest pause between two tries; the first is 0.5")
    variables: int = _limit(1_000, "of one deployment, as Convex; read at once at every load")
    variable_name_chars: int = _limit(40, "as Convex, so that settings can move there")
    variable_bytes: int = _limit(8_192, "as Convex; larger things are documents or files")

    token_bytes: int = _limit(
        16_384, "headers of proxies end there too; real tokens have 1 to 4 KB"
    )
    authenticate_s: float = _limit(
        10.0, "proving one token, keys fetched included; what its client sent later waits for it"
    )
    keys_fetch_s: float = _limit(5.0, "one answer of an auth provider; slower is down")
    keys_bytes: int = _limit(512 * 1024, "one answer of an auth provider; key sets have a few KB")
    keys_fresh_least_s: float = _limit(
        60.0, "keys are not asked for again before, whatever their Cache-Control says"
    )
    keys_fresh_most_s: float = _limit(
        6 * 3600.0, "keys are asked for again by then: one withdrawn is trusted no longer"
    )
    keys_stale_s: float = _limit(
        86_400.0, "age of keys when they are trusted no more, though their provider does not answer"
    )
    keys_again_s: float = _limit(
        10.0, "between two fetches for unknown key ids or of a failing provider; tokens are cheap"
    )

    @cached_property
    def near(self) -> tuple[float, float, float, float]:
        """From where on a call is warned: documents and bytes read, documents and bytes written."""
        share = self.near_limit_percent / 100
        read = self.documents_read * share, self.bytes_read * share
        return (*read, self.documents_written * share, self.bytes_written * share)

    def settable(self) -> dict[str, Any]:
        """The limits a deployment may set, by name: `Limits(**limits.settable())` equals these."""
        return {spec.name: getattr(self, spec.name) for spec in fields(self) if spec.init}


@dataclass(frozen=True)
class Guards:
    """What is looked after while queries and mutations run, beside the rules that always hold.

    Attributes:
        outside: files, sockets and processes are refused (HW203).
        twice: some calls are run twice and compared (HW201, HW202, HW206).
    """

    outside: bool = False
    twice: bool = False


UNGUARDED = Guards()
GUARDED = Guards(outside=True, twice=True)
"""In `headwater dev`, in tests and in grading: there a broken rule is met early."""


def guards_from_environment(dev: bool, environment: dict[str, str] | None = None) -> Guards:
    """The guards of a server: on in development, off elsewhere, or as `HEADWATER_GUARDS` says.

    Raises:
        ValueError: the variable is neither `on` nor `off`.
    """
    text = (os.environ if environment is None else environment).get("HEADWATER_GUARDS")
    if text not in (None, "on", "off"):
        raise ValueError(f"HEADWATER_GUARDS={text!r} is neither `on` nor `off`. Unset it.")
    return GUARDED if text == "on" or (text is None and dev) else UNGUARDED


def limits_from_environment(environment: dict[str, str] | None = None) -> Limits:
    """The limits, with every `HEADWATER_<NAME>` of the environment applied.

    Args:
        environment: variables to read; the process environment by default.

    Raises:
        ValueError: a variable that is not a positive number, or sets what is fixed; names it.
    """
    variables = os.environ if environment is None else environment
    changes: dict[str, Any] = {}
    for spec in fields(Limits):
        text = variables.get(f"HEADWATER_{spec.name.upper()}")
        if text is not None and "fixed" in spec.metadata:
            raise ValueError(
                f"HEADWATER_{spec.name.upper()} cannot be set: {spec.default} is a part of the "
                "format of values. Unset it."
            )
        if text is not None:
            changes[spec.name] = _number(f"HEADWATER_{spec.name.upper()}", text, spec.default)
    return Limits(**changes)


def _number(name: str, text: str, default: Any) -> float:
    try:
        number = type(default)(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise ValueError(
            f"{name}={text!r} is not a positive {type(default).__name__}; "
            f"the default is {default}. Unset it or give a number."
        )
    return number  # type: ignore[no-any-return]
