"""Every error a learner or a client can meet.

One base class. Each class has a tag (its name, stable, on its own heading in
docs/reference/errors.md), makes its own sentence from facts, and says what to do next in `fix`
where that is not in the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

_SHOWN = 200


def shortened(text: str) -> str:
    """A client's own text as messages repeat it; nobody needs to read a megabyte of it."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class HeadwaterError(Exception):
    """Base of all errors the runtime raises.

    Attributes:
        shown_as: the name clients see after `Uncaught`.
        fix: one next step, or an empty string where the sentence already says it.
        rule: the rule of the rulebook that was broken, such as `HW401`; mostly none.
        where: the user's file and line, as far as it is known without a trace.
    """

    shown_as = "Error"
    fix = ""
    rule = ""
    where = ""

    @property
    def message(self) -> str:
        """The sentence, followed by the fix when there is one, and by where to read more."""
        fix = f"\n  Fix:  {self.fix}" if self.fix else ""
        more = f"\n  More: headwater explain {self.rule}" if self.rule else ""
        return f"{self}{fix}{more}"

    def by_rule(self, code: str, fix: str = "", where: str = "") -> Self:
        """The same error, as one of a rule: whoever tells of it words it by the rulebook.

        Args:
            code: of the rule.
            fix: one next step, where the sentence does not say it.
            where: such as `backend/tasks.py:12`, where no trace says it.
        """
        self.rule, self.fix, self.where = code, fix or self.fix, where
        return self


class AppError(HeadwaterError):
    """An error an application raises for its clients; they receive `data` as ConvexError data.

    Args:
        data: any value that may be sent: a string, a dict, a number ...
    """

    shown_as = "ConvexError"

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.data = data

    def __str__(self) -> str:
        return self.data if isinstance(self.data, str) else repr(self.data)


class ArgumentValidationError(HeadwaterError):
    """Arguments that do not fit the function's signature; the handler is never entered."""

    shown_as = "ArgumentValidationError"
    rule = "HW103"


class ReturnValidationError(HeadwaterError):
    """A returned value that does not fit the function's declared return type."""

    shown_as = "ReturnValidationError"
    rule = "HW103"
    fix = "return what is declared behind ->, or declare what is returned"


class InvalidValue(HeadwaterError):
    """A Python value that can neither be stored nor sent."""


class InvalidStorageId(HeadwaterError):
    """A text that is no document id, or the id of another table."""


class DocumentMissing(HeadwaterError):
    """A patch, replace or delete of a document that does not exist."""

    rule = "HW406"
    fix = "look first: task = await ctx.db.get(id), and decide what it means when there is none"

    def __init__(self, operation: str, document_id: str) -> None:
        super().__init__(f"{operation} on nonexistent document ID {document_id}")


class DocumentInvalid(HeadwaterError):
    """A document that does not fit its table's declared fields."""


class QueryInvalid(HeadwaterError):
    """A database query that cannot run: an unknown index, a field out of order, a second result."""


class SystemTableAccess(HeadwaterError):
    """The runtime's own tables through the user's API, or a user's table through `db.system`."""

    def __init__(self, table: str, system: bool) -> None:
        if system:
            text = f"`{table}` is no system table; read it with ctx.db"
        else:
            text = f"`{table}` is a system table: read it with ctx.db.system; nobody writes it"
        super().__init__(text)


class InvalidCursor(AppError):
    """A pagination cursor of another query; clients of usePaginatedQuery start again on it."""

    def __init__(self) -> None:
        super().__init__({"isConvexSystemError": True, "paginationError": "InvalidCursor"})


class FunctionNotFound(HeadwaterError):
    """A path that names no public function."""

    def __init__(self, path: str, hint: str = "") -> None:
        text = f"Could not find public function for '{shortened(path)}'."
        super().__init__(f"{text} Did you forget to run `npx convex dev`? {hint}".rstrip())


class WrongFunctionKind(HeadwaterError):
    """A query called as a mutation, or the like."""

    def __init__(self, path: str, kind: str, wanted: str) -> None:
        super().__init__(
            f"Trying to execute {path} as a {wanted}, but it is defined as a {kind}. "
            f"Call it as a {kind}."
        )


class RegistrationError(HeadwaterError):
    """A backend that cannot be loaded: a name that collides, a type that cannot be stored."""


class BackendLoadError(HeadwaterError):
    """The backend folder does not import; says which file and line, and why."""


class CodegenError(HeadwaterError):
    """Types for the frontend that cannot be written; says which file or folder, and why."""


