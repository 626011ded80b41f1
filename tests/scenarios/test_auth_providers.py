"""People who sign in at an auth provider, with raw sockets and the official clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.bad_tokens import BAD_TOKENS, NAMES, Make, code_of
from tests.local_issuer import APPLICATION, Issuer, running_issuer
from tests.scenarios.conftest import OpenClient, OpenRaw
from tests.scenarios.official_clients import OfficialClient
from tests.scenarios.raw_client import RawClient, added
from tests.scenarios.server_process import ServerProcess, wait_for

WHO = {"path": "people:whoami", "args": {}, "format": "json"}
WATCHED = """
from headwater import QueryCtx, query


@query
async def plain(ctx: QueryCtx) -> str:
    print("ran plain")
    return "the same for all"


@query
async def personal(ctx: QueryCtx) -> str | None:
    print("ran personal")
    identity = await ctx.auth.get_user_identity()
    return identity.name if identity else None
"""


class Trusting:
    """A server, and three issuers that it trusts."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.issuer, self.held, self.down = (
            stack.enter_context(running_issuer()) for _ in range(3)
        )
        self.server = ServerProcess(folder)
        self.trust(self.issuer, self.held, self.down)
        (self.server.project / "backend" / "watched.py").write_text(WATCHED)

    def trust(self, *issuers: Issuer) -> None:
        """Writes an auth_config.py."""
        listed = ", ".join(f"Oidc({issuer.url!r}, {APPLICATION!r})" for issuer in issuers)
        config = self.server.project / "backend" / "auth_config.py"
        config.write_text(f"from headwater import Oidc\n\nproviders = [{listed}]\n")


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trusting]:
    """One for all stories that leave it as it was."""
    with ExitStack() as stack:
        made = Trusting(tmp_path_factory.mktemp("trusting"), stack)
        stack.callback(made.server.end)
        made.server.start()
        yield made


@pytest.fixture
def issuer(trusting: Trusting) -> Iterator[Issuer]:
    """The issuer whose tokens pages ask for, which forgets what it was told."""
    issuer = trusting.issuer
    issuer.token_requests.clear()
    yield issuer
    issuer.__dict__.pop("next_token", None)


def ask(server: ServerProcess, token: str) -> tuple[int, Any]:
    """Who the server says one is, over HTTP."""
    status, text = server.post("/api/query", WHO, Authorization=f"Bearer {token}")
    return status, json.loads(text)


def sign_in(client: OfficialClient, issuer: Issuer, subject: str = "ana") -> None:
    """Lets a client fetch its tokens from an issuer."""
    client.result(client.send("signIn", url=f"{issuer.url}/token?subject={subject}"))


@pytest.mark.parametrize(("name", "make", "sentence"), BAD_TOKENS, ids=NAMES)
def test_a_bad_token_ends_the_socket_and_is_401_over_http(
    trusting: Trusting, issuer: Issuer, open_raw: OpenRaw, name: str, make: Make, sentence: str
) -> None:
    """With its own sentence on both; the server lives, and takes a good token afterwards."""
    token = make(issuer)
    raw = open_raw(trusting.server)
    raw.identify(token)
    messages, _, _ = raw.closing_words()
    assert messages[-1]["type"] == "AuthError"
    assert sentence in messages[-1]["error"]
    assert messages[-1] | {"error": ""} == {
        "type": "AuthError",
        "error": "",
        "baseVersion": 0,
        "authUpdateAttempted": True,
    }
    if token.isprintable():
        status, answer = ask(trusting.server, token)
        assert (status, answer["code"]) == (401, code_of(name))
        assert sentence in answer["message"]
    assert ask(trusting.server, issuer.token())[1]["value"] == "ana"


