"""The contract of a reply."""

import pytest

from guide.reply import KINDS, Button, Reply


def test_a_reply_leaves_out_what_does_not_apply() -> None:
    assert Reply("smalltalk", "You are welcome.").as_dict() == {
        "kind": "smalltalk",
        "text": "You are welcome.",
    }


def test_a_reply_survives_the_way_through_a_bot_message() -> None:
    reply = Reply(
        "answer", "Text", topic="bladder", title="Bladder?", buttons=(Button("More", "/tell_more"),)
    )
    assert Reply.from_message(reply.as_dict()) == reply


def test_rasas_own_messages_become_control() -> None:
    assert Reply.from_message({"text": "hello", "timestamp": 1.0}).kind == "control"


@pytest.mark.parametrize("text", ["", " \n"])
def test_silence_is_no_reply(text: str) -> None:
    with pytest.raises(ValueError, match="has no text"):
        Reply("answer", text)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown reply kind"):
        Reply("advert", "Buy now")
    assert "advert" not in KINDS
