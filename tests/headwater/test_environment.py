"""A backend's settings, and the environment of a served deployment."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

import headwater
from headwater import QueryCtx, query
from headwater.core.registry import App
from headwater.environment import Environment
from headwater.errors import SettingsInvalid
from headwater.testing import FunctionFailed
from tests.headwater.core.things import backend_of
from tests.headwater.projects import write_project

SETTINGS = """
from pydantic import SecretStr
import headwater

class Settings(headwater.Settings):
    shop_key: SecretStr
    shop_retries: int
    shop_color: str = "red"
"""
USE = """
from backend.settings import Settings

at_load = Settings().shop_color
"""


class Shop(headwater.Settings):
    """Two that must be set, one that need not."""

    shop_key: SecretStr
    shop_retries: int
    shop_tags: list[str] = []


@query
async def retries(ctx: QueryCtx) -> int:
    """Reads a setting."""
    return ctx.env(Shop).shop_retries


@query
async def wrong(ctx: QueryCtx) -> int:
    """Reads what are no settings."""
    return ctx.env(int)  # type: ignore[type-var]


class Deployed:
    """A project, and the environment that it is loaded in."""

    def __init__(self, root: Path, *, dev: bool = False) -> None:
        self.root = write_project(root, settings=SETTINGS, use=USE)
        built_in = {"CONVEX_CLOUD_URL": "http://here:1", "CONVEX_SITE_URL": "http://here:2"}
        self.environment = Environment(root, dev=dev, built_in=built_in)

    def set(self, **variables: str | None) -> None:
        """Sets variables of the deployment."""
        self.environment.variables.change(variables)

    def load(self) -> App:
        """Loads the project."""
        return self.environment.load(10)

    @property
    def settings(self) -> Any:
        """The settings as the newest load has them."""
        import sys

        return sys.modules["backend.settings"].Settings.current()


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    """One in production."""
    made = Deployed(tmp_path)
    yield made
    made.environment.undo()


def test_a_test_sets_what_ctx_env_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """By backend.set_env, for as long as the backend is open, or by pytest's own monkeypatch."""
    monkeypatch.setenv("SHOP_RETRIES", "1")
    backend = backend_of(retries)
    backend.set_env(SHOP_KEY="k")
    assert backend.query(retries) == 1
    backend.set_env(SHOP_RETRIES="5")
    assert backend.query(retries) == 5
    backend.close()
    assert (os.environ["SHOP_RETRIES"], os.environ.get("SHOP_KEY")) == ("1", None)


def test_all_that_is_missing_is_told_at_once() -> None:
    """By name, with how to set each; also where a function asks."""
    backend = backend_of(retries)
    with pytest.raises(FunctionFailed) as failed:
        backend.query(retries)
    assert failed.value.finding
    assert failed.value.finding.code == "HW503"
    assert "SHOP_KEY is missing\n          SHOP_RETRIES is missing" in failed.value.message
    assert "headwater env set SHOP_KEY VALUE" in failed.value.message
    assert "headwater env set SHOP_RETRIES VALUE" in failed.value.message


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SHOP_RETRIES", "sk_live_1", "valid integer"),
        ("SHOP_TAGS", "[sk_live_1", "is no JSON"),
        ("SHOP_TAGS", '["a", {"sk_live_1": 2}]', "valid string"),
    ],
)
def test_a_value_that_does_not_fit_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    """Neither in the message nor in what a traceback prints."""
    for variable, good in {"SHOP_KEY": "k", "SHOP_RETRIES": "1", name: value}.items():
        monkeypatch.setenv(variable, good)
    with pytest.raises(SettingsInvalid) as refused:
        Shop()
    assert why in refused.value.message
    assert name in refused.value.message
    assert "sk_live_1" not in "".join(traceback.format_exception(refused.value))


def test_a_validator_that_repeats_the_value_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its sentence is kept, the value in it is not; a prefix belongs to the variable's name."""

    class Checked(headwater.Settings):
        model_config = SettingsConfigDict(env_prefix="CHECKED_")
        key: str

        @field_validator("key")
        @classmethod
        def _begins_right(cls, key: str) -> str:
            raise ValueError(f"{key} does not begin with pk_")

    monkeypatch.setenv("CHECKED_KEY", "sk_live_1")
    with pytest.raises(SettingsInvalid, match=r"CHECKED_KEY .*\*\*\* does not begin with pk_"):
        Checked()


