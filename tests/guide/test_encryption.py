"""Keys are made once, kept for this user alone, and wrong ones are said to be wrong."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from guide.encryption import KEY_FILE, cipher, new_key
from guide.environment import SettingError


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STORE_KEYS", "STORE_KEYS_FILE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


def test_a_key_is_made_once_for_this_user_alone(own_folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        ciphers = list(threads.map(lambda _: cipher(), range(8)))
    token = ciphers[0].encrypt(b"x")
    assert all(each.decrypt(token) == b"x" for each in ciphers)
    assert (own_folder / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_the_newest_key_encrypts_and_all_of_them_read(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv("STORE_KEYS", old)
    token = cipher().encrypt(b"x")
    monkeypatch.setenv("STORE_KEYS", f" {new}, {old},")
    assert cipher().decrypt(token) == b"x"


@pytest.mark.parametrize("given", ["nonsense", "a,b", ","])
def test_what_is_no_key_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEYS", given)
    with pytest.raises(SettingError, match="STORE_KEYS"):
        cipher()


def test_a_shared_database_needs_keys_that_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://kap@db/kap")
    with pytest.raises(SettingError, match="STORE_KEYS is not set"):
        cipher()
