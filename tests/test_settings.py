"""Settings: defaults, precedence, and one sentence for each thing that is wrong."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.errors import StartupError
from hub.settings import Settings

SECRET = "correct horse battery staple, twice"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("HUB_"):
            monkeypatch.delenv(name)


def test_a_newcomer_needs_no_settings() -> None:
    settings = Settings.load()

    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path(".hub"))
    assert settings.mongo_driver == "pymongo"
    assert settings.is_local


def test_the_command_line_wins_over_the_environment_and_that_over_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "9000")
    monkeypatch.setenv("HUB_DATA_DIR", "/srv/hub")
    monkeypatch.setenv("HUB_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("HUB_MONGO_URI", "")

    settings = Settings.load(port=9001, host=None)

    assert settings.port == 9001
    assert settings.host == "127.0.0.1"
    assert settings.data_dir == Path("/srv/hub")
    assert settings.log_level == "warning"
    assert settings.mongo_uri is None


def test_settings_are_frozen_and_keep_their_secrets_to_themselves() -> None:
    settings = Settings.load(secret=SECRET, mongo_uri="mongodb://user:password@db")

    assert SECRET not in repr(settings)
    assert "password" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1


def test_what_a_guardian_needs_is_a_list_of_words_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_STEP_UP_ACR", " gold,silver, gold,")
    assert Settings.load().step_up_acr == ("gold", "silver")

    monkeypatch.setenv("HUB_STEP_UP_ACR", " , ")
    with pytest.raises(StartupError, match="HUB_STEP_UP_ACR is not valid"):
        Settings.load()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_local_mode_listens_on_loopback(host: str) -> None:
    assert Settings.load(host=host).host == host


def test_with_issuers_the_local_key_is_not_trusted_and_the_hub_may_listen_anywhere() -> None:
    settings = Settings.load(issuers="issuers.toml", host="0.0.0.0")

    assert not settings.is_local
    assert settings.host == "0.0.0.0"
    assert "issuers.toml" not in repr(settings)  # it may be JSON with keys


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HUB_PORT": "65536"}, "HUB_PORT is not valid: input should be less than or equal to 65535."),
        ({"HUB_MONGO_DRIVER": "mongoengine"}, "HUB_MONGO_DRIVER is not valid: input should be 'pymongo' or 'motor'."),
        ({"HUB_CONSOLE": "perhaps"}, "HUB_CONSOLE is not valid: input should be 'on' or 'off'."),
        ({"HUB_SECRET": "short"}, "HUB_SECRET needs at least 32 characters; `openssl rand -base64 33` makes some."),
        ({"HUB_MONGO_DATABASE": "a.b"}, "HUB_MONGO_DATABASE is not valid: string should match pattern '^[A-Za-z0-9_-]{1,38}$'."),
        (
            {"HUB_MONGO_URI": "mongodb://db"},
            "HUB_MONGO_URI needs HUB_SECRET: at least 32 characters, the same for every process on that database.",
        ),
        ({"HUB_SECRET_PREVIOUS": SECRET}, "HUB_SECRET_PREVIOUS needs HUB_SECRET, which has taken its place."),
        (
            {"HUB_HOST": "0.0.0.0"},
            "HUB_HOST (--host) must be a loopback address such as 127.0.0.1 as long as the hub trusts its own local key.",
        ),
        ({"HUB_MONGO_URL": "mongodb://db"}, "HUB_MONGO_URL is not a setting of the hub; did you mean HUB_MONGO_URI?"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StartupError) as refused:
        Settings.load()

    assert str(refused.value) == sentence


def test_a_variable_that_resembles_none_is_refused_with_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_XYZZY", "1")

    with pytest.raises(StartupError, match=r"^HUB_XYZZY is not a setting of the hub; the hub reads HUB_DATA_DIR, .*HUB_LOG_LEVEL\.$"):
        Settings.load()
