"""Only the model whose hash was written down is started."""

import hashlib
from pathlib import Path

import pytest

from guide.model_hash import ModelHashError, check, digest, record, record_of

DATA = b"a model" * 1000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(DATA)
    return path


def test_the_recorded_model_passes(model: Path) -> None:
    assert record(model) == check(model) == digest(model) == hashlib.sha256(DATA).hexdigest()
    assert record_of(model).read_text().split() == [digest(model), "model.tar.gz"]


def test_a_changed_model_does_not(model: Path) -> None:
    record(model)
    model.write_bytes(DATA + b"!")
    with pytest.raises(ModelHashError, match="do not load it"):
        check(model)


def test_the_operators_own_hash_counts_even_when_the_record_was_changed_too(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_SHA256", record(model).upper())
    check(model)
    model.write_bytes(b"another")
    record(model)
    with pytest.raises(ModelHashError, match="MODEL_SHA256"):
        check(model)


def test_a_model_without_a_record_is_not_started(model: Path) -> None:
    with pytest.raises(ModelHashError, match="missing"):
        check(model)
    record_of(model).write_text("")
    with pytest.raises(ModelHashError, match="empty"):
        check(model)


def test_no_model_is_told_clearly(tmp_path: Path) -> None:
    with pytest.raises(ModelHashError, match="make train"):
        digest(tmp_path / "none")
