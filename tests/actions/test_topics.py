"""Answering topics and the questions about an answer."""

from typing import Any

import pytest

from actions import base
from actions.topics import (
    ActionAnswer,
    ActionRepeat,
    ActionShowRelated,
    ActionShowSources,
    ActionSimplify,
    ActionTellMore,
)


def understood(*keys: str, **more: Any) -> dict[str, Any]:
    """Return a message as the pipeline leaves it."""
    questions = [{"intent_response_key": f"faq/{key}", "confidence": 0.9} for key in keys]
    selector = {"faq": {"response": questions[0], "ranking": questions}}
    more.setdefault("questions", questions if len(keys) > 1 else None)
    return {"intent": {"name": "faq"}, "response_selector": selector, **more}


def test_an_answer_carries_topic_title_sources_and_buttons(act: Any) -> None:
    outcome = act(ActionAnswer(), understood("bladder"))
    [message] = outcome.messages
    assert message["kind"] == "answer"
    assert message["topic"] == "bladder"
    assert message["title"]
    assert message["sources"]
    assert [button["payload"] for button in message["buttons"]][:2] == [
        "/tell_more",
        "/ask_sources",
    ]
    assert outcome.slots == {"topic": "bladder", "told": ["bladder answer"], "misses": 0}


def test_a_pressed_button_wins_over_what_was_understood(act: Any) -> None:
    message = {"entities": [{"entity": "topic", "value": "driving"}], "intent": {}}
    assert act(ActionAnswer(), message).slots["topic"] == "driving"


def test_two_questions_get_two_answers_in_order(act: Any) -> None:
    outcome = act(ActionAnswer(), understood("addiction", "driving"))
    assert [message["topic"] for message in outcome.messages] == ["addiction", "driving"]
    assert outcome.slots["told"] == ["addiction answer", "driving answer"]


def test_the_same_question_again_is_told_in_other_words(act: Any) -> None:
    told: list[str] = []
    texts = []
    for _ in range(3):
        outcome = act(ActionAnswer(), understood("bladder"), told=told)
        told = outcome.slots["told"]
        texts.append(outcome.messages[0]["text"].split("\n\n")[0])
    assert len(set(texts)) == 3
    assert act(ActionAnswer(), understood("bladder"), told=told).kinds == ["utter_all_told"]


@pytest.mark.parametrize(
    ("action", "telling"), [(ActionTellMore(), "detail"), (ActionSimplify(), "simpler")]
)
def test_what_was_told_is_not_told_twice(act: Any, action: Any, telling: str) -> None:
    first = act(action, topic="bladder", told=["bladder answer"])
    assert first.slots["told"] == ["bladder answer", f"bladder {telling}"]
    assert act(action, topic="bladder", told=first.slots["told"]).kinds == ["utter_all_told"]


def test_a_check_in_follows_the_answer(act: Any) -> None:
    message = understood("suicidal_thoughts", safety={"level": "check_in", "category": "education"})
    assert act(ActionAnswer(), message).kinds == ["answer", "utter_check_in/education"]


def test_a_button_to_a_topic_that_is_gone_gets_an_apology(act: Any) -> None:
    message = {"entities": [{"entity": "topic", "value": "gone"}], "intent": {}}
    outcome = act(ActionAnswer(), message)
    assert outcome.kinds == ["utter_error"]
    assert outcome.slots == {}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (ActionTellMore(), "detail"),
        (ActionSimplify(), "answer"),
        (ActionRepeat(), "answer"),
        (ActionShowSources(), "sources"),
        (ActionShowRelated(), "control"),
    ],
)
def test_follow_ups_lean_on_the_current_topic(act: Any, action: Any, kind: str) -> None:
    outcome = act(action, topic="bladder", told=["bladder answer"])
    assert outcome.kinds == [kind]
    if kind != "control":
        assert outcome.messages[0]["topic"] == "bladder"


@pytest.mark.parametrize("action", [ActionTellMore(), ActionSimplify(), ActionRepeat()])
def test_without_a_topic_follow_ups_say_so(act: Any, action: Any) -> None:
    assert act(action).kinds == ["utter_nothing_to_continue"]


def test_without_a_topic_sources_tell_where_all_answers_come_from(act: Any) -> None:
    assert act(ActionShowSources()).messages[0]["topic"] == "about_our_sources"


def test_a_failing_action_says_the_static_message_and_logs_no_words(
    act: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def withheld(self, key: str) -> bool:
            raise RuntimeError("my name is Jo Secret")

    monkeypatch.setattr("actions.topics.composer", Broken)
    outcome = act(ActionAnswer(), understood("bladder", text="my name is Jo Secret"))
    assert outcome.kinds == ["utter_error"]
    assert "RuntimeError" in caplog.text
    assert "Secret" not in caplog.text


def test_content_is_loaded_once() -> None:
    assert base.composer() is base.composer()


def test_what_may_have_been_meant_instead_is_offered_first(act: Any) -> None:
    [message] = act(ActionAnswer(), understood("bladder", near=["faq/vision"])).messages
    payloads = [button["payload"] for button in message["buttons"]]
    assert payloads[2] == '/show_topic{"topic": "vision"}'


@pytest.mark.parametrize(("level", "met"), [("none", True), ("check_in", False)])
def test_fear_is_met_before_the_answer_unless_a_check_in_does_it(
    act: Any, level: str, met: bool
) -> None:
    safety = {"level": level, "category": "distress"}
    outcome = act(ActionAnswer(), understood("bladder", afraid=True, safety=safety))
    assert (outcome.kinds[0] == "utter_meet_fear") is met
