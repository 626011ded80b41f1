"""What keys for programs promise. What they open is in test_routes.py."""

import pytest
from headwater.errors import AppError
from headwater.testing import Backend, FunctionFailed

from backend.api_keys import create_api_key, get_api_keys, revoke_api_key
from backend.schema import ApiKey


def test_a_key_is_shown_once(backend: Backend) -> None:
    """Afterwards its last four characters tell it from others; the table has its hash alone."""
    ana = backend.with_identity(subject="ana")
    made = ana.action(create_api_key, name="laptop")
    (listed,) = ana.query(get_api_keys)
    assert (listed.id, listed.name) == (made.id, "laptop")
    assert made.key.endswith(listed.last_four)
    stored = backend.run(lambda ctx: ctx.db.query(ApiKey).collect())
    for piece in (made.key[start : start + 8] for start in range(len(made.key) - 7)):
        assert piece not in f"{stored} {listed} {backend.log_lines}"


def test_keys_are_long_and_all_different(backend: Backend) -> None:
    """256 random bits, also where the clock and chance of a test are repeatable."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    keys = {person.action(create_api_key, name="x").key for person in (ana, ben, ana)}
    assert len(keys) == 3
    assert all(len(key) >= 43 for key in keys)


def test_everyone_sees_and_revokes_their_own(backend: Backend) -> None:
    """Somebody else's key might as well not exist."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    made = ana.action(create_api_key, name="laptop")
    assert ben.query(get_api_keys) == []
    with pytest.raises(AppError) as refused:
        ben.mutation(revoke_api_key, key_id=made.id)
    assert refused.value.data["code"] == "NOT_FOUND"
    ana.mutation(revoke_api_key, key_id=made.id)
    (listed,) = ana.query(get_api_keys)
    assert listed.revoked_at is not None


def test_a_visitor_gets_no_key(backend: Backend) -> None:
    """The list is empty for the page that asks too early; the rest is refused."""
    assert backend.query(get_api_keys) == []
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.action(create_api_key, name="laptop")
