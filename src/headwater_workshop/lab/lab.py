"""The bench a check works at: a fresh database, people who call, and what the host counted.

Everything here runs in the grader's process. The learner's functions are reached only through
calls; their results are plain data, compared by exact type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any, Final, NoReturn

from headwater.errors import DocumentInvalid
from headwater.host import DEV_ISSUER, FunctionKind, Manifest, identity_of, python_name, wire_name
from headwater.pipe import WorkerFailed
from headwater_workshop.lab.bench import CheckFailed
from headwater_workshop.lab.calls import Attempt, Caller, Following, Response
from headwater_workshop.lab.outside import Outside
from headwater_workshop.lab.proofs import Proving
from headwater_workshop.lab.tests import LearnerTested
from headwater_workshop.lab.time import Timed
from headwater_workshop.lab.values import Absent, describe, differs, listed
from headwater_workshop.report import Finding

__all__ = ["Attempt", "Caller", "CheckFailed", "Lab", "worker_finding"]


class Lab(Timed, Proving, Outside, LearnerTested):
    """What a check gets.

    Attributes:
        random: chance for this check, from the run's seed and the check's name.
        sources: the learner's graded files, as text by path: data, never run here.
        ABSENT: stands for a field that is not there.
    """

    ABSENT: Final = Absent()

    @property
    def manifest(self) -> Manifest:
        """The learner's backend as plain data."""
        return self._host.manifest

    # people

    @property
    def anonymous(self) -> Caller:
        """A caller who has not signed in."""
        return Caller(self, None)

    def person(self, subject: str, issuer: str = DEV_ISSUER, **claims: Any) -> Caller:
        """Somebody signed in under this name.

        Args:
            subject: who; another person than the same subject of another issuer.
            issuer: who vouches for it.
            claims: further claims, such as `name` and `email`.
        """
        wires = {wire_name(name): value for name, value in claims.items()}
        return Caller(self, identity_of(subject, issuer, **wires))

    def names(self, count: int) -> list[str]:
        """Names for so many people, by chance: who may do what, no code knows by their names."""
        found: set[str] = set()
        while len(found) < count:
            found.add("".join(self.random.choices(ascii_lowercase, k=8)))
        return self.random.sample(sorted(found), count)

    def insider(self, project_id: str, subject: str = "ana", role: str = "owner") -> Caller:
        """Somebody signed in who belongs to a project, whatever the backend keeps of that: their
        document in `users` and their membership are stored where it has these tables, and an
        owner's subject in the project.
        """
        caller = self.person(subject, name=subject.title())
        if role == "owner" and "owner" in self._host.fields("projects"):
            self._host.patch(project_id, {"owner": subject})
        if "users" in self.manifest.tables:
            user_id = self._user(caller.identity or {})
            if "project_members" in self.manifest.tables:
                self._join(project_id, user_id, role)
        return caller

    def _user(self, identity: Mapping[str, Any]) -> str:
        token = identity["tokenIdentifier"]
        for user in self.documents("users"):
            if user.get("tokenIdentifier") == token:
                return str(user["_id"])
        about = {"tokenIdentifier": token, "subject": identity["subject"]}
        about |= {"name": identity["name"], "lastActiveAt": self.now_ms}
        return self.insert("users", self._known("users", about))

    def _join(self, project_id: str, user_id: str, role: str) -> None:
        for member in self.documents("project_members"):
            if (member.get("projectId"), member.get("userId")) == (project_id, user_id):
                self._host.patch(member["_id"], self._known("project_members", {"role": role}))
                return
        about = {"projectId": project_id, "userId": user_id, "role": role}
        self.insert("project_members", self._known("project_members", about))

    def _known(self, table: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        declared = self._host.fields(table)
        return {name: value for name, value in fields.items() if name in declared}

    # calls

    def call(
        self,
        path: str,
        kind: FunctionKind,
        arguments: Mapping[str, Any],
        identity: dict[str, Any] | None,
    ) -> Attempt:
        """One call; some of them share a millisecond, some do not.

        Raises:
            WorkerFailed: the learner's process did not play by the rules.
        """
        with self._held():
            ended = self._host.call(path, kind, dict(arguments), identity)
        self._host.clock.advance(self.random.choice([0, 1, 7]))
        return Attempt.of(ended)

    def send(
        self, method: str, path: str, options: dict[str, Any], identity: dict[str, Any] | None
    ) -> Response:
        """One request to an HTTP route; a backend that has none fails the check.

        Raises:
            WorkerFailed: the learner's process did not play by the rules.
        """
        if not self.manifest.routes:
            self._refuse_contract("There are no HTTP routes.", "declare them in backend/routes.py")
        with self._held():
            ended, answer = self._host.http(method, path, options, identity)
        return Response(answer.status, answer.headers, answer.body, Attempt.of(ended))

    def call_internal(
        self, path: str, arguments: Mapping[str, Any], kind: FunctionKind = "mutation"
    ) -> Attempt:
        """A call as the scheduler makes it: in nobody's name, internal functions too."""
        with self._held():
            return Attempt.of(self._host.call(path, kind, dict(arguments), internal=True))

    def follow(self, caller: Caller, path: str, arguments: Mapping[str, Any]) -> Following:
        """Subscribe to a query, as a page does that shows it."""
        with self._held():
            return Following(self._host.follow(path, dict(arguments), caller.identity))

    def value_of(self, path: str, attempt: Attempt) -> Any:
        """The value of a call that had to work; the check fails when it did not."""
        if not attempt.ok:
            self.fail(
                self._objective,
                seen=f"{path} refused a call that it should take: {attempt.text}",
                fix="read the error above; make the same call with `headwater run`",
                more=self._objective.partition(".")[0],
            )
        return attempt.value

    def entries(self, path: str) -> int:
        """How often a function's handler was asked for since the database was empty."""
        return self._host.entered.get(path, 0)

    # the database, from the host's side

    def insert(self, table: str, document: Mapping[str, Any]) -> str:
        """Store a document; gives its id."""
        return self.insert_many(table, [document])[0]

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Store documents; a table that does not take them fails the check."""
        try:
            with self._held():
                return self._host.insert(table, [dict(row) for row in rows])
        except DocumentInvalid as error:
            self.fail(
                self._objective,
                seen=f"The table {table} does not take the documents of this lesson: {error}",
                fix=f"keep the fields that {table} had before this lesson; new ones are optional",
                more=self._objective.partition(".")[0],
            )

    def patch(self, document_id: str, changes: Mapping[str, Any]) -> None:
        """Change a document, as nobody's call."""
        with self._held():
            self._host.patch(document_id, dict(changes))

    def delete(self, ids: Sequence[str]) -> None:
        """Delete documents, as nobody's call: somebody's change meanwhile."""
        with self._held():
            self._host.delete(ids)

    def misfit(self, table: str, document: Mapping[str, Any]) -> str | None:
        """Why a table would refuse a document; None when it would take it."""
        return self._host.misfit(table, dict(document))

    def documents(self, table: str) -> list[dict[str, Any]]:
        """All documents of a table, in the order of their creation."""
        return self._host.documents(table)

    def document(self, document_id: str) -> dict[str, Any] | None:
        """One stored document; None when there is none."""
        return self._host.document(document_id)

    def stored_bytes(self, document_id: str) -> int:
        """The encoded size of one stored document."""
        return self._host.stored_bytes(document_id)

    # judging

    def expect_function(self, path: str, kind: FunctionKind) -> None:
        """The backend has this public function, of this kind."""
        spec = self.manifest.functions.get(path)
        name = f"{path.partition(':')[0]}.{python_name(path.partition(':')[2])}"
        if spec is None:
            self._refuse_contract(f"There is no function {path}.", f"keep {name}, under that name")
        if spec.kind != kind:
            self._refuse_contract(f"{path} is a {spec.kind}.", f"make {name} a @{kind}")
        if not spec.is_public:
            self._refuse_contract(f"{path} is internal.", f"make {name} public: @{kind}")

    def _refuse_contract(self, seen: str, fix: str) -> NoReturn:
        self.fail(self._objective, seen=seen, fix=fix, more=self._objective.partition(".")[0])

    differs = staticmethod(differs)
    describe = staticmethod(describe)
    listed = staticmethod(listed)
    python_name: Callable[[str], str] = staticmethod(python_name)


def worker_finding(error: WorkerFailed, lesson: str) -> Finding:
    """What a learner is told when their process was ended."""
    words = {
        "ended": "a function returns its result and never ends the process it runs in",
        "silent": "bound every loop, and leave waiting to actions",
        "flood": "print little: lines in a log are for people",
        "malformed": "leave the process's own pipes alone; a function speaks by returning",
    }
    lines = error.printed.strip().splitlines()
    last = f" It last printed: {lines[-1][:200]}" if lines else ""
    return Finding(
        "G101", f"{error}.{last}", words[error.reason], f"headwater lesson show {lesson}"
    )
