"""What a visitor of the website can do."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from rasa.core.lock_store import InMemoryLockStore

from guide.gaps import GapStore
from tests.channels.web_server import ANSWER, CRISIS, WebServer, serving


async def test_a_session_opens_with_the_disclosure_and_suggestions(web: WebServer) -> None:
    visitor = await web.visitor().open()
    assert [reply["kind"] for reply in visitor.opened["replies"]] == ["disclosure"]
    assert len(visitor.opened["starters"]) >= 3
    assert visitor.opened["expires_in"] > 60
    assert await visitor.texts() == ["I am a program."]


async def test_the_disclosure_is_not_said_again_with_the_first_answer(web: WebServer) -> None:
    visitor = await web.visitor().open()
    status, body = await visitor.send(text="does it harm the bladder?")
    assert status == 200
    assert [reply["kind"] for reply in body["replies"]] == ["answer"]


async def test_a_reply_keeps_its_fields_and_its_paragraphs(web: WebServer) -> None:
    source = dict.fromkeys(["key", "title", "publisher", "date", "kind", "read", "checked"], "x")
    sources = [{**source, "url": "https://example.org/"}]
    web.agent.messages = [{**ANSWER, "sources": sources, "review": "drafted"}]
    visitor = await web.visitor().open()
    reply = (await visitor.send(text="bladder?"))[1]["replies"][0]
    assert reply["text"] == ANSWER["text"]
    assert reply["topic"] == "bladder"
    assert reply["title"] == ANSWER["title"]
    assert reply["sources"] == sources
    assert reply["review"] == "drafted"


async def test_buttons_are_opaque_and_resolved_here(web: WebServer) -> None:
    visitor = await web.visitor().open()
    reply = (await visitor.send(text="bladder?"))[1]["replies"][0]
    assert "/tell_more" not in json.dumps(reply)
    status, _ = await visitor.send(button=reply["buttons"][0]["id"])
    assert status == 200
    pressed = web.agent.received[-1]
    assert pressed.text == "/tell_more"
    assert pressed.metadata == {"button": True}
    # What was pressed reads as its title.
    assert (await visitor.texts())[-2] == "Tell me more"


async def test_a_suggested_question_can_be_pressed_at_once(web: WebServer) -> None:
    visitor = await web.visitor().open()
    status, _ = await visitor.send(button=visitor.opened["starters"][0]["id"])
    assert status == 200
    assert web.agent.received[-1].text.startswith("/show_topic")


async def test_typed_text_is_only_ever_text(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="/restart")
    assert web.agent.received[-1].metadata == {"button": False}


async def test_the_conversation_comes_from_the_token_alone(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="hi")
    conversation = web.agent.received[-1].sender_id
    assert conversation.startswith("web:")
    assert len(conversation) > 30


async def test_the_same_message_id_is_one_turn_and_one_reply(web: WebServer) -> None:
    visitor = await web.visitor().open()
    first = await visitor.send("message-one", text="hi")
    assert await visitor.send("message-one", text="hi") == first
    assert len(web.agent.received) == 1


async def test_two_at_the_same_time_are_one_turn(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.pause = 0.3
    answers = await asyncio.gather(*(visitor.send("message-one", text="hi") for _ in range(3)))
    assert answers[0] == answers[1] == answers[2]
    assert len(web.agent.received) == 1


async def test_a_turn_goes_on_when_the_connection_breaks(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.pause = 0.5
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(visitor.send("message-one", text="hi"), 0.2)
    status, body = await visitor.send("message-one", text="hi")
    assert (status, body["replies"][0]["kind"]) == (200, "answer")
    assert len(web.agent.received) == 1


async def test_a_message_id_cannot_hide_another_message(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send("message-one", text="hi")
    status, body = await visitor.send("message-one", text="i want to die")
    assert (status, body["error"]) == (409, "message_id_reused")
    assert "988" in body["replies"][0]["text"]


async def test_a_failed_turn_can_be_tried_again_with_its_id(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.error = RuntimeError("no")
    web.agent.messages = []
    status, body = await visitor.send("message-one", text="hi")
    assert (status, body["error"]) == (503, "turn_failed")
    web.agent.error = None
    web.agent.messages = [ANSWER]
    status, body = await visitor.send("message-one", text="hi")
    assert (status, body["replies"][0]["kind"]) == (200, "answer")


async def test_history_is_there_after_a_reload(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="bladder?")
    _, body = await visitor.call("GET", "/history")
    assert [message["from"] for message in body["messages"]] == ["guide", "person", "guide"]
    reply = body["messages"][-1]["reply"]
    assert reply["kind"] == "answer"
    assert (await visitor.send(button=reply["buttons"][0]["id"]))[0] == 200


async def test_a_token_can_be_refreshed(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="hi")
    status, body = await visitor.call("POST", "/session/refresh", json={})
    assert status == 200
    visitor.headers["Authorization"] = f"Bearer {body['token']}"
    assert "hi" in await visitor.texts()


async def test_ending_deletes_the_conversation(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="hi")
    conversation = web.agent.received[-1].sender_id
    assert await visitor.call("DELETE", "/session") == (200, {"ended": True, "deleted": True})
    assert await web.agent.tracker_store.retrieve(conversation) is None
    status, body = await visitor.send(text="hello?")
    assert (status, body["error"]) == (401, "session_ended")


async def test_a_turn_under_way_leaves_nothing_behind_when_the_session_ends(
    web: WebServer,
) -> None:
    visitor = await web.visitor().open()
    web.agent.pause = 0.3
    # As on a machine that has lost its lock: the deletion does not wait for this turn.
    web.agent.lock_store = InMemoryLockStore()
    sending = asyncio.create_task(visitor.send(text="hi"))
    await asyncio.sleep(0.1)
    await visitor.call("DELETE", "/session")
    await sending
    conversation = web.agent.received[-1].sender_id
    assert await web.agent.tracker_store.retrieve(conversation) is None


async def test_a_session_grows_old() -> None:
    async with serving(token_minutes=0.5 / 60, session_hours=24) as web:
        visitor = await web.visitor().open()
        await asyncio.sleep(0.7)
        status, body = await visitor.send(text="hi")
        assert (status, body["error"]) == (401, "session_expired")
        assert "988" in body["replies"][0]["text"]


async def test_a_long_text_gets_a_kind_answer(web: WebServer) -> None:
    visitor = await web.visitor().open()
    status, body = await visitor.send(text="a" * 2001)
    assert (status, body["replies"][0]["kind"]) == (200, "control")
    assert "988" in body["replies"][0]["text"]
    assert not web.agent.received
    assert (await visitor.send(text="a" * 2000))[1]["replies"][0]["kind"] == "answer"


async def test_a_crisis_in_a_long_text_gets_the_crisis_reply(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.level = "crisis"
    web.agent.messages = [CRISIS]
    status, body = await visitor.send(text="long story " * 400)
    assert (status, body["replies"][0]["kind"]) == (200, "crisis")


async def test_a_crisis_reply_brings_the_numbers_of_the_persons_country(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.messages = [CRISIS]
    reply = (await visitor.send(text="x"))[1]["replies"][0]
    assert reply["contacts"][0] == {
        "label": "Call or text 988",
        "tel": "988",
        "sms": "988",
        "number": "988",
    }
    web.agent.country = "UK"
    reply = (await visitor.send(text="x"))[1]["replies"][0]
    assert reply["contacts"][0]["tel"] == "116123"


async def test_in_a_medical_emergency_the_emergency_number_comes_first(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.messages = [{**CRISIS, "category": "medical_emergency"}]
    reply = (await visitor.send(text="x"))[1]["replies"][0]
    assert reply["contacts"][0]["tel"] == "911"


async def test_a_crisis_reply_before_a_failure_still_counts(web: WebServer) -> None:
    visitor = await web.visitor().open()
    web.agent.messages = [CRISIS]
    web.agent.error = RuntimeError("no")
    status, body = await visitor.send(text="x")
    assert status == 200
    assert body["replies"][0]["kind"] == "crisis"


async def test_health_and_readiness_are_told(web: WebServer) -> None:
    visitor = web.visitor(None)
    assert await visitor.call("GET", "/health") == (200, {"status": "ok"})
    status, body = await visitor.call("GET", "/ready")
    assert status == 200
    assert set(body) == {"status", "model", "database", "lock_store", "action_server"}


class _Broken:
    async def retrieve(self, conversation: str) -> None:
        raise OSError("no database")

    def lock(self, conversation: str) -> None:
        raise OSError("no locks")


@pytest.mark.parametrize(
    ("part", "attribute", "value"),
    [
        ("database", "tracker_store", _Broken()),
        ("lock_store", "lock_store", _Broken()),
        ("action_server", "action_endpoint", SimpleNamespace(url="http://127.0.0.1:9/webhook")),
        ("model", "ready", False),
    ],
)
async def test_what_is_missing_makes_it_not_ready(
    web: WebServer, part: str, attribute: str, value: object
) -> None:
    setattr(web.agent, attribute, value)
    status, body = await web.visitor(None).call("GET", "/ready")
    assert (status, body["status"], body[part]) == (503, "not ready", "down")


async def test_metrics_count_turns_failures_and_referrals(web: WebServer) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text="hi")
    web.agent.messages = [CRISIS]
    await visitor.send(text="x")
    await web.visitor().send(text="no session")
    _, body = await web.visitor(None).call("GET", "/metrics")
    text = body.decode()
    assert 'kap_web_turns_total{kind="answer"} 1.0' in text
    assert 'kap_web_crisis_referrals_total{category="suicide"} 1.0' in text
    assert 'kap_web_failures_total{reason="no_session"} 1.0' in text
    assert "kap_web_turn_seconds_bucket" in text


async def test_metrics_are_not_for_visitors(web: WebServer) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.5"}
    assert (await web.visitor(None).call("GET", "/metrics", headers=forwarded))[0] == 403


async def test_pages_and_widget_are_served(web: WebServer) -> None:
    visitor = web.visitor(None)
    for path in ("/", "/crisis-protocol", "/kap-chat.js", "/pages.css"):
        status, body = await visitor.call("GET", path)
        assert status == 200
        assert body
        assert "default-src 'none'" in visitor.latest.headers["Content-Security-Policy"]
    etag = visitor.latest.headers["ETag"]
    status, _ = await visitor.call("GET", "/pages.css", headers={"If-None-Match": etag})
    assert status == 304


async def test_the_protocol_shows_the_lines_the_replies_and_the_counts(
    web: WebServer, tmp_path: Path
) -> None:
    web.channel.gaps = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    today = date.today()
    web.channel.gaps.count(today, {("crisis", "suicide"): 6, ("crisis", "abuse"): 2})
    web.channel.gaps.count(today - timedelta(days=400), {("crisis", "suicide"): 50})
    page = (await web.visitor(None).call("GET", "/crisis-protocol"))[1].decode()
    assert "116 123" in page
    assert "988" in page
    assert "Self-harm" in page
    assert "Given 6 times in the last twelve months" in page
    assert "Given &lt;5 times" in page
    assert "on every channel: 6+." in page


async def test_the_protocol_needs_no_counts(web: WebServer, tmp_path: Path) -> None:
    (tmp_path / "gaps.db").write_bytes(b"this is no database" * 100)
    web.channel.gaps = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    status, page = await web.visitor(None).call("GET", "/crisis-protocol")
    assert status == 200
    assert b"988" in page
    assert b"twelve months" not in page
