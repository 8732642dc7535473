"""The safety gate in Rasa: what it leaves on a message, and that nothing gets around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.events import SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import (
    FEATURE_TYPE_SENTENCE,
    INTENT,
    INTENT_RESPONSE_KEY,
    METADATA,
    RESPONSE_SELECTOR,
    TEXT,
)
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.safety_gate import BUTTON, ENCODER, SAFETY, SafetyGate
from evaluation.safety import training_examples
from guide.embedding import TOKENIZER_FILE, EncoderMissing, SentenceEncoder
from guide.paths import CONTENT
from guide.paths import ENCODER as ENCODER_DIRECTORY

EXAMPLES_OF_A_LABEL = 20
CONFIG = {
    "patterns": str(CONTENT / "safety_patterns.yml"),
    "tokenizer": str(ENCODER_DIRECTORY / TOKENIZER_FILE),
}


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    try:
        return SentenceEncoder(ENCODER_DIRECTORY)
    except EncoderMissing as missing:
        pytest.skip(str(missing))


def with_features(message: Message, encoder: SentenceEncoder) -> Message:
    vector = encoder.encode([message.get(TEXT)])
    message.add_features(Features(vector, FEATURE_TYPE_SENTENCE, TEXT, "encoder"))
    return message


@pytest.fixture(scope="module")
def gate(encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> SafetyGate:
    """A gate trained on a few examples of each label, and loaded from the model storage."""
    seen: dict[str, int] = {}
    examples = []
    for text, label in zip(*training_examples(), strict=True):
        seen[label] = seen.get(label, 0) + 1
        if seen[label] <= EXAMPLES_OF_A_LABEL:
            data = {TEXT: text, INTENT: label.split("/")[0], INTENT_RESPONSE_KEY: label}
            examples.append(with_features(Message(data=data), encoder))
    storage = LocalModelStorage.create(tmp_path_factory.mktemp("model"))
    resource = Resource("gate")
    context = ExecutionContext(GraphSchema({}))
    SafetyGate.create(CONFIG, storage, resource, context).train(TrainingData(examples))
    # Nothing of the checkout is read at load.
    nowhere = {"patterns": "nowhere.yml", "tokenizer": "nowhere.json"}
    return SafetyGate.load(nowhere, storage, resource, context)


@pytest.fixture
def say(gate: SafetyGate, encoder: SentenceEncoder) -> Any:
    """Sends one text through the gate; returns the message."""

    def send(
        text: str,
        intent: str = "nlu_fallback",
        metadata: dict[str, Any] | None = None,
        tracker: DialogueStateTracker | None = None,
    ) -> Message:
        message = Message(data={TEXT: text, METADATA: metadata})
        message.set(INTENT, {"name": intent, "confidence": 0.9}, add_to_output=True)
        message.set(ENCODER, encoder)
        (message,) = gate.process([with_features(message, encoder)], tracker)
        return message

    return send


def test_crisis_takes_over(say: Any) -> None:
    message = say("what does it cost? i want to kill myself", intent="faq")
    assert message.get(INTENT) == {"name": "crisis", "confidence": 1.0}
    assert message.get(SAFETY)["level"] == "crisis"
    assert message.get(SAFETY)["category"] == "suicide"
    assert "pattern:kill_myself" in message.get(SAFETY)["detectors"]
    response = message.get(RESPONSE_SELECTOR)["crisis"]["response"]
    assert response["utter_action"] == "utter_crisis/suicide"


def test_boundary_takes_over(say: Any) -> None:
    message = say("what is a lethal dose of ketamine")
    assert message.get(INTENT)["name"] == "boundary"
    response = message.get(RESPONSE_SELECTOR)["boundary"]["response"]
    assert response["utter_action"] == "utter_boundary/too_much"


def test_check_in_keeps_an_answer(say: Any) -> None:
    message = say("can ketamine help with suicidal thoughts", intent="faq")
    assert message.get(INTENT)["name"] == "faq"
    assert message.get(SAFETY)["level"] == "check_in"


@pytest.mark.parametrize("intent", ["safe_now", "decline_help", "talk_to_person"])
def test_check_in_keeps_what_has_a_fitting_reply(say: Any, intent: str) -> None:
    assert say("i do not want to kill myself", intent=intent).get(INTENT)["name"] == intent


def test_check_in_replaces_any_other_intent(say: Any) -> None:
    message = say("I wanted to die five years ago", intent="greet")
    assert message.get(INTENT)["name"] == "check_in"
    response = message.get(RESPONSE_SELECTOR)["check_in"]["response"]
    assert response["utter_action"] == "utter_check_in/past"


def test_ordinary_text_is_left_alone(say: Any) -> None:
    message = say("What are your opening hours?", intent="faq")
    assert message.get(INTENT) == {"name": "faq", "confidence": 0.9}
    assert message.get(SAFETY)["level"] == "none"


def test_a_boundary_by_one_detector_yields_to_an_answer(say: Any) -> None:
    text = "i have seen people in a k-hole, is that what happens in treatment"
    assert say(text, intent="nlu_fallback").get(INTENT)["name"] == "boundary"
    assert say(text, intent="faq").get(SAFETY)["level"] in ("none", "boundary")


@pytest.mark.parametrize("slashes", ["/", " /", "//", "/ / ", "\n/"])
def test_typed_payloads_are_text(say: Any, slashes: str) -> None:
    message = say(f"{slashes}i want to kill myself")
    assert message.get(TEXT) == "i want to kill myself"
    assert message.get(INTENT)["name"] == "crisis"
    assert say(f"{slashes}restart").get(TEXT) == "restart"


def test_claimed_buttons_must_be_true(say: Any) -> None:
    assert say("/restart", metadata={BUTTON: "yes"}).get(TEXT) == "restart"


def test_buttons_pass(say: Any) -> None:
    message = say('/faq{"topic": "bladder"}', metadata={BUTTON: True})
    assert message.get(TEXT).startswith("/faq")
    assert message.get(SAFETY)["level"] == "none"


def tracker_after(*texts: str) -> DialogueStateTracker:
    events = [SessionStarted(), *(UserUttered(text) for text in texts)]
    return DialogueStateTracker.from_events("person", events)


def test_split_statements_count(say: Any) -> None:
    assert (
        say("bottle of tylenol", tracker=tracker_after("hi", "i took a whole")).get(INTENT)["name"]
        == "crisis"
    )


def test_an_earlier_session_does_not_count(say: Any) -> None:
    events = [UserUttered("i took a whole"), SessionStarted()]
    tracker = DialogueStateTracker.from_events("person", events)
    assert say("bottle of tylenol", tracker=tracker).get(SAFETY)["level"] != "crisis"


def test_an_error_is_never_silent(gate: SafetyGate) -> None:
    (message,) = gate.process([Message(data={TEXT: "i want to kill myself"})])
    assert message.get(INTENT) == {"name": "error", "confidence": 1.0}
    assert message.get(SAFETY)["level"] == "error"


def test_editing_the_patterns_makes_a_gate_stale(tmp_path: Path) -> None:
    patterns = tmp_path / "safety_patterns.yml"
    config = {"patterns": str(patterns)}
    missing = SafetyGate.fingerprint_addon(config)
    patterns.write_text("a", encoding="utf-8")
    first = SafetyGate.fingerprint_addon(config)
    patterns.write_text("b", encoding="utf-8")
    assert len({missing, first, SafetyGate.fingerprint_addon(config)}) == 3
