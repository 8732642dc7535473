"""What a turn leaves: a redacted line where a question found no answer, never one in a crisis."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rasa.shared.core.events import SessionStarted

from channels import recording
from channels.turn import Turns
from guide.gaps import GapLine, GapStore, gap_store
from tests.channels.web_server import ANSWER, CRISIS, Visitor, WebServer, serving

UNKNOWN = {"text": "I don't have reviewed information on that.", "kind": "unknown"}
OFFERED = [
    {"title": "Bladder?", "payload": '/show_topic{"topic": "bladder"}'},
    {"title": "Nausea?", "payload": '/show_topic{"topic": "nausea"}'},
    {"title": "Something else", "payload": "/something_else"},
]
CLARIFY = {"text": "Which of these?", "kind": "clarify", "buttons": OFFERED}
SORRY = {"text": "I am sorry.", "kind": "control"}


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebServer]:
    """A running channel; `gaps` is a store of this test alone."""
    async with serving() as server:
        server.gaps = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
        server.channel.turns.recorder = recording.Recorder(server.gaps)
        yield server


async def ask(web: WebServer, visitor: Visitor, text: str, **understood: Any) -> list[Any]:
    """Send a text that is understood as told (message, intent, level); return the replies."""
    message = understood.pop("message", UNKNOWN)
    web.agent.messages = [message]
    web.agent.intent = understood.pop("intent", "nlu_fallback")
    web.agent.level = understood.pop("level", "none")
    status, body = await visitor.send(text=text)
    assert status == 200, body
    return list(body["replies"])


async def press(web: WebServer, visitor: Visitor, button: Any, message: Any = ANSWER) -> Any:
    """Press a button that a reply offered; return the replies."""
    web.agent.messages = [message]
    web.agent.intent = "show_topic"
    status, body = await visitor.send(button=button["id"])
    assert status == 200, body
    return body["replies"]


async def left(web: WebServer) -> list[tuple[str, str]]:
    """Return kind and text of every line, oldest first."""
    await settled(web)
    return [(line.kind, line.text) for line in web.gaps.lines(date.min)]


async def counts(web: WebServer) -> dict[tuple[str, str], int]:
    """Return the counts by kind and subject."""
    await settled(web)
    return {(c.kind, c.subject): c.number for c in web.gaps.counts(date.min)}


async def settled(web: WebServer) -> None:
    assert web.channel.turns.recorder is not None
    await web.channel.turns.recorder.drain()


async def test_a_question_without_an_answer_leaves_a_redacted_line(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await ask(web, visitor, "my name is Jo Miller, can my dog come? mail jo@miller.example")
    [(kind, text)] = await left(web)
    assert kind == "unanswered"
    assert "can my dog come" in text
    assert "Miller" not in text
    assert "@" not in text
    assert await counts(web) == {("unknown", ""): 1}


async def test_an_answer_leaves_no_line_and_counts_for_its_topic(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await ask(web, visitor, "does it harm the bladder?", message=ANSWER, intent="faq")
    assert await left(web) == []
    assert await counts(web) == {("answer", "bladder"): 1}


async def test_offered_topics_leave_a_line_until_one_is_picked(web: WebServer) -> None:
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "it hurts down there", message=CLARIFY, intent="clarify")
    assert await left(web) == [("clarify", "it hurts down there")]
    assert web.gaps.lines(date.min)[0].offered == ("bladder", "nausea")
    await press(web, visitor, replies[-1]["buttons"][0])
    assert await left(web) == []
    assert (await counts(web))[("picked", "bladder")] == 1


async def test_offered_topics_that_are_not_picked_stay_a_gap(web: WebServer) -> None:
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "it hurts", message=CLARIFY, intent="clarify")
    none_of_them = {"text": "Okay, none of those.", "kind": "clarify"}
    await press(web, visitor, replies[-1]["buttons"][2], none_of_them)
    assert await left(web) == [("clarify", "it hurts")]
    assert (await counts(web))[("clarify", "")] == 1


async def test_a_complaint_leaves_the_question_before_it(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await ask(web, visitor, "do lozenges harm teeth?", message=ANSWER, intent="faq")
    await ask(web, visitor, "that's not what i asked", message=SORRY, intent="complaint")
    await settled(web)
    [line] = web.gaps.lines(date.min)
    assert (line.kind, line.text, line.topic) == (
        "complaint",
        "do lozenges harm teeth?",
        "bladder",
    )
    assert (await counts(web))[("complaint", "bladder")] == 1


async def test_a_thumb_down_leaves_the_question_and_is_no_turn(web: WebServer) -> None:
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "do lozenges harm teeth?", message=ANSWER, intent="faq")
    helped, did_not = replies[-1]["feedback"]
    before = len(web.agent.received)
    [thanks] = await press(web, visitor, did_not)
    assert thanks["kind"] == "control"
    assert len(web.agent.received) == before
    await settled(web)
    [line] = web.gaps.lines(date.min)
    assert (line.kind, line.text, line.topic) == (
        "unhelpful",
        "do lozenges harm teeth?",
        "bladder",
    )
    await press(web, visitor, helped)
    numbers = await counts(web)
    assert numbers[("unhelpful", "bladder")] == 1
    assert ("helpful", "bladder") not in numbers, "an answer is judged once in a conversation"


async def test_a_thumb_up_is_a_count_and_no_line(web: WebServer) -> None:
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "bladder?", message=ANSWER, intent="faq")
    await press(web, visitor, replies[-1]["feedback"][0])
    assert await left(web) == []
    assert (await counts(web))[("helpful", "bladder")] == 1


@pytest.mark.parametrize("message", [UNKNOWN, CLARIFY, SORRY, CRISIS])
@pytest.mark.parametrize("level", ["crisis", "check_in", "error", None])
async def test_no_words_stay_where_safety_has_a_say_or_none(
    web: WebServer, level: str | None, message: dict[str, Any]
) -> None:
    visitor = await web.visitor().open()
    for intent in ("complaint", "nlu_fallback"):
        await ask(
            web, visitor, "i am so tired of it all", message=message, level=level, intent=intent
        )
    assert await left(web) == []


async def test_a_crisis_takes_back_what_led_to_it_and_silences_the_session(
    web: WebServer,
) -> None:
    other, visitor = await web.visitor().open(), await web.visitor().open()
    await ask(web, other, "can my dog come?")
    await ask(web, visitor, "i have all of them in front of me")
    assert len(await left(web)) == 2
    await ask(web, visitor, "and i will take them", message=CRISIS, level="crisis", intent="crisis")
    assert await left(web) == [("unanswered", "can my dog come?")]
    await ask(web, visitor, "leave me alone")
    assert await left(web) == [("unanswered", "can my dog come?")]
    assert (await counts(web))[("crisis", "suicide")] == 1


async def test_a_thumb_down_after_a_crisis_is_a_count_alone(web: WebServer) -> None:
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "will it end my pain?", message=ANSWER, intent="faq")
    await ask(web, visitor, "i will end it", message=CRISIS, level="crisis", intent="crisis")
    await press(web, visitor, replies[-1]["feedback"][1])
    assert await left(web) == []
    assert (await counts(web))[("unhelpful", "bladder")] == 1


async def test_a_later_session_leaves_lines_again(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await ask(web, visitor, "i will end it", message=CRISIS, level="crisis", intent="crisis")
    conversation = web.agent.received[-1].sender_id
    tracker = await web.agent.tracker_store.retrieve(conversation)
    tracker.update(SessionStarted())
    await web.agent.tracker_store.save(tracker)
    await ask(web, visitor, "can my dog come?")
    assert await left(web) == [("unanswered", "can my dog come?")]


async def test_ending_the_chat_takes_its_lines_along() -> None:
    async with serving() as web:
        visitor = await web.visitor().open()
        await ask(web, visitor, "may i bring my tortoise, and my name is Jo Miller")
        status, _ = await visitor.call("DELETE", "/session")
        assert status == 200
        await settled(web)
        assert not [line for line in gap_store().lines(date.min) if "tortoise" in line.text]


async def test_another_language_leaves_no_line(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await ask(web, visitor, "¿puedo llevar a mi perro?", intent="other_language")
    assert await left(web) == []


async def test_a_broken_store_breaks_no_turn_and_writes_no_words_into_the_log(
    web: WebServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "gaps.db").write_bytes(b"this is no database" * 100)
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "can my dog come?")
    assert replies[-1]["kind"] == "unknown"
    await settled(web)
    assert "recording failed with DatabaseError" in caplog.text
    assert "dog" not in caplog.text


async def test_a_conversation_that_cannot_be_read_breaks_no_turn(
    web: WebServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tracker: object) -> None:
        raise OSError("my dog Rex")

    monkeypatch.setattr(recording, "session", fail)
    visitor = await web.visitor().open()
    replies = await ask(web, visitor, "can my dog come?")
    assert replies[-1]["kind"] == "unknown"
    assert await left(web) == []
    assert "could not be recorded: OSError" in caplog.text
    assert "dog" not in caplog.text


async def test_a_slow_store_delays_no_turn(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    kept: list[str] = []

    def slow(store: GapStore, line: GapLine) -> None:
        assert free.wait(60)
        kept.append(line.text)

    monkeypatch.setattr(GapStore, "add", slow)
    visitor = await web.visitor().open()
    for number in range(3):
        replies = await ask(web, visitor, f"question {number}")
        assert replies[-1]["kind"] == "unknown"
    assert kept == []
    free.set()
    await settled(web)
    assert kept == ["question 0", "question 1", "question 2"]


async def test_too_much_waiting_is_dropped_with_a_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "WAITING_JOBS", 2)
    jobs, free, done = recording.Jobs(), threading.Event(), []
    for number in range(6):
        jobs.put(lambda number=number: (free.wait(60), done.append(number)))  # type: ignore[misc]
    assert "a record is lost" in caplog.text
    free.set()
    await asyncio.to_thread(jobs.drain, 60)
    assert len(done) in (2, 3), "what was waiting is done, the rest is not"


def test_the_channel_of_tools_and_tests_is_not_recorded() -> None:
    assert Turns("rest", recorded=False).recorder is None
