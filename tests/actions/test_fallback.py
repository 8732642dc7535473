"""What happens when a question was not understood."""

from typing import Any

import pytest

from actions.fallback import (
    ActionClarify,
    ActionComplaint,
    ActionOutside,
    ActionStartOver,
    ActionUnknown,
)

RANKING = [
    {"intent_response_key": f"faq/{key}", "confidence": 0.3}
    for key in ("bladder", "liver", "nausea", "vision")
]
UNCLEAR = {"intent": {"name": "clarify"}, "response_selector": {"faq": {"ranking": RANKING}}}


def test_clarify_offers_three_topics_and_something_else(act: Any) -> None:
    outcome = act(ActionClarify(), UNCLEAR)
    [message] = outcome.messages
    assert message["response"] == "utter_clarify_intro"
    payloads = [button["payload"] for button in message["buttons"]]
    assert payloads[0] == '/show_topic{"topic": "bladder"}'
    assert payloads[-1] == "/something_else"
    assert len(payloads) == 4
    assert outcome.slots == {"misses": 1}


def test_the_second_clarify_in_a_row_offers_a_person(act: Any) -> None:
    [message] = act(ActionClarify(), UNCLEAR, misses=1).messages
    assert message["buttons"][-1]["payload"] == "/talk_to_person"


@pytest.mark.parametrize(
    ("action", "first", "second"),
    [
        (ActionUnknown(), "utter_unknown", "utter_unknown_again"),
        (ActionComplaint(), "utter_complaint", "utter_complaint_again"),
    ],
)
def test_the_second_miss_in_a_row_points_to_a_person(
    act: Any, action: Any, first: str, second: str
) -> None:
    outcome = act(action)
    assert outcome.kinds == [first]
    assert act(action, misses=outcome.slots["misses"]).kinds == [second]


def test_start_over_forgets_the_topic_and_keeps_the_country(act: Any) -> None:
    outcome = act(ActionStartOver(), topic="bladder", country="UK")
    assert outcome.kinds == ["utter_start_over"]
    assert outcome.slots == {"country": "UK"}


def test_a_question_outside_the_library_gets_what_helps_then_a_person(act: Any) -> None:
    response = {"utter_action": "utter_out_of_scope/veterinary"}
    message = {"response_selector": {"out_of_scope": {"response": response}}}
    assert act(ActionOutside(), message).kinds == ["utter_out_of_scope/veterinary"]
    assert act(ActionOutside(), message, misses=1).kinds == ["utter_unknown_again"]