def test_what_comes_after_a_token_waits_until_it_is_proven(
    trusting: Trusting, open_raw: OpenRaw
) -> None:
    """Though the provider takes its time; nobody else waits."""
    issuer = trusting.held
    issuer.held.clear()
    signing_in, other = open_raw(trusting.server), open_raw(trusting.server)
    signing_in.identify(issuer.token("ana"))
    signing_in.modify(added(0, "people:whoami"))
    signing_in.request("Mutation", 0, "counters:increment", name="held")
    wait_for(lambda: issuer.asked, "the issuer is asked")
    assert other.add(0, "people:whoami")["value"] is None
    assert other.mutate(0, "counters:increment", name="not held")["success"]
    assert signing_in.transitions == []
    issuer.held.set()
    assert signing_in.receive("MutationResponse")["success"]
    signing_in.until(lambda: signing_in.results.get(0))
    assert signing_in.value(0) == "ana"
    assert signing_in.transitions[0]["endVersion"]["identity"] == 1


def test_a_provider_that_is_down_is_nobody_elses_trouble(
    trusting: Trusting, issuer: Issuer, open_raw: OpenRaw
) -> None:
    """Its own people are told that it is down; those of another provider sign in."""
    trusting.down.down = True
    raw, other = open_raw(trusting.server), open_raw(trusting.server)
    raw.identify(trusting.down.token())
    messages, _, _ = raw.closing_words()
    assert "could not be had" in messages[-1]["error"]
    assert "status 503" in messages[-1]["error"]
    status, answer = ask(trusting.server, trusting.down.token())
    assert (status, answer["code"]) == (503, "AuthProviderDiscoveryFailed")
    other.identify(issuer.token("ben"))
    assert other.add(0, "people:whoami")["value"] == "ben"


def test_a_new_identity_reruns_only_what_looked_at_it(
    trusting: Trusting, issuer: Issuer, open_raw: OpenRaw
) -> None:
    """The other query is not run again, and its result not sent again."""
    server, raw = trusting.server, open_raw(trusting.server)
    raw.modify(added(0, "watched:plain"), added(1, "watched:personal"))
    raw.until(lambda: 1 in raw.results)
    raw.identify(issuer.token(name="Ana"))
    raw.until(lambda: raw.value(1) == "Ana")
    raw.identify(issuer.token(name="Anabel"))  # another claim of the same person
    raw.until(lambda: raw.value(1) == "Anabel")
    raw.identify(issuer.token(name="Anabel", lifetime_s=7200))  # another token, the same claims
    raw.until(lambda: raw.version["identity"] == 3)
    told = [[m["queryId"] for m in step["modifications"]] for step in raw.transitions]
    assert told == [[0, 1], [1], [1], []]
    wait_for(lambda: server.said().count("ran personal") == 3, "three runs are shown")
    assert server.said().count("ran plain") == 1


def test_two_people_share_no_result_that_depends_on_them(
    trusting: Trusting, issuer: Issuer, open_raw: OpenRaw
) -> None:
    """Not when one comes after the other, nor when they are nobody."""
    seen = {}
    for subject in ("ana", "ben", None):
        raw = open_raw(trusting.server)
        if subject:
            raw.identify(issuer.token(subject))
        seen[subject] = raw.add(0, "people:whoami")["value"]
    assert seen == {"ana": "ana", "ben": "ben", None: None}


# the flow of the official clients' setAuth


