"""What keys for programs promise. What they open is in test_routes.py."""

import pytest
from headwater import AppError
from headwater.testing import Backend, FunctionFailed

from backend.api_keys import MOST, create_api_key, get_api_keys, hash_of, revoke_api_key
from backend.schema import ApiKey
from tests.people import refused
from tests.scene import now


def test_a_key_is_shown_once(backend: Backend) -> None:
    """Afterwards its last four characters tell it from others; the table has its hash alone."""
    ana = backend.with_identity(subject="ana")
    made = ana.action(create_api_key, name="laptop")
    (listed,) = ana.query(get_api_keys)
    assert (listed.id, listed.name, listed.uses) == (made.id, "laptop", 0)
    assert made.key.endswith(listed.last_four)
    stored = backend.run(lambda ctx: ctx.db.get(made.id))
    assert isinstance(stored, ApiKey)
    assert stored.key_hash == hash_of(made.key)
    assert made.key not in stored.model_dump_json() + listed.model_dump_json()


def test_keys_are_long_and_all_different(backend: Backend) -> None:
    """256 random bits, also where the clock and chance of a test are repeatable."""
    ana, again = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    keys = {person.action(create_api_key, name="x").key for person in (ana, again, ana)}
    assert len(keys) == 3
    assert all(len(key) >= 43 and key.startswith("hw_") for key in keys)


def test_everyone_sees_and_revokes_their_own(backend: Backend) -> None:
    """Somebody else's key might as well not exist."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    made = ana.action(create_api_key, name="laptop")
    assert ben.query(get_api_keys) == []
    with refused("NOT_FOUND"):
        ben.mutation(revoke_api_key, key_id=made.id)
    ana.mutation(revoke_api_key, key_id=made.id)
    (listed,) = ana.query(get_api_keys)
    assert listed.revoked_at is not None


def test_who_revokes_one_may_make_another(backend: Backend) -> None:
    """Twenty may be live at once."""
    ana = backend.with_identity(subject="ana")
    made = [ana.action(create_api_key, name=str(number)) for number in range(MOST)]
    with pytest.raises(AppError, match="Revoke one first"):
        ana.action(create_api_key, name="one more")
    ana.mutation(revoke_api_key, key_id=made[0].id)
    ana.action(create_api_key, name="one more")


def test_an_expired_key_makes_room_for_another(backend: Backend) -> None:
    """It opens nothing, so it does not count among the twenty; and none is made expired."""
    ana = backend.with_identity(subject="ana")
    soon = 60_000 + backend.run(now)
    for number in range(MOST):
        ana.action(create_api_key, name=str(number), expires_at=soon)
    backend.advance(minutes=1)
    with pytest.raises(AppError, match="expired already"):
        ana.action(create_api_key, name="late", expires_at=soon)
    ana.action(create_api_key, name="one more")
    assert {key.expires_at for key in ana.query(get_api_keys)} == {soon, None}


def test_a_visitor_gets_no_key(backend: Backend) -> None:
    """The list is empty for the page that asks too early; the rest is refused."""
    assert backend.query(get_api_keys) == []
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.action(create_api_key, name="laptop")
