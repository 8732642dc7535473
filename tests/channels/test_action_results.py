"""Results of the action server: checked as Rasa's own check would, which ours has replaced."""

from typing import Any

import jsonschema
import pytest
from rasa.core.actions.action import RemoteAction

from channels import turn
from channels.action_results import check_result

ACTION = RemoteAction("action_answer", None)

GOOD: list[dict[str, Any]] = [
    {},
    {"events": [], "responses": []},
    {
        "events": [
            {"event": "slot", "name": "topic", "value": "bladder", "timestamp": None},
            {"event": "reset_slots", "timestamp": 1.0},
        ],
        "responses": [{"text": "Yes.", "buttons": [], "kind": "answer"}],
    },
]
BAD: list[Any] = [
    [],
    {"events": {}},
    {"events": ["slot"]},
    {"events": [{"event": "slot"}]},
    {"events": [{"event": "no such event"}]},
    {"events": [{"name": "topic", "value": 1}]},
    {"responses": "Yes."},
    {"responses": ["Yes."]},
]


def test_taking_turns_brings_the_check_with_it() -> None:
    assert turn.action_results.check_result is RemoteAction._validate_action_result


@pytest.mark.parametrize("result", GOOD)
def test_what_is_right_passes(result: dict[str, Any]) -> None:
    jsonschema.validate(result, RemoteAction.action_response_format_spec())
    assert check_result(ACTION, result)


@pytest.mark.parametrize("result", BAD)
def test_what_is_wrong_is_refused_with_the_same_words(result: Any) -> None:
    with pytest.raises(jsonschema.ValidationError) as rasas:
        jsonschema.validate(result, RemoteAction.action_response_format_spec())
    with pytest.raises(jsonschema.ValidationError) as ours:
        check_result(ACTION, result)
    assert ours.value.message == rasas.value.message
