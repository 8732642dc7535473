"""Rasa graph component: lets the safety layer decide over everything the pipeline found before."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RESPONSE_KEY,
    METADATA,
    PREDICTED_CONFIDENCE_KEY,
    RESPONSE_SELECTOR,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.stale import code_digest
from guide.respelling import ordinary_words
from guide.safety import MODEL_DETECTOR, RECENT_TURNS, Assessment, SafetyAssessor
from guide.safety_head import Matrix
from guide.safety_patterns import PatternBook

_LEADING_SLASHES = re.compile(r"^\s*/[\s/]*")
# What looks like a command to Rasa is none when it is typed; it has no other meaning either.
_TYPED_PAYLOAD = re.compile(r"^\s*/+\w+\s*(\{.*\})?\s*$", re.DOTALL)

# Confidence from which a question of the library outweighs a boundary that one detector found.
SURE_ANSWER = 0.6

# The boundary whose words ("high", "trip") also occur in ordinary questions about treatment.
_ASKED_IN_GENERAL = "recreational"

logger = logging.getLogger(__name__)

SAFETY = "safety"
# Set by SentenceEncoder on every message.
ENCODER = "sentence_encoder"
# Set by channels on the message metadata when a button was pressed, never on typed text.
BUTTON = "button"

_ANSWER = "faq"
# These have replies of their own for somebody who was in danger before; with any other intent a
# check-in is the whole reply. The answer action adds the check-in's line to an answer.
_KEPT_AT_CHECK_IN = frozenset({_ANSWER, "safe_now", "decline_help", "talk_to_person"})


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SafetyGate(GraphComponent):
    """Assesses the typed text and replaces the intent by crisis, check_in or boundary.

    Stands last in the pipeline. Never raises while processing: a failure sets the intent `error`,
    for which a rule gives the static safety message.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Files read by training, seen from the working directory."""
        return {
            "patterns": "content/safety_patterns.yml",
            "tokenizer": "build/encoder/tokenizer.json",
        }

    @staticmethod
    def required_packages() -> List[str]:
        """The packages the assessor runs on."""
        return ["spacy", "sklearn", "skops"]

    def __init__(
        self, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        """Creates a gate without an assessor."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._assessor: Optional[SafetyAssessor] = None

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyGate:
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
    ) -> SafetyGate:
        """Loads a trained gate; nothing but the model is read."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as directory:
            component._assessor = SafetyAssessor.load(directory)
        return component

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Edited patterns, or edited code of the safety layer, make a trained gate stale."""
        # Rasa passes the settings of config.yml alone, without the defaults.
        patterns = Path({**cls.get_default_config(), **config}["patterns"])
        return code_digest("safety", "folding", "respelling", also=(patterns,))

    def train(self, training_data: TrainingData) -> Resource:
        """Trains the assessor and writes it to the model.

        Raises ContentError when the pattern file is missing or wrong.
        """
        examples = [m for m in training_data.intent_examples if m.get(TEXT)]
        assessor = SafetyAssessor.fit(
            PatternBook.read(Path(self._config["patterns"])),
            [m.get(TEXT) for m in examples],
            [m.get(INTENT_RESPONSE_KEY) or m.get(INTENT) for m in examples],
            np.vstack([_embedding(m) for m in examples]),
            vocabulary=ordinary_words(Path(self._config["tokenizer"])),
        )
        with self._model_storage.write_to(self._resource) as directory:
            assessor.save(directory)
        return self._resource

    def process(
        self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None
    ) -> List[Message]:
        """Sets `safety` on the messages, and the intent where safety decides it."""
        for message in messages:
            try:
                self._process(message, tracker)
            except Exception:  # whatever it is, silence would be worse
                logger.error("the safety gate failed; the static safety message is given")
                logger.debug("how it failed", exc_info=True)
                _set_intent(message, "error")
                _set_safety(message, Assessment("error", None, (), 0.0))
        return messages

    def _process(self, message: Message, tracker: Optional[DialogueStateTracker]) -> None:
        typed = message.get(TEXT) or ""
        if _is_button(message):
            _set_safety(message, Assessment("none", None, (), 0.0))
            return
        # RegexMessageHandler comes after this component and would obey a typed payload.
        text = _LEADING_SLASHES.sub("", typed)
        message.set(TEXT, text)
        assert self._assessor is not None, "processing needs a loaded component"
        self._assessor.encoder = message.get(ENCODER)
        embedding = _embedding(message) if text == typed else None
        assessment = self._assessor.assess(text, _recent_texts(tracker), embedding)
        if _TYPED_PAYLOAD.match(typed):
            _set_intent(message, "nlu_fallback")
        understood = message.get(INTENT) or {}
        intent = understood.get(INTENT_NAME_KEY)
        if _yields_to_answer(assessment, understood):
            assessment = Assessment("none", None, assessment.detectors, assessment.score)
        _set_safety(message, assessment)
        if assessment.level in ("crisis", "boundary") or (
            assessment.level == "check_in" and intent not in _KEPT_AT_CHECK_IN
        ):
            _set_intent(message, assessment.level)
            _select_response(message, f"{assessment.level}/{assessment.category}")


