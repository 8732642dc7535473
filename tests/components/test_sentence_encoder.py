"""The featurizer: embeddings on messages, and a model that needs nothing from outside."""

from pathlib import Path

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.sentence_encoder import ENCODER, SentenceEncoder
from guide import embedding

RESOURCE = Resource("encoder")


@pytest.fixture(scope="module")
def trained(
    encoder_directory: Path, model_storage: LocalModelStorage, execution_context: ExecutionContext
) -> SentenceEncoder:
    """The component as a trained model loads it, from a place where no encoder was built."""
    config = {"directory": str(encoder_directory)}
    component = SentenceEncoder.create(config, model_storage, RESOURCE, execution_context)
    component.train(TrainingData())
    return SentenceEncoder.load(
        {"directory": "/nowhere"}, model_storage, RESOURCE, execution_context
    )


def vector(message: Message) -> np.ndarray:
    """The sentence features of a message."""
    sequence, sentence = message.get_dense_features(TEXT)
    assert sequence is None
    return sentence.features


def test_messages_get_the_embedding_of_their_text(
    trained: SentenceEncoder, encoder_directory: Path
) -> None:
    (message,) = trained.process([Message({TEXT: "is it addictive?"})])
    expected = embedding.SentenceEncoder(encoder_directory).encode(["is it addictive?"])
    np.testing.assert_allclose(vector(message), expected, atol=1e-6)


def test_training_examples_get_the_same_features(trained: SentenceEncoder) -> None:
    texts = ["is it addictive?", "hi", "how long does a session at the clinic last?"]
    data = TrainingData([Message({TEXT: text}) for text in texts])
    trained.process_training_data(data)
    for text, example in zip(texts, data.training_examples, strict=True):
        (message,) = trained.process([Message({TEXT: text})])
        np.testing.assert_allclose(vector(example), vector(message), atol=1e-5)


def test_later_components_can_embed_more(trained: SentenceEncoder) -> None:
    (message,) = trained.process([Message({TEXT: "and for ptsd?"})])
    assert message.get(ENCODER).encode(["does ketamine help with ptsd?"]).shape == (1, 384)
    assert ENCODER not in message.as_dict(only_output_properties=True)


@pytest.mark.parametrize("data", [{}, {TEXT: None}, {TEXT: ""}])
def test_a_message_without_text_gets_features_too(
    trained: SentenceEncoder, data: dict[str, str]
) -> None:
    (message,) = trained.process([Message(data)])
    assert vector(message).shape == (1, 384)


def test_training_without_a_built_encoder_says_what_to_do(
    tmp_path: Path, model_storage: LocalModelStorage, execution_context: ExecutionContext
) -> None:
    config = {"directory": str(tmp_path)}
    component = SentenceEncoder.create(config, model_storage, Resource("none"), execution_context)
    with pytest.raises(embedding.EncoderMissing, match="encoder_export"):
        component.train(TrainingData())


def test_another_encoder_makes_cached_training_stale(tmp_path: Path) -> None:
    config = {"directory": str(tmp_path)}
    absent = SentenceEncoder.fingerprint_addon(config)
    (tmp_path / embedding.MANIFEST_FILE).write_text("one", encoding="utf-8")
    first = SentenceEncoder.fingerprint_addon(config)
    (tmp_path / embedding.MANIFEST_FILE).write_text("two", encoding="utf-8")
    assert len({absent, first, SentenceEncoder.fingerprint_addon(config)}) == 3
