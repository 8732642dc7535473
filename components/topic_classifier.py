"""Rasa graph component: which topic a message is about, and how sure that is."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    INTENT_RESPONSE_KEY,
    PREDICTED_CONFIDENCE_KEY,
    RESPONSE_SELECTOR,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from guide.bands import LIBRARY, Decision, Thresholds, base, decide, learn_thresholds
from guide.ranking import Floats, Ranking, TopicRanker
from guide.ranking_training import train_ranker

RANKER_FILE = "ranker.npz"
SETTINGS_FILE = "settings.json"

# Intents whose examples belong to the safety gate and would only draw questions away from topics.
GATE_INTENTS = frozenset({"crisis", "check_in", "boundary"})


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent):
    """Ranks all topics and dialogue intents in one, and decides what to do with the message.

    The intent is a base intent, `clarify` or `nlu_fallback`. The full label goes where Rasa's own
    response selector would leave it.
    """

    @classmethod
    def required_components(cls) -> List[type]:
        """None that Rasa knows by name; the text's embedding comes from SentenceEncoder."""
        return []

    def __init__(self, model_storage: ModelStorage, resource: Resource) -> None:
        """Creates an untrained classifier."""
        self._model_storage = model_storage
        self._resource = resource
        self._ranker: Optional[TopicRanker] = None
        self._thresholds = Thresholds(1.0, 1.0)
        self._retrieval_intents: List[str] = []

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
        """Creates the component for training."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicClassifier:
        """Loads a trained classifier."""
        component = cls(model_storage, resource)
        with model_storage.read_from(resource) as directory:
            settings = json.loads((directory / SETTINGS_FILE).read_text(encoding="utf-8"))
            component._ranker = TopicRanker.load(directory / RANKER_FILE)
        component._thresholds = Thresholds(**settings["thresholds"])
        component._retrieval_intents = settings["retrieval_intents"]
        return component

    def train(self, training_data: TrainingData) -> Resource:
        """Trains the ranker and its thresholds and writes them to the model."""
        examples = [
            message
            for message in training_data.intent_examples
            if message.get(TEXT) and message.get(INTENT) not in GATE_INTENTS
        ]
        labels = [message.get(INTENT_RESPONSE_KEY) or message.get(INTENT) for message in examples]
        ranker, held_out = train_ranker(
            [message.get(TEXT) for message in examples],
            labels,
            np.vstack([_embedding(message) for message in examples]),
            outside={label for label in labels if base(label) != LIBRARY},
        )
        settings = {
            "thresholds": learn_thresholds(held_out)._asdict(),
            "retrieval_intents": sorted({base(label) for label in labels if "/" in label}),
        }
        with self._model_storage.write_to(self._resource) as directory:
            ranker.save(directory / RANKER_FILE)
            (directory / SETTINGS_FILE).write_text(json.dumps(settings, indent=2), encoding="utf-8")
        return self._resource

    def process(
        self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None
    ) -> List[Message]:
        """Sets intent, intent ranking and response selector on the messages."""
        assert self._ranker is not None, "processing needs a loaded component"
        for message in messages:
            ranking = self._ranker.rank(message.get(TEXT) or "", _embedding(message))
            self._set(message, decide(ranking, self._thresholds), ranking)
        return messages

    def _set(self, message: Message, decision: Decision, ranking: Ranking) -> None:
        """Leaves the decision on the message in the form that Rasa's own components use."""
        intent = {INTENT_NAME_KEY: decision.intent, PREDICTED_CONFIDENCE_KEY: decision.confidence}
        message.set(INTENT, intent, add_to_output=True)
        entries = [{INTENT_NAME_KEY: k, PREDICTED_CONFIDENCE_KEY: v} for k, v in ranking]
        message.set(INTENT_RANKING_KEY, entries, add_to_output=True)
        selector: Dict[str, Any] = {"all_retrieval_intents": self._retrieval_intents}
        for label, confidence in decision.candidates:
            if "/" not in label:
                continue
            response = {"intent_response_key": label, "confidence": confidence}
            selected = selector.setdefault(
                base(label),
                {"response": {**response, "utter_action": f"utter_{label}", "responses": []}},
            )
            selected.setdefault("ranking", []).append(response)
        message.set(RESPONSE_SELECTOR, selector, add_to_output=True)


def _embedding(message: Message) -> Floats:
    """Returns the sentence embedding of a message, shape (384,)."""
    _, sentence = message.get_dense_features(TEXT)
    assert sentence is not None, "TopicClassifier needs SentenceEncoder before it"
    return np.asarray(sentence.features[0], dtype=np.float32)
