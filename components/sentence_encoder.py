"""Rasa graph component: sentence embeddings for training examples and messages."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from guide import embedding

logger = logging.getLogger(__name__)

# Under this key every message carries the encoder itself, for components further down that
# embed more than the whole text (a clause, a question with its topic). It never leaves the
# process: it is not part of the output, and training data do not carry it.
ENCODER = "sentence_encoder"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceEncoder(GraphComponent):
    """Adds the embedding of the text as a dense sentence feature.

    Training copies the encoder's files into the model, so that a model archive serves alone.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Where the built encoder lies, seen from the working directory of the training."""
        return {"directory": "build/encoder"}

    @staticmethod
    def required_packages() -> List[str]:
        """The packages the encoder runs on."""
        return ["onnxruntime", "tokenizers"]

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        node_name: str,
    ) -> None:
        """Holds the settings; the encoder itself comes with `load`."""
        self._directory = Path(config["directory"])
        self._model_storage = model_storage
        self._resource = resource
        self._node_name = node_name
        self._encoder: Optional[embedding.SentenceEncoder] = None

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoder:
        """Creates the component for training."""
        return cls(config, model_storage, resource, execution_context.node_name)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceEncoder:
        """Loads the component with the encoder of the model."""
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as directory:
            component._encoder = embedding.SentenceEncoder(directory)
        return component

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """A rebuilt encoder makes what Rasa cached from the last training stale."""
        # Rasa passes the settings of config.yml alone, without the defaults.
        settings = {**cls.get_default_config(), **config}
        manifest = Path(settings["directory"]) / embedding.MANIFEST_FILE
        return manifest.read_text(encoding="utf-8") if manifest.is_file() else None

    def train(self, training_data: TrainingData) -> Resource:
        """Copies the encoder into the model; raises EncoderMissing when it is not built."""
        embedding.require_files(self._directory)
        with self._model_storage.write_to(self._resource) as target:
            for name in embedding.FILES:
                shutil.copyfile(self._directory / name, target / name)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds features to all training examples in one go."""
        self._add_features([m for m in training_data.training_examples if m.get(TEXT)])
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds features, and the encoder itself, to the messages."""
        self._add_features(messages)
        for message in messages:
            message.set(ENCODER, self._encoder)
        return messages

    def _add_features(self, messages: Sequence[Message]) -> None:
        assert self._encoder is not None, "processing needs a loaded component"
        vectors = self._encoder.encode([message.get(TEXT) or "" for message in messages])
        for message, vector in zip(messages, vectors, strict=True):
            message.add_features(
                Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, self._node_name)
            )
