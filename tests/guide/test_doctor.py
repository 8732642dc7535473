"""The doctor says what is wrong with an installation, and what to do, and tells no secret."""

from pathlib import Path

import pytest

from guide.conversations import conversation_store
from guide.doctor import LOOK, OK, WRONG, Finding, findings
from guide.encryption import new_key
from guide.locks import locks


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE_KEYS", "DATABASE_URL", "REDIS_URL", "WEB_SECRET", "RETENTION_DAYS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    locks.cache_clear()


def look(part: str) -> Finding:
    return next(finding for finding in findings() if finding.part == part)


def test_a_fresh_installation_works_and_has_things_to_look_at() -> None:
    found = {finding.part: finding for finding in findings()}
    assert found["database"].state == found["locks"].state == found["crisis lines"].state == OK
    for part in ("store keys", "web secret", "review"):
        assert found[part].state == LOOK
        assert found[part].remedy


def test_a_lost_key_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEYS", new_key())
    conversation_store().append("a", None, {"events": [], "slots": {}})
    assert look("database").state == OK
    monkeypatch.setenv("STORE_KEYS", new_key())
    assert look("database").state == WRONG
    assert "older key" in look("database").remedy


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("WEB_SECRET", "short", "web secret"),
        ("STORE_KEYS", "nonsense", "secrets"),
        ("RETENTION_DAYS", "soon", "retention"),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:9", "Redis"),
        ("DATABASE_URL", "postgresql://kap:hidden@127.0.0.1:9/kap", "database"),
    ],
)
def test_what_is_wrong_is_said_without_its_secret(
    name: str, value: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "DATABASE_URL":
        monkeypatch.setenv("STORE_KEYS", new_key())
    monkeypatch.setenv(name, value)
    finding = look(part)
    assert finding.state == WRONG
    assert "hidden" not in finding.what + finding.remedy


def test_a_folder_that_others_can_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    assert look("data folder").state == LOOK
    assert "chmod 700" in look("data folder").remedy
