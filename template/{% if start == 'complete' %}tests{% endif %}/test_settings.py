"""What the settings promise: all optional, and wrong ones stop the server at its start."""

import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from headwater.errors import SettingsInvalid
from headwater.testing import Backend

from backend.settings import Settings

OURS = {name.upper() for name in Settings.__annotations__}


def test_every_variable_is_in_the_example() -> None:
    """`.env.example` names each of them once, with a comment above it, and no others."""
    text = (Path(__file__).parents[1] / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(OURS)
    assert all(paragraph.startswith("# ") for paragraph in text.split("\n\n"))


def test_nothing_has_to_be_set(backend: Backend) -> None:
    """And what is set to nothing is not set, as in a copy of the example."""
    backend.set_env(**dict.fromkeys(OURS, ""))
    settings = Settings()
    assert settings.anthropic_api_key is None
    assert settings.webhook_url is None
    assert settings.anthropic_model.startswith("claude-")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ENCRYPTION_KEY": "too short"}, "Fernet.generate_key"),
        ({"WEBHOOK_SECRET": "s", "WEBHOOK_URL": "ftp://example.org"}, "https://"),
        ({"WEBHOOK_SECRET": "s", "WEBHOOK_URL": "https://"}, "then has a host"),
        ({"WEBHOOK_URL": "https://example.org"}, "WEBHOOK_SECRET"),
        ({"ANTHROPIC_BASE_URL": "example.org"}, "ANTHROPIC_BASE_URL"),
    ],
)
def test_what_makes_no_sense_is_refused(
    backend: Backend, variables: dict[str, str], said: str
) -> None:
    """With the variable's name and how to mend it, without its value."""
    backend.set_env(**variables)
    with pytest.raises(SettingsInvalid, match=said) as refused:
        Settings()
    assert "too short" not in str(refused.value)


def test_secrets_are_not_shown(backend: Backend) -> None:
    """Who prints the settings prints no key."""
    key = Fernet.generate_key().decode()
    backend.set_env(ENCRYPTION_KEY=key, ANTHROPIC_API_KEY="sk-1234", WEBHOOK_SECRET="hush")
    shown = repr(Settings())
    assert not [secret for secret in (key, "sk-1234", "hush") if secret in shown]