class SchemaMismatch(HeadwaterError):
    """Stored documents that do not fit a new schema, by table, id and field."""

    def __init__(self, misfits: Sequence[str], more: int = 0) -> None:
        listed = "\n  ".join(misfits)
        rest = f"\n  ... and {more} more" if more else ""
        super().__init__(f"stored documents do not fit the new schema:\n  {listed}{rest}")
        self.misfits, self.more = tuple(misfits), more

    fix = (
        "a new field: make it optional (default None), fill it by a mutation, then require it; "
        "a field that goes: make it optional, remove it from the documents by a mutation "
        "(`patch(id, field=UNSET)`), then delete it from the class"
    )


class Superseded(HeadwaterError):
    """A backend that was to serve when its indexes were filled; a newer one came before that."""

    def __init__(self) -> None:
        super().__init__("a newer version of the backend was saved before this one could serve.")


class IndexStaged(HeadwaterError):
    """A query on an index that is declared with `staged=True`."""

    def __init__(self, table: str, index: str) -> None:
        super().__init__(
            f"Index {table}.{index} is currently staged and not available to query until it is "
            "enabled"
        )


class IndexBackfilling(HeadwaterError):
    """A query on an index that is still being filled; told again when it is whole."""

    def __init__(self, table: str, index: str, progress: str) -> None:
        super().__init__(
            f"Index {table}.{index} is currently backfilling and not available to query until it "
            f"is finished: {progress}. Queries that are followed run again by themselves then"
        )


class RuleViolation(HeadwaterError):
    """A rule broken at registration or at run time, worded as `headwater check` words it.

    Attributes:
        finding: all that is known of it, a `headwater.rules.Finding`.
        code: the rule's id, such as `HW204`.
        what: what was seen.
        where: `backend/tasks.py:12`, or an empty string when no user line is known.
    """

    def __init__(self, finding: Any) -> None:
        self.finding = finding
        self.rule = self.code = str(finding.code)
        self.what, self.fix = str(finding.what), str(finding.fix)
        self.where = f"{finding.path}:{finding.line}" if finding.path else ""
        super().__init__(finding.render())

    @property
    def message(self) -> str:
        """The whole text, which is the error's own."""
        return str(self)


class BackendRefused(RuleViolation, RegistrationError):
    """A backend that cannot be loaded, by a rule."""


class TimeLimitExceeded(HeadwaterError):
    """A function that ran past its time limit."""

    def __init__(self, function: str, limit_s: float, where: str) -> None:
        place = f" at {where}" if where else ""
        super().__init__(
            f"{function} ran longer than its limit of {limit_s:g} s and was stopped{place}. "
            "Nothing it wrote was kept."
        )

    fix = "do less per call: take a bounded batch, and move slow or outside work into an action"


class EndedTheServer(HeadwaterError):
    """A function that was running when the server process ended; refused for a while."""

    def __init__(self, path: str, refused_s: float) -> None:
        super().__init__(
            f"{path} was running when the server process ended. It is refused for {refused_s:g} s "
            "or until the backend is reloaded; the server's own output has the line it was at."
        )

    fix = "make it do less per call, or move long computations into a process of their own"


class LimitExceeded(HeadwaterError):
    """More read, written, sent or returned than a limit of settings.py allows."""


class Conflict(HeadwaterError):
    """A transaction that lost against another; retried by the engine. May be raised to test
    clients.
    """

    def __init__(self, text: str = "Documents read by this mutation changed while it ran.") -> None:
        super().__init__(text)


class Overloaded(HeadwaterError):
    """The server has too much to do; clients back off and try again. May be raised to test
    clients.
    """

    def __init__(self, text: str = "The server is overloaded. Try again in a moment.") -> None:
        super().__init__(text)


class SnapshotGone(HeadwaterError):
    """A query at a timestamp that can no longer be read; ask for a new one and start again."""

    def __init__(self, kept_s: float) -> None:
        super().__init__(
            f"The data of this timestamp is no longer there: it is kept for {kept_s:g} s, and less "
            "when much is written."
        )

    fix = "start again at a new timestamp: make a new ConvexHttpClient for each consistent read"


class NotAuthenticated(HeadwaterError):
    """A function that needs a signed-in caller was called without one."""

    def __init__(self) -> None:
        super().__init__("Not signed in: this function needs an identity.")

    fix = (
        "sign in first; in tests backend.with_identity(subject=...), on the command line --as NAME"
    )


class InvalidToken(HeadwaterError):
    """A token that is expired, unsigned, or from an issuer this server does not trust.

    Attributes:
        code: what HTTP clients match on.
        status: what HTTP clients are answered with.
    """

    code = "InvalidAuthHeader"
    status = 401


