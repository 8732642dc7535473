"""Rasa graph component: which topic a message is about, and how sure that is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import UTTER_PREFIX
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

from components.sentence_encoder import ENCODER
from components.stale import code_digest
from guide.bands import CLARIFY, LIBRARY, UNKNOWN, Thresholds, base, runners_up
from guide.embedding import TOKENIZER_FILE, SentenceEncoder
from guide.folding import fold
from guide.ranking import Floats, Ranking, TopicRanker
from guide.reading import Reading, read
from guide.respelling import Respeller, ordinary_words
from guide.topic_training import GATE_INTENTS, train_topics
from guide.views import Views

# The slot that holds the key of the topic that is being talked about.
TOPIC_SLOT = "topic"

# Parts of an answer that training reads beside the questions.
PASSAGES = ("title", "text", "simpler", "detail")

RANKER_FILE = "ranker.npz"
SETTINGS_FILE = "settings.json"

_MARKUP = re.compile(r"<[^<>]*>")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent):
    """Ranks all topics and dialogue intents in one, and decides what to do with the message.

    The intent is a base intent, `clarify` or `nlu_fallback`. The full label goes where Rasa's own
    response selector would leave it.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Where training finds the built encoder, seen from its working directory."""
        return {"directory": "build/encoder"}

    def __init__(
        self, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        """Creates an untrained classifier."""
        self._encoder_directory = Path(config["directory"])
        self._model_storage = model_storage
        self._resource = resource
        self._ranker: Optional[TopicRanker] = None
        self._thresholds = Thresholds(1.0, 1.0)
        self._shared_words: List[str] = []
        self._respeller = Respeller({}, ())
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
        return cls(config, model_storage, resource)

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
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as directory:
            settings = json.loads((directory / SETTINGS_FILE).read_text(encoding="utf-8"))
            component._ranker = TopicRanker.load(directory / RANKER_FILE)
        component._thresholds = Thresholds(**settings["thresholds"])
        component._shared_words = settings["shared_words"]
        component._respeller = Respeller({}, settings["words"], settings["vocabulary"])
        component._retrieval_intents = settings["retrieval_intents"]
        return component

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Edited code of the ranking makes a trained classifier stale."""
        return code_digest(
            "ranking",
            "bands",
            "embedding",
            "views",
            "folding",
            "respelling",
            "topic_training",
        )

    def train(self, training_data: TrainingData) -> Resource:
        """Trains the ranker and its thresholds and writes them to the model."""
        examples = [
            message
            for message in training_data.intent_examples
            if message.get(TEXT) and message.get(INTENT) not in GATE_INTENTS
        ]
        questions = [
            (message.get(TEXT), message.get(INTENT_RESPONSE_KEY) or message.get(INTENT))
            for message in examples
        ]
        labels = {label for _, label in questions}
        trained = train_topics(
            questions,
            _passages(training_data, {label for label in labels if base(label) == LIBRARY}),
            SentenceEncoder(self._encoder_directory),
            np.vstack([_embedding(message) for message in examples]),
        )
        settings = {
            "thresholds": trained.thresholds._asdict(),
            "shared_words": trained.shared_words,
            "words": trained.words,
            "vocabulary": ordinary_words(self._encoder_directory / TOKENIZER_FILE),
            "retrieval_intents": sorted({base(label) for label in labels if "/" in label}),
        }
        with self._model_storage.write_to(self._resource) as directory:
            trained.ranker.save(directory / RANKER_FILE)
            (directory / SETTINGS_FILE).write_text(json.dumps(settings, indent=2), encoding="utf-8")
        return self._resource

    def process(
        self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None
    ) -> List[Message]:
        """Sets intent, intent ranking and response selector on the messages."""
        assert self._ranker is not None, "processing needs a loaded component"
        topic = tracker.get_slot(TOPIC_SLOT) if tracker else None
        for message in messages:
            self._set(message, self._read(message, topic))
        return messages

    def _read(self, message: Message, topic: Optional[str]) -> Reading:
        """Reads the message; where it is unclear as typed, with its typing errors repaired.

        `topic` is the key of the topic that is being talked about.
        """
        assert self._ranker is not None, "processing needs a loaded component"
        ranker, typed = self._ranker, message.get(TEXT) or ""
        views = Views(message.get(ENCODER), self._shared_words)

        def rank(text: str) -> Ranking:
            whole = _embedding(message)[None, :] if text == typed else None
            return ranker.rank(text, views.encode([text], whole)[0])

        reading = read(typed, topic, rank, self._thresholds)
        if reading.decision.intent in (CLARIFY, UNKNOWN):
            repaired = self._respeller.repair(fold(_MARKUP.sub(" ", typed)))
            if repaired != fold(typed):
                again = read(repaired, topic, rank, self._thresholds)
                if again.decision.intent not in (CLARIFY, UNKNOWN):
                    return again
        return reading

    def _set(self, message: Message, reading: Reading) -> None:
        """Leaves the reading on the message in the form that Rasa's own components use."""
        decision, ranking, questions, afraid = reading
        message.set("afraid", afraid, add_to_output=True)
        near = [] if questions else runners_up(ranking)
        message.set("near", near, add_to_output=True)
        message.set(
            "questions",
            [{"intent_response_key": k, "confidence": v} for k, v in questions],
            add_to_output=True,
        )
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


def _passages(training_data: TrainingData, topics: Set[str]) -> List[Tuple[str, str]]:
    """Returns titles and texts of the answers: they speak of their topic in other words."""
    return [
        (parts[name], topic)
        for topic in sorted(topics)
        for response in training_data.responses.get(f"{UTTER_PREFIX}{topic}", ())
        for parts in [{"text": response.get("text"), **response.get("metadata", {})}]
        for name in PASSAGES
        if parts.get(name)
    ]


def _embedding(message: Message) -> Floats:
    """Returns the sentence embedding of a message, shape (384,)."""
    _, sentence = message.get_dense_features(TEXT)
    assert sentence is not None, "TopicClassifier needs SentenceEncoder before it"
    return np.asarray(sentence.features[0], dtype=np.float32)