def test_ctx_env_takes_settings_only() -> None:
    """Anything else is told with the class it takes."""
    with pytest.raises(FunctionFailed, match=r"class Settings\(headwater.Settings\)`, not int"):
        backend_of(wrong).query(wrong)


def test_the_deployments_variables_come_before_the_process(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the addresses are built in; a removed variable leaves what the process has."""
    monkeypatch.setenv("SHOP_COLOR", "of the process")
    deployed.set(SHOP_KEY="k", SHOP_RETRIES="3", SHOP_COLOR="blue")
    deployed.load()
    settings = deployed.settings
    assert (settings.shop_color, settings.convex_cloud_url) == ("blue", "http://here:1")
    assert settings is deployed.settings, "read once for each load"
    deployed.set(SHOP_COLOR=None)
    deployed.load()
    assert deployed.settings.shop_color == "of the process"
    deployed.environment.undo()
    assert "SHOP_KEY" not in os.environ


def test_a_backend_without_its_settings_does_not_load(deployed: Deployed) -> None:
    """All of its classes are asked; the secrets among their values are known."""
    use = "import headwater\nclass More(headwater.Settings):\n    more: str\n"
    write_project(deployed.root, use=use)
    with pytest.raises(SettingsInvalid) as refused:
        deployed.load()
    assert [name for name, _ in refused.value.problems] == ["SHOP_KEY", "SHOP_RETRIES", "MORE"]
    deployed.set(SHOP_KEY="k", SHOP_RETRIES="3", MORE="m")
    deployed.load()
    assert deployed.environment.secrets == {"k"}


def test_what_stays_live_keeps_its_settings(deployed: Deployed) -> None:
    """When a change keeps the backend from loading, the one of before goes on as it was."""
    deployed.set(SHOP_KEY="k", SHOP_RETRIES="3")
    deployed.load()
    deployed.set(SHOP_RETRIES="three", SHOP_COLOR="blue")
    with pytest.raises(SettingsInvalid):
        deployed.load()
    assert (deployed.settings.shop_retries, deployed.settings.shop_color) == (3, "red")


def test_development_reads_env_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """.env.local over .env, below the process and the deployment; production reads neither."""
    monkeypatch.setenv("SHOP_RETRIES", "7")
    (tmp_path / ".env").write_text("SHOP_KEY=a\nSHOP_COLOR=green\nSHOP_RETRIES=1\n")
    (tmp_path / ".env.local").write_text("SHOP_COLOR=${HOME}\n")
    deployed = Deployed(tmp_path, dev=True)
    deployed.set(SHOP_KEY="k")
    deployed.load()
    settings = deployed.settings
    assert (settings.shop_color, settings.shop_retries) == ("${HOME}", 7)
    assert settings.shop_key.get_secret_value() == "k"
    assert [name for name, _ in deployed.environment.files()] == [".env", ".env.local"]
    deployed.environment.undo()
    in_production = Environment(tmp_path)
    in_production.load(10)
    assert deployed.settings.shop_color == "red"
    in_production.undo()


def test_secrets_are_found_wherever_they_are(tmp_path: Path) -> None:
    """In models inside settings, in lists and dicts."""
    more = """
    import headwater
    from pydantic import BaseModel, SecretBytes, SecretStr
    class Inner(BaseModel):
        password: SecretStr
    class More(headwater.Settings):
        inner: Inner = Inner(password=SecretStr("p1"))
        keys: list[SecretStr] = [SecretStr("p2")]
        by_name: dict[str, SecretBytes] = {"a": SecretBytes(b"p3")}
        plain: str = "p4"
    """
    environment = Environment(write_project(tmp_path, more=more))
    environment.load(10)
    environment.undo()
    assert environment.secrets == {"p1", "p2", "p3"}


def test_production_may_say_the_address_its_clients_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy; in development the bound address is the one."""
    monkeypatch.setenv("CONVEX_CLOUD_URL", "https://shop.example")
    for dev, expected in ((False, "https://shop.example"), (True, "http://here:1")):
        deployed = Deployed(tmp_path, dev=dev)
        deployed.set(SHOP_KEY="k", SHOP_RETRIES="3")
        deployed.load()
        assert deployed.settings.convex_cloud_url == expected
        deployed.environment.undo()