class NoAuthProvider(InvalidToken):
    """A token whose issuer and audience are not those of a configured provider."""

    code = "NoAuthProvider"


class AuthProviderDown(InvalidToken):
    """A token that may be good, but its issuer's keys cannot be had just now."""

    code = "AuthProviderDiscoveryFailed"
    status = 503


class InvalidAuthHeader(InvalidToken):
    """An Authorization header too short to be one."""

    status = 400
    text = "The Authorization header must be `Bearer <token>` or `Convex <admin key>`."

    def __init__(self) -> None:
        super().__init__(self.text)


class ProtocolError(HeadwaterError):
    """A client message the sync protocol does not allow; the connection is closed with it."""


class SessionRequestMismatch(HeadwaterError):
    """A re-sent mutation id whose identity, path or arguments differ from the recorded ones."""

    def __init__(self) -> None:
        super().__init__(
            "This request id was already used in this session for another call. "
            "Its result is not given to anybody else; open a new session."
        )


class StorageBusy(HeadwaterError):
    """Another process holds the database file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is in use by another process (a second headwater server?).")

    fix = "stop the other server, or start this one in another folder"


class StorageFailure(HeadwaterError):
    """The disk refused a commit; nothing of the batch was kept."""


class FileStorageFailure(HeadwaterError):
    """The folder or object store of files refused to take, give or remove one."""

    def __init__(self, what: str, cause: BaseException | str) -> None:
        reason = str(cause).partition("\n")[0]
        super().__init__(f"{what}: {reason}")

    fix = "look at the disk or the object store, and at HEADWATER_FILES_URL"


class FileMissing(HeadwaterError):
    """The deletion of a file that does not exist."""

    def __init__(self, storage_id: str) -> None:
        super().__init__(f"storage id {shortened(storage_id)} not found")


class FileInvalid(HeadwaterError):
    """A file that does not fit what was said of it: its sha256, its content type, its size.

    Attributes:
        code: what programs match on.
        status: the HTTP status an upload is answered with.
    """

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        self.code, self.status = code, status
        super().__init__(text)


class InvalidUploadToken(HeadwaterError):
    """An upload URL that has expired, or that this deployment did not make.

    Attributes:
        code: `StorageTokenExpired` or `StorageTokenInvalid`.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)

    fix = "call the mutation that returns ctx.storage.generate_upload_url() again, and use its URL"


class FilesUnavailable(HeadwaterError):
    """`ctx.storage` where no files are kept: handlers that a grader runs, for example."""

    def __init__(self) -> None:
        super().__init__("There is no file storage here, so ctx.storage cannot be used.")

    fix = "call this function on a server, or with the `backend` fixture of your tests"


class ImportRefused(HeadwaterError):
    """An import of which nothing was kept, with every place in the file that is to be mended.

    Args:
        where: the file, and the line if there is one.
        problem: what is wrong there.
        further: the same of other places.
        more: how many were found beside these.
    """

    def __init__(
        self, where: str, problem: str, further: Sequence[str] = (), more: int = 0
    ) -> None:
        rest = "".join(f"\n  {line}" for line in further)
        rest += f"\n  ... and {more} more" if more else ""
        super().__init__(f"nothing was imported. {where}: {problem}{rest}")


class TableMissing(HeadwaterError):
    """A table that the database does not have."""

    def __init__(self, table: str) -> None:
        super().__init__(f"there is no table {shortened(table)!r}; `headwater data` lists them")


class NoServer(HeadwaterError):
    """A command that needs a running server found none."""

    def __init__(self, url: str) -> None:
        super().__init__(f"no Headwater server answers at {url}.")

    fix = "start one with `headwater dev` in another terminal"


class QueryFailed(HeadwaterError):
    """A query of a running server that is followed has failed; the text is the server's."""


class SettingsInvalid(HeadwaterError):
    """Variables a backend's settings need that are missing or do not fit; never shows a value.

    Attributes:
        problems: each variable's name, with what is wrong with it.
    """

    rule = "HW503"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = list(problems)
        listed = "\n  ".join(f"{name} {what}" for name, what in self.problems)
        count = len(self.problems)
        what = "a variable of the environment" if count == 1 else f"{count} variables"
        super().__init__(f"the settings of the backend need {what}:\n  {listed}")
        self.fix = "\n        ".join(f"headwater env set {name} VALUE" for name, _ in self.problems)


class VariableInvalid(HeadwaterError):
    """A variable that cannot be set: its name, its size, or one too many."""
