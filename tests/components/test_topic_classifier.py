"""The classifier on a small library: what it leaves on a message, in the form that Rasa reads."""

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.sentence_encoder import SentenceEncoder
from components.topic_classifier import TopicClassifier

LIBRARY = {
    "faq/bladder": (
        "can it harm my bladder?",
        "does ketamine cause bladder problems",
        "bladder pain from ket",
        "peeing hurts since i started, is it my bladder",
        "is bladder damage permanent",
        "ketamine cystitis",
    ),
    "faq/driving": (
        "can i drive after a session?",
        "may i drive home afterwards",
        "when can i drive again",
        "do i need somebody to drive me",
        "is driving the same day allowed",
        "driving after the infusion",
    ),
    "faq/cost": (
        "how much does it cost?",
        "what is the price of a session",
        "is it expensive",
        "price list please",
        "what do you charge",
        "how much money do i need",
    ),
    "faq/pregnancy": (
        "can i have it while pregnant?",
        "is it ok in pregnancy",
        "i am expecting a baby, can i take it",
        "pregnant and on ketamine",
        "does it harm the unborn child",
        "breastfeeding and ketamine",
    ),
    "out_of_scope/everyday": (
        "what is the weather tomorrow",
        "play some music",
        "who won the game last night",
        "set an alarm for six",
        "tell me a joke",
        "order a pizza",
    ),
    "greet": ("hi", "hello", "hey there", "good morning", "hi there", "hello hello"),
    "crisis/suicide": ("i want to be dead", "i want to end it all", "no reason to live"),
}


def example(text: str, label: str) -> Message:
    """A training example as Rasa's reader makes it."""
    base, _, key = label.partition("/")
    return Message({TEXT: text, INTENT: base, **({INTENT_RESPONSE_KEY: label} if key else {})})


@pytest.fixture(scope="module")
def pipeline(
    encoder_directory: Path, model_storage: LocalModelStorage, execution_context: ExecutionContext
) -> tuple[SentenceEncoder, TopicClassifier]:
    """Both components, trained, saved and loaded again."""
    responses = {
        "utter_faq/bladder": [
            {"text": "Long, heavy use can inflame it.", "metadata": {"title": "The bladder"}}
        ]
    }
    examples = [example(text, label) for label, texts in LIBRARY.items() for text in texts]
    data = TrainingData(examples, responses=responses)
    config = {"directory": str(encoder_directory)}
    rest = (model_storage, Resource("encoder"), execution_context)
    SentenceEncoder.create(config, *rest).train(data)
    encoder = SentenceEncoder.load(config, *rest)
    encoder.process_training_data(data)
    rest = (model_storage, Resource("classifier"), execution_context)
    TopicClassifier.create(config, *rest).train(data)
    return encoder, TopicClassifier.load({"directory": "/nowhere"}, *rest)


@pytest.fixture
def understand(pipeline: tuple[SentenceEncoder, TopicClassifier]) -> Any:
    """Understands a text; returns what Rasa passes on."""
    encoder, classifier = pipeline

    def of(text: str) -> dict[str, Any]:
        (message,) = classifier.process(encoder.process([Message({TEXT: text})]))
        return message.as_dict(only_output_properties=True)

    return of


def test_a_question_is_answered_through_the_response_selector(understand: Any) -> None:
    output = understand("can ketamine hurt the bladder?")
    assert output["intent"]["name"] == "faq"
    response = output["response_selector"]["faq"]["response"]
    assert response["intent_response_key"] == "faq/bladder"
    assert response["utter_action"] == "utter_faq/bladder"
    assert response["confidence"] == output["intent"]["confidence"]


def test_a_dialogue_intent_has_no_response_key(understand: Any) -> None:
    output = understand("hello")
    assert output["intent"]["name"] == "greet"
    assert set(output["response_selector"]) == {"all_retrieval_intents"}


def test_out_of_scope_names_its_area(understand: Any) -> None:
    output = understand("what will the weather be")
    assert output["intent"]["name"] == "out_of_scope"
    selected = output["response_selector"]["out_of_scope"]["response"]
    assert selected["utter_action"] == "utter_out_of_scope/everyday"


def test_the_ranking_holds_full_labels_best_first(understand: Any) -> None:
    ranking = understand("how much is one session?")["intent_ranking"]
    assert ranking[0]["name"] == "faq/cost"
    confidences = [entry["confidence"] for entry in ranking]
    assert confidences == sorted(confidences, reverse=True)


def test_what_belongs_to_the_gate_is_not_ranked(understand: Any) -> None:
    for text in ("i want to end it all", "hi"):
        names = {entry["name"] for entry in understand(text)["intent_ranking"]}
        assert not any(name.startswith("crisis") for name in names)


def test_candidates_are_offered_in_the_middle_band(
    understand: Any, pipeline: tuple[SentenceEncoder, TopicClassifier], monkeypatch: Any
) -> None:
    _, classifier = pipeline
    monkeypatch.setattr(classifier, "_thresholds", classifier._thresholds._replace(answer=1.0))
    output = understand("can i drive, and what does it cost?")
    assert output["intent"]["name"] == "clarify"
    offered = [e["intent_response_key"] for e in output["response_selector"]["faq"]["ranking"]]
    assert 1 <= len(offered) <= 3
    assert {"faq/driving", "faq/cost"} & set(offered)


@pytest.mark.parametrize("text", ["", " ", "🙂", "\x00", "/restart", "x" * 10_000, "<script>"])
def test_any_text_gets_an_intent(understand: Any, text: str) -> None:
    output = understand(text)
    assert output["intent"]["name"]
    assert 0 <= output["intent"]["confidence"] <= 1


def test_rasa_reads_the_retrieval_intent_from_the_output(understand: Any) -> None:
    output = understand("can i drive home after the session?")
    assert output["intent"]["name"] in output["response_selector"]["all_retrieval_intents"]
