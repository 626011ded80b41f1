"""What the keys that people bring promise."""

import pytest
from cryptography.fernet import Fernet
from headwater import AppError
from headwater.testing import Backend, FunctionFailed

from backend.model import ModelFailed, decrypt, encrypt, key_for
from backend.provider_keys import delete_provider_key, get_provider_keys, set_provider_key
from backend.schema import ProviderKey
from backend.settings import Settings

KEY = "sk-ant-0123456789-abcd"


@pytest.fixture
def encrypted(backend: Backend) -> Backend:
    """A backend that can keep keys."""
    backend.set_env(ENCRYPTION_KEY=Fernet.generate_key().decode())
    return backend


def stored(backend: Backend) -> list[ProviderKey]:
    """What the table holds."""
    return backend.run(lambda ctx: ctx.db.query(ProviderKey).take(10))


def test_a_key_is_kept_encrypted(encrypted: Backend) -> None:
    """Nobody is shown more than its end; the action can read it again."""
    ana = encrypted.with_identity(subject="ana")
    ana.action(set_provider_key, provider="anthropic", key=KEY)
    (shown,) = ana.query(get_provider_keys)
    assert (shown.provider, shown.last_four) == ("anthropic", "abcd")
    (kept,) = stored(encrypted)
    assert KEY.encode() not in kept.encrypted
    assert decrypt(Settings(), kept.encrypted) == KEY


def test_a_new_key_takes_the_place_of_the_old_one(encrypted: Backend) -> None:
    """One for each person and provider."""
    ana = encrypted.with_identity(subject="ana")
    ana.action(set_provider_key, provider="anthropic", key=KEY)
    ana.action(set_provider_key, provider="anthropic", key="sk-ant-0123456789-wxyz")
    (kept,) = stored(encrypted)
    assert kept.last_four == "wxyz"


def test_without_an_encryption_key_nothing_is_stored(backend: Backend) -> None:
    """The error says what is missing, and does not repeat the key."""
    ana = backend.with_identity(subject="ana")
    with pytest.raises(AppError, match="ENCRYPTION_KEY") as refused:
        ana.action(set_provider_key, provider="anthropic", key=KEY)
    assert KEY not in str(refused.value)
    assert stored(backend) == []


def test_everyone_has_and_deletes_their_own(encrypted: Backend) -> None:
    """Ben neither sees nor deletes ana's."""
    ana, ben = encrypted.with_identity(subject="ana"), encrypted.with_identity(subject="ben")
    ana.action(set_provider_key, provider="anthropic", key=KEY)
    assert ben.query(get_provider_keys) == []
    ben.mutation(delete_provider_key, provider="anthropic")
    assert len(stored(encrypted)) == 1
    ana.mutation(delete_provider_key, provider="anthropic")
    assert stored(encrypted) == []


def test_an_own_key_comes_before_that_of_the_deployment(encrypted: Backend) -> None:
    """Who brings a key pays for what they ask; without any there is the stand-in."""
    own = encrypt(Settings(), KEY)
    assert key_for(Settings(), own) == KEY
    assert key_for(Settings(), None) is None
    encrypted.set_env(ANTHROPIC_API_KEY="ours")
    assert key_for(Settings(), own) == KEY
    assert key_for(Settings(), None) == "ours"


def test_another_encryption_key_cannot_read_it(encrypted: Backend) -> None:
    """The person is told to bring it again."""
    ana = encrypted.with_identity(subject="ana")
    ana.action(set_provider_key, provider="anthropic", key=KEY)
    (kept,) = stored(encrypted)
    for other in (Fernet.generate_key().decode(), None):
        encrypted.set_env(ENCRYPTION_KEY=other)
        with pytest.raises(ModelFailed, match="Set it again"):
            decrypt(Settings(), kept.encrypted)


def test_a_visitor_brings_no_key(encrypted: Backend) -> None:
    """And has none."""
    assert encrypted.query(get_provider_keys) == []
    with pytest.raises(FunctionFailed, match="Not signed in"):
        encrypted.action(set_provider_key, provider="anthropic", key=KEY)
