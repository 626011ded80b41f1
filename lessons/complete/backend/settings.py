"""What a deployment is configured by, read with `ctx.env(Settings)`; `.env.example` lists it too.

Everything is optional: the project works without any of it, and says what is missing where
something is asked for that needs it. What is set and makes no sense stops the server at its start.
"""

from urllib.parse import urlsplit

import headwater
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

MAKE_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Settings(headwater.Settings):
    """The variables of this backend: each is read from the one of its name in capitals.

    Attributes:
        anthropic_api_key: without it, and without a key of their own, people get the answers of
            the stand-in that Headwater brings: offline, and always the same.
        anthropic_base_url: where the model's interface is, if not at Anthropic's own address.
        anthropic_model: which model answers.
        encryption_key: encrypts the keys that people bring; without it they cannot bring any.
        webhook_secret: signs webhooks in both directions; without it none is taken.
        webhook_url: is told of every completed task; without it nobody is.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True)  # `WEBHOOK_URL=` sets nothing

    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_model: str = "claude-sonnet-5-5"
    encryption_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    webhook_url: str | None = None

    @field_validator("encryption_key")
    @classmethod
    def _encrypts(cls, key: SecretStr | None) -> SecretStr | None:
        try:
            Fernet(key.get_secret_value() if key else Fernet.generate_key())
        except ValueError:
            raise ValueError(f"this is no key of Fernet; make one: {MAKE_KEY}") from None
        return key

    @field_validator("anthropic_base_url", "webhook_url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address begins with https:// or http://, then has a host")
        return url

    @field_validator("webhook_url")
    @classmethod
    def _is_signed(cls, url: str | None, others: ValidationInfo) -> str | None:
        if url and not others.data.get("webhook_secret"):
            raise ValueError("set WEBHOOK_SECRET too: who is told must know that it was us")
        return url
