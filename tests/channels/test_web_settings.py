"""What an operator can set, and what a wrong setting says."""

from dataclasses import replace
from typing import Any

import pytest

from channels.web_settings import SettingsError, WebSettings
from guide.clinic import Clinic
from guide.paths import CONTENT

SECRET = {"WEB_SECRET": "x" * 32}


def load(
    credentials: dict[str, Any] | None = None,
    origins: Any = (),
    env: dict[str, str] = SECRET,
) -> WebSettings:
    clinic = Clinic.load(CONTENT)
    settings = {**clinic.settings, "web_origins": list(origins) if origins == () else origins}
    return WebSettings.load(credentials, replace(clinic, settings=settings), env)


def test_the_secret_comes_from_the_environment() -> None:
    assert load().secret == b"x" * 32


def test_without_a_secret_each_start_has_its_own(caplog: pytest.LogCaptureFixture) -> None:
    assert load(env={}).secret != load(env={}).secret
    assert "WEB_SECRET is not set" in caplog.text


def test_credentials_are_taken() -> None:
    settings = load({"proxies": 1, "session_messages": "5/minute", "token_minutes": 5})
    assert (settings.proxies, settings.session_messages) == (1, "5/minute")


def test_origins_are_taken_from_the_clinics_settings() -> None:
    assert load(origins=["https://a.example"]).origins == {"https://a.example"}
    assert load(origins=None).origins == frozenset()


@pytest.mark.parametrize(
    ("credentials", "origins", "env", "message"),
    [
        ({"secret": "x"}, (), SECRET, "unknown key 'secret'"),
        ({"proxies": "1"}, (), SECRET, "proxies must be a number"),
        ({"session_messages": 3}, (), SECRET, "such as 20/minute"),
        (None, "https://a.example", SECRET, "must be a list"),
        (None, ["https://a.example/"], SECRET, "no slash at the end"),
        (None, ["*"], SECRET, "is not of the form"),
        (None, ["javascript://x"], SECRET, "is not of the form"),
        (None, (), {"WEB_SECRET": "short"}, "openssl rand"),
    ],
)
def test_a_wrong_setting_is_told_clearly(
    credentials: dict[str, Any] | None, origins: Any, env: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load(credentials, origins, env)
