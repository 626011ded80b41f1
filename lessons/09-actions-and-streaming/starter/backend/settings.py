"""What this backend is configured by, read with `ctx.env(Settings)`. Everything is optional."""

import headwater
from pydantic import SecretStr


class Settings(headwater.Settings):
    """The variables of this backend: each is read from the one of its name in capitals.

    Attributes:
        anthropic_api_key: without it, the stand-in answers that Headwater brings: offline.
        anthropic_base_url: where the model's interface is, if not at Anthropic's own address.
        anthropic_model: which model answers.
    """

    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_model: str = "claude-sonnet-5-5"
