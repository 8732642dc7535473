"""The sentence encoder and its export."""

import json
from pathlib import Path

import numpy as np
import pytest

from guide import encoder_export
from guide.embedding import FILES, MANIFEST_FILE, EncoderMissing, SentenceEncoder
from tests.needs import need

BUILT = encoder_export.DEFAULT_DIRECTORY


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    """The encoder of this checkout."""
    built = BUILT if encoder_export.is_current(BUILT) else None
    return SentenceEncoder(need(built, f"no encoder in {BUILT}; run `make setup`"))


def test_embeddings_are_unit_rows(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(["is it addictive?", "how long does a session last"])
    assert vectors.shape == (2, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


@pytest.mark.parametrize("text", ["", " ", "🙂", "\x00", "x " * 5000, "кетамин", "<b>hi</b>"])
def test_any_text_gets_a_finite_embedding(encoder: SentenceEncoder, text: str) -> None:
    assert np.isfinite(encoder.encode([text])).all()


def test_meaning_counts_more_than_words(encoder: SentenceEncoder) -> None:
    asked, same, other = encoder.encode(
        [
            "how do i get rid of a headache?",
            "what helps against a sore head?",
            "how do i get rid of an old sofa?",
        ]
    )
    assert asked @ same > asked @ other + 0.1


def test_a_text_has_the_same_embedding_in_every_batch(encoder: SentenceEncoder) -> None:
    texts = ["short", "a good deal longer than the others in this little list of texts", "mid one"]
    many = encoder.encode(texts * 40)
    alone = np.vstack([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(many[:3], alone, atol=1e-5)
    np.testing.assert_allclose(many[-3:], alone, atol=1e-5)


def test_text_beyond_the_limit_is_not_read(encoder: SentenceEncoder) -> None:
    long = "ketamine " * 300
    first, second = encoder.encode([long + "bladder", long + "weather"])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EncoderMissing, match=r"model\.onnx.*python -m guide\.encoder_export"):
        SentenceEncoder(tmp_path)


def test_wrong_weights_are_named_with_both_hashes(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"not the weights")
    with pytest.raises(encoder_export.ExportError) as caught:
        encoder_export.check_hash(weights)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(weights), encoder_export.WEIGHTS_SHA256, "found", "reinstall"):
        assert part in message


def test_the_export_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoder_export, "PACKAGE", "no_such_package_of_weights")
    assert encoder_export.main([str(tmp_path / "encoder")]) == 1
    assert "no_such_package_of_weights" in capsys.readouterr().err
    assert not (tmp_path / "encoder").exists()


def test_the_export_is_not_repeated(
    encoder: SentenceEncoder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encoder_export.main([str(BUILT)]) == 0
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("damage", [*FILES, "cut short"])
def test_a_damaged_encoder_is_not_current(tmp_path: Path, damage: str) -> None:
    need(BUILT if encoder_export.is_current(BUILT) else None, f"no encoder in {BUILT}")
    for name in FILES:
        (tmp_path / name).symlink_to((BUILT / name).resolve())
    assert encoder_export.is_current(tmp_path)
    if damage == "cut short":
        (tmp_path / "model.onnx").unlink()
        (tmp_path / "model.onnx").write_bytes(b"cut")
    else:
        (tmp_path / damage).unlink()
    assert not encoder_export.is_current(tmp_path)


def test_another_graph_version_is_refused(tmp_path: Path) -> None:
    need(BUILT if encoder_export.is_current(BUILT) else None, f"no encoder in {BUILT}")
    for name in FILES:
        (tmp_path / name).symlink_to((BUILT / name).resolve())
    manifest = json.loads((tmp_path / MANIFEST_FILE).read_text(encoding="utf-8"))
    (tmp_path / MANIFEST_FILE).unlink()
    changed = {**manifest, "graph_version": manifest["graph_version"] + 1}
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(changed), encoding="utf-8")
    assert not encoder_export.is_current(tmp_path)
    with pytest.raises(EncoderMissing, match="another version"):
        SentenceEncoder(tmp_path)