def test_a_token_is_refreshed_before_it_expires_over_one_socket(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """The page notices nothing: no update, no new connection."""
    issuer.next_token = lambda asked: issuer.token(asked["subject"], 12)  # type: ignore[method-assign]
    user = open_client("browser", trusting.server)
    feed = user.subscribe("people:whoami")
    feed.equals(None)
    connections = user.result(user.send("state"))["count"]
    sign_in(user, issuer)
    feed.equals("ana")
    wait_for(lambda: len(issuer.token_requests) >= 3, "the client refreshes")
    assert feed.updates == [None, "ana"]
    assert user.call("query", "people:whoami") == "ana"
    assert [request["force"] for request in issuer.token_requests[:3]] == ["false", "true", "true"]
    assert user.result(user.send("state"))["count"] == connections
    assert set(user.signed_in) == {True}


def test_a_token_that_expires_is_an_auth_error_and_the_client_recovers(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """It fetches a fresh one and goes on; its subscriptions never see a stranger."""

    def lying(asked: dict[str, str]) -> str:
        """Tokens that look as if they lived long: the client does not refresh them in time."""
        number = len(issuer.token_requests)
        now = issuer.claims()["iat"]
        return issuer.token(asked["subject"], 2 if number < 3 else 600, iat=now - 1000 + number)

    issuer.next_token = lying  # type: ignore[method-assign]
    user = open_client("browser", trusting.server)
    sign_in(user, issuer)
    feed = user.subscribe("people:whoami")
    feed.equals("ana")
    wait_for(lambda: len(issuer.token_requests) >= 3, "the expired token is replaced")
    wait_for(lambda: user.result(user.send("state"))["count"] >= 2, "the client connects again")
    assert user.call("query", "people:whoami") == "ana"
    assert issuer.token_requests[2]["force"] == "true"
    assert set(feed.updates) == {"ana"}
    assert set(user.signed_in) == {True}


def test_a_cached_token_that_is_refused_is_replaced(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """As after a night with the laptop closed."""

    def first_expired(asked: dict[str, str]) -> str:
        return issuer.token(asked["subject"], -60 if asked["force"] == "false" else 600)

    issuer.next_token = first_expired  # type: ignore[method-assign]
    user = open_client("browser", trusting.server)
    sign_in(user, issuer)
    feed = user.subscribe("people:membersOnly")
    feed.equals("ana")
    assert feed.failures == []
    assert set(user.signed_in) == {True}


def test_a_client_whose_tokens_are_all_refused_is_signed_out(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """It gives up after some attempts, says why on its console, and goes on as nobody."""
    issuer.next_token = (  # type: ignore[method-assign]
        lambda asked: issuer.token(asked["subject"], n=len(issuer.token_requests), aud="elsewhere")
    )
    user = open_client("browser", trusting.server)
    sign_in(user, issuer)
    user.subscribe("people:whoami").equals(None)
    wait_for(lambda: user.signed_in == [False], "the page is told")
    assert any("Failed to authenticate" in line for line in user.logs), user.logs
    assert any("its audience 'elsewhere' is not configured" in line for line in user.logs)


def test_signing_out_over_the_same_socket(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """What looked at the identity is run again for nobody; then somebody else signs in."""
    user = open_client("browser", trusting.server)
    feed = user.subscribe("people:whoami")
    sign_in(user, issuer, "ana")
    feed.equals("ana")
    wait_for(lambda: user.tokens == 2, "the client has what it fetches after signing in")
    user.result(user.send("clearAuth"))
    feed.equals(None)
    sign_in(user, issuer, "ben")
    feed.equals("ben")
    assert user.result(user.send("state"))["count"] == 1


def test_a_react_page_knows_who_is_signed_in(
    trusting: Trusting, issuer: Issuer, open_client: OpenClient
) -> None:
    """`ConvexProviderWithAuth`, `Authenticated` and `Unauthenticated`, through sign-in and out."""
    page = open_client("react", trusting.server)
    feed = page.guarded_page("people:membersOnly", f"{issuer.url}/token?subject=ana")
    feed.equals("signed out")
    for signed_in, shown in ((True, "ana"), (False, "signed out")):
        page.result(page.send("setSignedIn", signedIn=signed_in))
        feed.equals(shown)
    assert feed.failures == []


# admins


def as_admin(raw: RawClient, key: str, identity: dict[str, Any] | None = None) -> None:
    """Sends Authenticate with the admin key."""
    acting = {} if identity is None else {"impersonating": identity}
    raw.send("Authenticate", baseVersion=raw.identity, tokenType="Admin", value=key, **acting)
    raw.identity += 1


def test_an_admin_follows_internal_queries_and_shares_them_with_nobody(
    trusting: Trusting, open_raw: OpenRaw
) -> None:
    """For others they do not exist; nor for the admin, once signed out."""
    key = (trusting.server.project / ".headwater" / "admin_key").read_text().strip()
    admin, other = open_raw(trusting.server), open_raw(trusting.server)
    as_admin(admin, key)
    assert admin.add(0, "people:secret")["value"] == "hidden"
    assert "Could not find public function" in other.add(0, "people:secret")["errorMessage"]
    assert admin.value(0) == "hidden"
    admin.send("Authenticate", baseVersion=1, tokenType="None")
    admin.until(lambda: "errorMessage" in admin.results[0])
    as_admin(other, key)
    other.until(lambda: other.results[0].get("value") == "hidden")


@pytest.mark.parametrize("client", ["browser", "http"])
def test_an_admin_acts_as_anybody(trusting: Trusting, open_client: OpenClient, client: str) -> None:
    """By `setAdminAuth`, with the members of the identity it gives; internal functions too."""
    key = (trusting.server.project / ".headwater" / "admin_key").read_text().strip()
    identity = {"issuer": "https://elsewhere", "subject": "zoe", "name": "Zoë"}
    user = open_client(client, trusting.server)
    user.result(user.send("identifyAdmin", key=key, identity=identity))
    assert user.call("query", "people:whoami") == "zoe"
    assert user.call("query", "watched:personal") == "Zoë"
    assert user.call("query", "people:secret") == "hidden"
    user.result(user.send("identifyAdmin", key=key))
    assert user.call("query", "people:whoami") is None


def test_another_admin_key_is_refused(trusting: Trusting, open_raw: OpenRaw) -> None:
    """Over the socket as over HTTP."""
    raw = open_raw(trusting.server)
    as_admin(raw, "guessed")
    messages, _, _ = raw.closing_words()
    assert messages[-1]["type"] == "AuthError"
    assert "admin key is not this deployment's" in messages[-1]["error"]
    status, text = trusting.server.post("/api/query", WHO, Authorization="Convex guessed")
    assert (status, json.loads(text)["code"]) == (401, "InvalidAuthHeader")


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer", 400), ("x", 400), ("Bearer x", 401), ("Basic eDp5", 401)]
)
def test_a_header_that_is_none_is_refused(trusting: Trusting, header: str, status: int) -> None:
    """Shorter than seven characters it is 400, as with Convex."""
    answer = trusting.server.post("/api/query", WHO, Authorization=header)
    assert (answer[0], json.loads(answer[1])["code"]) == (status, "InvalidAuthHeader")


# changes, and production


def test_a_provider_that_is_taken_out_signs_its_people_out(
    tmp_path: Path, open_raw: OpenRaw
) -> None:
    """At once, when the file is saved; a provider that is put in is trusted from then on."""
    with ExitStack() as stack:
        made = Trusting(tmp_path, stack)
        made.trust(made.issuer)
        stack.callback(made.server.end)
        made.server.start()
        raw = open_raw(made.server)
        raw.identify(made.issuer.token("ana"))
        assert raw.add(0, "people:whoami")["value"] == "ana"

        def taken() -> bool:
            made.trust(made.held)  # until the watcher, which starts with the server, sees it
            return ask(made.server, made.held.token("ben"))[0] == 200

        wait_for(taken, "the other provider is trusted")
        messages, _, _ = raw.closing_words()
        assert messages[-1]["type"] == "AuthError"
        assert "no longer in backend/auth_config.py" in messages[-1]["error"]
        assert messages[-1]["authUpdateAttempted"] is False
        assert ask(made.server, made.issuer.token("ana"))[1]["code"] == "NoAuthProvider"


@pytest.mark.parametrize("allowed", [False, True])
def test_development_tokens_are_refused_in_production(tmp_path: Path, allowed: bool) -> None:
    """Unless they are allowed in so many words; tokens of providers are good in any case."""
    with ExitStack() as stack:
        made = Trusting(tmp_path, stack)
        token = made.server.run("token", "--subject", "ana")  # before there is a server
        made.server.limits = {"HEADWATER_DEV_TOKENS": "1"} if allowed else {}
        stack.callback(made.server.end)
        made.server.start("serve")
        status, answer = ask(made.server, token)
        if allowed:
            assert (status, answer["value"]) == (200, "ana")
            assert made.server.run("token", "--subject", "ben")
        else:
            assert (status, answer["code"]) == (401, "NoAuthProvider")
            assert "Development tokens are refused in production" in answer["message"]
            with pytest.raises(AssertionError, match="takes no development tokens"):
                made.server.run("token", "--subject", "ben")
        assert ask(made.server, made.issuer.token("eve"))[1]["value"] == "eve"
        assert made.server.run("run", "people:whoami", "--as", "zoe") == '"zoe"'
