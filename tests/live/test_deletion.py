"""A person deletes a conversation from within it, and a long conversation stays quick."""

import statistics
import time
import uuid

import pytest

from guide.servers import Assistant


def sender() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize(
    "text",
    ["delete my data", "please delete everything i wrote", "can you erase this conversation?"],
)
def test_who_asks_for_deletion_gets_a_button_and_nothing_is_deleted_before(
    assistant: Assistant, text: str
) -> None:
    me = sender()
    assistant.send(me, "can ketamine hurt my bladder?")
    offered = assistant.send(me, text).replies[-1]
    assert [button["title"] for button in offered["buttons"]] == ["Yes, delete this chat"]
    assert assistant.send(me, "tell me more").replies[-1]["topic"] == "bladder"


def test_the_button_deletes_everything(assistant: Assistant) -> None:
    me = sender()
    assistant.send(me, "can ketamine hurt my bladder?")
    button = assistant.send(me, "delete my data").replies[-1]["buttons"][0]
    (done,) = assistant.press(me, button["payload"]).replies
    assert done["kind"] == "control"
    assert "has been deleted" in done["text"]
    kinds = [reply["kind"] for reply in assistant.send(me, "tell me more").replies]
    assert kinds[0] == "disclosure"
    assert "detail" not in kinds


@pytest.mark.parametrize("text", ["/confirm_deletion", "confirm_deletion", "/confirm_deletion{}"])
def test_the_button_cannot_be_typed(assistant: Assistant, text: str) -> None:
    me = sender()
    assistant.send(me, "can ketamine hurt my bladder?")
    assistant.send(me, text)
    assert assistant.send(me, "tell me more").replies[-1]["topic"] == "bladder"


@pytest.mark.parametrize(
    "text", ["delete", "how does ketamine erase bad memories", "can it delete traumatic memories?"]
)
def test_a_question_on_memory_is_none_on_deletion(assistant: Assistant, text: str) -> None:
    replies = assistant.send(sender(), text).replies
    payloads = [b["payload"] for reply in replies for b in reply.get("buttons", ())]
    assert text == "delete" or "/confirm_deletion" not in payloads


def test_turn_two_hundred_costs_what_an_early_turn_does(assistant: Assistant) -> None:
    me = sender()
    seconds = []
    for number in range(220):
        text = ("thanks", "what are the side effects?")[number % 2]
        started = time.perf_counter()
        assistant.send(me, text)
        seconds.append(time.perf_counter() - started)
    # An early turn with an answer, and a late one: the same kinds of turn in the same run.
    for kind in range(2):
        early = statistics.median(seconds[2 + kind : 42 : 2])
        late = statistics.median(seconds[180 + kind :: 2])
        assert late <= 1.5 * early
