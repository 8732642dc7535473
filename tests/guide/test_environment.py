"""Settings come from the environment or from files, and a wrong one says what to do."""

from pathlib import Path

import pytest

from guide.environment import SettingError, data_folder, database_url, number, require, setting


def test_a_value_a_file_or_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB_SECRET", raising=False)
    monkeypatch.delenv("WEB_SECRET_FILE", raising=False)
    assert setting("WEB_SECRET") is None
    assert setting("WEB_SECRET", "x") == "x"
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("WEB_SECRET_FILE", str(tmp_path / "secret"))
    assert setting("WEB_SECRET") == "from a file"
    monkeypatch.setenv("WEB_SECRET", " direct ")
    assert setting("WEB_SECRET") == "direct"
    monkeypatch.setenv("WEB_SECRET", " ")
    assert setting("WEB_SECRET") == "from a file"


def test_a_missing_file_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB_SECRET", raising=False)
    monkeypatch.setenv("WEB_SECRET_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingError, match=r"WEB_SECRET_FILE: .*none: No such file"):
        setting("WEB_SECRET")


def test_what_is_required_says_what_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    monkeypatch.delenv("SLACK_BOT_TOKEN_FILE", raising=False)
    with pytest.raises(SettingError, match="SLACK_BOT_TOKEN is not set; the Slack channel"):
        require("SLACK_BOT_TOKEN", "the Slack channel")


@pytest.mark.parametrize("value", ["-1", "soon", "nan", "inf"])
def test_a_number_is_one(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", value)
    with pytest.raises(SettingError, match="RETENTION_DAYS"):
        number("RETENTION_DAYS", 30)


def test_what_is_kept_is_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "a" / "b"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert data_folder().stat().st_mode & 0o777 == 0o700
    assert database_url("gaps.db") == f"sqlite:///{tmp_path / 'a' / 'b' / 'gaps.db'}"
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db/kap")
    assert database_url("gaps.db") == "postgresql://u:p@db/kap"
