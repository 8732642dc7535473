"""What the development channel takes."""

from typing import Any

import pytest

from channels.rest import incoming_from, understanding


def test_conversations_are_prefixed_with_the_channel() -> None:
    incoming = incoming_from({"sender": "U0STAFF", "message": "hi"})
    assert incoming.conversation == "rest:U0STAFF"
    assert not incoming.is_button


def test_only_a_payload_is_a_button() -> None:
    assert incoming_from({"sender": "a", "payload": "/tell_more"}).is_button
    assert not incoming_from({"sender": "a", "message": "/tell_more"}).is_button


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"sender": ""}, {"sender": "a"}, {"sender": "a", "message": 3}]
)
def test_anything_else_is_refused(body: Any) -> None:
    with pytest.raises(ValueError, match="no "):
        incoming_from(body)


def test_nothing_understood_is_told_as_such() -> None:
    assert understanding(None)["safety"]["level"] == "none"
