"""Settings of the staff channels: each mistake is one clear line."""

from pathlib import Path

import pytest

from guide.environment import SettingError
from guide.staff_settings import SlackSettings, TelegramSettings

SLACK = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "s3cret",
    "SLACK_TEAMS": "T1, T2",
    "SLACK_USERS": "U1",
}
TELEGRAM = {
    "TELEGRAM_BOT_TOKEN": "123:AAAAAAAAAAAAAAAAAAAAAAAA",
    "TELEGRAM_SECRET": "0123456789abcdef",
    "TELEGRAM_USERS": "1,2",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SLACK, **TELEGRAM}.items():
        monkeypatch.setenv(name, value)


def test_lists_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SlackSettings.load()
    assert settings.teams == {"T1", "T2"}
    assert settings.admits("U1")
    assert not settings.admits("U2")
    monkeypatch.setenv("SLACK_USERS", "*")
    assert SlackSettings.load().admits("U2")
    assert TelegramSettings.load().admits("2")
    assert not TelegramSettings.load().admits("3")
    assert TelegramSettings.load().bot == "123"


@pytest.mark.parametrize("name", [*SLACK, *TELEGRAM])
def test_an_unset_variable_gives_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    settings = SlackSettings if name in SLACK else TelegramSettings
    with pytest.raises(SettingError, match=f"^{name} is not set; the .* channel needs it"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xapp-1"),
        ("SLACK_TEAMS", "Clinic"),
        ("SLACK_USERS", "@jo"),
        ("TELEGRAM_BOT_TOKEN", "AAAA"),
        ("TELEGRAM_SECRET", "short"),
        ("TELEGRAM_SECRET", "with spaces in it, long"),
        ("TELEGRAM_USERS", "@jo"),
        ("TELEGRAM_USERS", "*"),
    ],
)
def test_a_wrong_value_gives_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    settings = SlackSettings if name in SLACK else TelegramSettings
    with pytest.raises(SettingError, match=f"^{name}") as caught:
        settings.load()
    assert "\n" not in str(caught.value)


def test_a_secret_may_lie_in_a_file_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("xoxb-from-a-file\n")
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "token"))
    settings = SlackSettings.load()
    assert settings.bot_token == "xoxb-from-a-file"
    assert "from-a-file" not in repr(settings)
    assert "s3cret" not in repr(settings)
    assert "AAAA" not in repr(TelegramSettings.load())