def _yields_to_answer(assessment: Assessment, understood: Dict[str, Any]) -> bool:
    """True for a request for advice that is as well, or better, a question of the library.

    The library's answers say themselves what is for the prescriber; so the boundary reply takes
    the place of a sure answer only when a pattern finds a request for advice of one's own, or when
    both detectors find any.
    """
    by_model = MODEL_DETECTOR in assessment.detectors
    by_pattern = len(assessment.detectors) > by_model
    sure = by_pattern and (by_model or assessment.category != _ASKED_IN_GENERAL)
    answer = understood.get(INTENT_NAME_KEY) == _ANSWER
    confident = understood.get(PREDICTED_CONFIDENCE_KEY, 0.0) >= SURE_ANSWER
    return assessment.level == "boundary" and answer and confident and not sure


def _is_button(message: Message) -> bool:
    """True for the payload of a pressed button; only channels can set this metadata."""
    return (message.get(METADATA) or {}).get(BUTTON) is True


def _recent_texts(tracker: Optional[DialogueStateTracker]) -> Sequence[str]:
    """Returns what the person typed in the last turns of this session, oldest first."""
    texts: List[str] = []
    for event in reversed(tracker.events if tracker else []):
        if isinstance(event, SessionStarted) or len(texts) == RECENT_TURNS:
            break
        if isinstance(event, UserUttered) and event.text and not event.text.startswith("/"):
            texts.insert(0, event.text)
    return texts


def _embedding(message: Message) -> Matrix:
    """Returns the sentence embedding of a message, shape (384,)."""
    _, sentence = message.get_dense_features(TEXT)
    assert sentence is not None, "SafetyGate needs SentenceEncoder before it"
    return np.asarray(sentence.features[0], dtype=np.float32)


def _set_safety(message: Message, assessment: Assessment) -> None:
    found = {
        "level": assessment.level,
        "category": assessment.category,
        "detectors": list(assessment.detectors),
        "score": assessment.score,
    }
    message.set(SAFETY, found, add_to_output=True)


def _set_intent(message: Message, name: str) -> None:
    intent = {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: 1.0}
    message.set(INTENT, intent, add_to_output=True)


def _select_response(message: Message, label: str) -> None:
    """Leaves the chosen response where Rasa's own response selector would."""
    chosen = {"intent_response_key": label, "confidence": 1.0}
    response = {**chosen, "utter_action": f"utter_{label}", "responses": []}
    selector = dict(message.get(RESPONSE_SELECTOR) or {"all_retrieval_intents": []})
    selector[label.split("/")[0]] = {"response": response, "ranking": [chosen]}
    message.set(RESPONSE_SELECTOR, selector, add_to_output=True)
