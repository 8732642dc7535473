"""What is kept of an event, whatever it holds."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guide.keeping import kept_event

TEXTS = st.text(min_size=1, max_size=20)


def message(text: str, level: str, button: bool = False) -> dict[str, Any]:
    return {
        "event": "user",
        "timestamp": 5.0,
        "text": text,
        "input_channel": "web",
        "message_id": "m1",
        "metadata": {"button": button, "note": text},
        "parse_data": {
            "text": text,
            "intent": {"name": "faq", "confidence": 0.5, "note": text},
            "intent_ranking": [{"name": "faq/bladder", "confidence": 0.5, "note": text}] * 9,
            "entities": [{"entity": "country", "value": "US", "note": text}],
            "response_selector": {"faq": text},
            "safety": {"level": level, "category": "suicide", "view": text},
        },
    }


@given(TEXTS)
def test_a_crisis_leaves_no_words(words: str) -> None:
    secret = f"<{words}>"
    for level in ("crisis", "error"):
        kept = kept_event(message(secret, level))
        assert json.dumps(secret)[1:-1] not in json.dumps(kept)
        assert (kept["timestamp"], kept["message_id"]) == (5.0, "m1")
        assert kept["parse_data"]["safety"]["category"] == "suicide"


@given(TEXTS)
def test_other_words_are_kept_in_one_place_alone(words: str) -> None:
    secret = f"<{words}>"
    kept = kept_event(message(secret, "none"))
    kept["text"] = None
    assert json.dumps(secret)[1:-1] not in json.dumps(kept)


def test_what_is_kept_is_redacted_and_a_button_is_not() -> None:
    assert kept_event(message("i am jo@example.org", "none"))["text"] == "i am [e-mail]"
    payload = '/show_topic{"topic": "bladder"}'
    assert kept_event(message(payload, "none", button=True))["text"] == payload


def test_a_few_places_of_the_ranking_are_enough() -> None:
    ranking = kept_event(message("hi", "none"))["parse_data"]["intent_ranking"]
    assert ranking == [{"name": "faq/bladder", "confidence": 0.5}] * 5


def test_the_assistants_words_stay() -> None:
    said = {"event": "bot", "text": "It can.", "metadata": {"kind": "answer"}}
    assert kept_event(said) == said
