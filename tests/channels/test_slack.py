"""The Slack channel against a strict stand-in; each weakness of Rasa's own channel is a test."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from channels.slack import is_slack_address
from guide.staff_settings import SLACK_API
from tests.channels.slack_fake import BOT, CHANNEL, DM, FORM, OTHER, USER, FakeSlack
from tests.channels.staff_server import Staff, slack_channel
from tests.channels.web_server import ANSWER, CRISIS, FakeAgent

OnSlack = Staff[FakeSlack]
JSON = "application/json"


async def tell(staff: OnSlack, envelope: dict[str, Any]) -> list[dict[str, Any]]:
    """Deliver an event and return what was posted for it."""
    before = len(staff.service.messages)
    assert (await staff.service.deliver(envelope))[-1] == 200
    await staff.rest()
    return staff.service.messages[before:]


def texts(staff: OnSlack) -> list[str]:
    return [message.text for message in staff.agent.received]


# Who may speak


async def test_a_direct_message_is_answered(on_slack: OnSlack) -> None:
    posted = await tell(on_slack, on_slack.service.direct("can it harm the bladder?"))
    assert texts(on_slack) == ["can it harm the bladder?"]
    assert [message["channel"] for message in posted] == [DM, DM]  # disclosure, answer
    assert "Ask your clinician" in posted[-1]["text"]
    assert on_slack.agent.received[0].sender_id == f"slack:T0CLINIC:{USER}:{DM}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another secret"},
        {"age": 600},
        {"age": -600},
        {"headers": {"X-Slack-Signature": "v0="}},
        {"headers": {"X-Slack-Request-Timestamp": "soon"}},
        {"headers": {"X-Slack-Signature": "v0=é".encode().decode("latin-1")}},
    ],
)
async def test_what_slack_did_not_sign_now_is_refused(on_slack: OnSlack, wrong: Any) -> None:
    body = json.dumps(on_slack.service.direct("hello"))
    assert await on_slack.service.post("/events", body, JSON, **wrong) == 401
    await on_slack.rest()
    assert on_slack.agent.received == []


async def test_an_unsigned_request_is_refused(on_slack: OnSlack) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{on_slack.service.app}/events", json=on_slack.service.direct("x")) as answer,
    ):
        assert answer.status == 401


async def test_a_member_who_is_not_listed_is_told_so_once_with_the_crisis_line(
    on_slack: OnSlack,
) -> None:
    posted = await tell(on_slack, on_slack.service.direct("hello", user=OTHER))
    again = await tell(on_slack, on_slack.service.direct("hello?", user=OTHER))
    assert on_slack.agent.received == []
    assert OTHER in posted[0]["text"]
    assert "988" in posted[0]["text"]
    assert again == []


@pytest.mark.parametrize(
    "foreign", [{"team": "T0FOREIGN"}, {"user_team": "T0FOREIGN"}, {"source_team": "T0FOREIGN"}]
)
async def test_members_of_other_workspaces_are_not_answered(
    on_slack: OnSlack, foreign: Any
) -> None:
    assert await tell(on_slack, on_slack.service.direct("hello", **foreign)) == []
    assert await tell(on_slack, {**on_slack.service.direct("hello"), "team_id": "T0FOREIGN"}) == []
    assert on_slack.agent.received == []


async def test_a_listed_id_of_another_workspace_is_no_right(on_slack: OnSlack) -> None:
    assert await on_slack.service.command("review", team_id="T0FOREIGN") == 200
    await on_slack.rest()
    assert on_slack.service.responses == []


# What counts as a message


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed", "message": {"text": "edited"}},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"user": None},
        {"user": ""},
        {"text": None, "subtype": "bot_message"},
        {"channel_type": "channel"},
        {"type": "reaction_added"},
        {"ts": None},
        {"text": {"no": "text"}},
    ],
)
async def test_edits_bots_and_other_events_are_ignored(on_slack: OnSlack, fields: Any) -> None:
    envelope = on_slack.service.direct("hello")
    envelope["event"].update(fields)
    assert await tell(on_slack, envelope) == []
    assert on_slack.agent.received == []


async def test_the_media_type_is_parsed_not_compared(on_slack: OnSlack) -> None:
    for number, media_type in enumerate(("application/json; charset=utf-8", "Application/JSON")):
        body = json.dumps(on_slack.service.direct(f"question {number}"))
        assert await on_slack.service.post("/events", body, media_type) == 200
        await on_slack.rest()
    assert len(on_slack.agent.received) == 2
    assert await on_slack.service.post("/events", body, "text/plain") == 400


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"type": "event_callback"}', "\udc80"])
async def test_broken_bodies_are_refused(on_slack: OnSlack, body: str) -> None:
    body = body.encode("utf-8", "surrogatepass").decode("latin-1")
    assert await on_slack.service.post("/events", body, JSON) == 400


async def test_a_body_of_megabytes_is_refused(on_slack: OnSlack) -> None:
    assert await on_slack.service.post("/events", " " * 1_000_000, JSON) == 400


async def test_slack_can_verify_the_address(on_slack: OnSlack) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    assert await on_slack.service.post("/events", body, JSON) == 200
    assert json.loads(on_slack.service.latest) == {"challenge": "abc"}


async def test_markup_and_ids_are_taken_out_of_what_is_asked(on_slack: OnSlack) -> None:
    service = on_slack.service
    await tell(
        on_slack, service.mention("is <https://x.example|this page> true &amp; <@U9> right?")
    )
    assert texts(on_slack) == ["is this page true & @someone right?"]


# Once and only once


async def test_retries_of_any_reason_and_mentions_seen_twice_are_answered_once(
    on_slack: OnSlack,
) -> None:
    service = on_slack.service
    envelope = service.mention("hello")
    for number, reason in enumerate(("", "http_timeout", "http_error", "connection_failed")):
        headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        assert await service.post("/events", json.dumps(envelope), JSON, headers) == 200
    twin = json.loads(json.dumps(envelope))
    twin["event_id"] = "Ev-the-same-message-as-another-event"
    assert await service.post("/events", json.dumps(twin), JSON) == 200
    await on_slack.rest()
    assert len(on_slack.agent.received) == 1


async def test_a_signed_form_is_good_once(on_slack: OnSlack) -> None:
    service = on_slack.service
    form = service.command_form("ask hello")
    assert await service.post("/commands", form, FORM) == 200
    assert await service.post("/commands", form, FORM) == 200
    await on_slack.rest()
    assert len(on_slack.agent.received) == 1


async def test_duplicates_are_known_after_a_restart(slack: FakeSlack) -> None:
    envelope = slack.direct("hello")
    for _ in range(2):
        agent = FakeAgent()
        async with slack_channel(agent, slack) as staff:
            assert await slack.deliver(envelope) == [200]
            await staff.rest()
    assert agent.received == []
    assert len(slack.messages) == 2


async def test_a_slow_turn_is_answered_to_slack_at_once(on_slack: OnSlack) -> None:
    on_slack.agent.pause = 1.0
    assert await on_slack.service.deliver(on_slack.service.direct("hello")) == [200]
    assert on_slack.service.messages == []
    await on_slack.rest()
    assert len(on_slack.service.messages) == 2


async def test_while_nothing_can_be_kept_slack_is_asked_to_send_again(
    on_slack: OnSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = on_slack.channel.desk

    async def fail(*_: Any) -> bool:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(desk._journal, "accept", fail)
        envelope = on_slack.service.direct("hello")
        assert await on_slack.service.deliver(envelope, attempts=1) == [503]
    assert await on_slack.service.deliver(envelope) == [200]
    await on_slack.rest()
    assert len(on_slack.agent.received) == 1


async def test_the_order_of_a_conversation_is_kept(on_slack: OnSlack) -> None:
    on_slack.agent.pause = 0.05
    for number in range(4):
        await on_slack.service.deliver(on_slack.service.direct(f"question {number}"))
    await on_slack.rest()
    assert texts(on_slack) == [f"question {number}" for number in range(4)]


async def test_channels_and_threads_are_conversations_of_their_own(on_slack: OnSlack) -> None:
    service = on_slack.service
    await tell(on_slack, service.direct("one"))
    posted = await tell(on_slack, service.mention("two"))
    root = posted[0]["thread_ts"]
    await tell(on_slack, service.mention("three", thread_ts=root))
    first, second, third = (message.sender_id for message in on_slack.agent.received)
    assert len({first, second}) == 2
    assert second == third == f"slack:T0CLINIC:{USER}:{CHANNEL}:{root}"


# Sending


@pytest.mark.parametrize("fault", [429, 500, 503, "internal_error", "drop"])
async def test_passing_failures_lose_no_reply(on_slack: OnSlack, fault: Any) -> None:
    on_slack.service.faults = [fault, fault]
    posted = await tell(on_slack, on_slack.service.direct("hello"))
    assert len(posted) == 2
    assert await on_slack.outcomes() == {"answered": 1}


async def test_the_pause_that_slack_asks_for_is_kept(on_slack: OnSlack) -> None:
    on_slack.service.retry_after = "1"
    on_slack.service.faults = [429]
    started = time.monotonic()
    assert len(await tell(on_slack, on_slack.service.direct("hello"))) == 2
    assert time.monotonic() - started >= 1


async def test_a_reply_that_cannot_be_delivered_costs_neither_turn_nor_conversation(
    on_slack: OnSlack, caplog: pytest.LogCaptureFixture
) -> None:
    posted = await tell(on_slack, on_slack.service.direct("hello", channel="D0GONE"))
    assert posted == []
    assert await on_slack.outcomes() == {"undeliverable": 1}
    assert "channel_not_found" in caplog.text
    tracker = await on_slack.agent.tracker_store.retrieve(f"slack:T0CLINIC:{USER}:D0GONE")
    assert tracker.latest_message.text == "hello"


async def test_without_slack_for_long_the_reply_comes_later(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.desk.WATCH_SECONDS", 0.05)
    monkeypatch.setattr("channels.desk.LATER_SECONDS", 0.1)
    async with slack_channel(FakeAgent(), slack) as staff:
        slack.faults = [500] * 12
        await slack.deliver(slack.direct("hello"))
        await staff.until(lambda: len(slack.messages) == 2)
        await staff.rest()
        assert await staff.outcomes() == {"answered": 1}
    assert len(staff.agent.received) == 1


async def test_refused_blocks_leave_the_plain_text(on_slack: OnSlack) -> None:
    on_slack.service.faults = ["invalid_blocks"]
    posted = await tell(on_slack, on_slack.service.direct("hello"))
    assert "blocks" not in posted[0]
    assert posted[0]["text"]


async def test_a_failed_turn_gets_the_static_message(on_slack: OnSlack) -> None:
    on_slack.agent.error = RuntimeError("my name is Jo Secret")
    on_slack.agent.messages = []
    posted = await tell(on_slack, on_slack.service.direct("hello"))
    assert "988" in posted[-1]["text"]


async def test_no_text_reaches_the_log(on_slack: OnSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    on_slack.service.faults = ["not_in_channel", 500]
    on_slack.agent.error = RuntimeError("quixandra")
    await tell(on_slack, on_slack.service.direct("quixandra wonders"))
    assert "quixandra" not in caplog.text


async def test_work_is_finished_before_the_server_stops(slack: FakeSlack) -> None:
    agent = FakeAgent()
    agent.pause = 0.5
    async with slack_channel(agent, slack):
        await slack.deliver(slack.direct("hello"))
    assert len(slack.messages) == 2


# Buttons and commands


async def test_a_pressed_button_goes_on_with_the_conversation(on_slack: OnSlack) -> None:
    service = on_slack.service
    await tell(on_slack, service.direct("bladder?"))
    (value,) = service.buttons("Tell me more")
    assert "/tell_more" not in value
    assert await service.press(value) == 200
    await on_slack.rest()
    assert texts(on_slack) == ["bladder?", "/tell_more"]
    assert on_slack.agent.received[-1].metadata == {"button": True}
    assert "You chose: Tell me more" in json.dumps(service.messages[-1]["blocks"])


@pytest.mark.parametrize("value", ["", "/restart", "A" * 24, "x" * 2000])
async def test_forged_buttons_do_nothing(on_slack: OnSlack, value: str) -> None:
    assert await on_slack.service.press(value) == 200
    await on_slack.rest()
    assert on_slack.agent.received == []
    assert "another conversation" in on_slack.service.messages[-1]["text"]


async def test_a_button_is_of_no_use_in_another_conversation(on_slack: OnSlack) -> None:
    await tell(on_slack, on_slack.service.direct("bladder?"))
    (value,) = on_slack.service.buttons("Tell me more")
    await on_slack.service.press(value, channel=CHANNEL)
    await on_slack.rest()
    assert len(on_slack.agent.received) == 1


@pytest.mark.parametrize("form", ["", "payload=", "payload={}", "payload=[]", "payload=%7B"])
async def test_other_forms_are_refused(on_slack: OnSlack, form: str) -> None:
    assert await on_slack.service.post("/actions", form, FORM) == 400


async def test_other_interactions_are_ignored(on_slack: OnSlack) -> None:
    form = 'payload={"type": "view_submission", "view": {}}'
    assert await on_slack.service.post("/actions", form, FORM) == 200


async def test_a_typed_payload_is_text(on_slack: OnSlack) -> None:
    await tell(on_slack, on_slack.service.direct("/restart"))
    assert on_slack.agent.received[0].metadata == {"button": False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "/kap topics"),
        ("help", "/kap review"),
        ("TOPICS bladder", "Can ketamine harm the bladder?"),
        ("topics xyzzy", "No topic has “xyzzy”"),
        ("review", "topics approved by a clinician"),
        ("gaps", "No question without a good answer"),
        ("ask", "/kap ask Can ketamine"),
        ("dance", "I do not know “/kap dance”"),
    ],
)
async def test_the_command_answers(on_slack: OnSlack, text: str, expected: str) -> None:
    assert await on_slack.service.command(text) == 200
    await on_slack.rest()
    (response,) = on_slack.service.responses
    assert expected in response["text"]
    assert response["response_type"] == "ephemeral"
    assert on_slack.agent.received == []


async def test_a_question_by_command_takes_a_turn(on_slack: OnSlack) -> None:
    assert await on_slack.service.command("ask can it harm the bladder?") == 200
    await on_slack.rest()
    assert texts(on_slack) == ["can it harm the bladder?"]
    assert len(on_slack.service.responses) == 2
    assert on_slack.service.messages == []


async def test_the_buttons_of_a_command_answer_where_it_was_given(on_slack: OnSlack) -> None:
    service = on_slack.service
    await service.command("topics bladder")
    await on_slack.rest()
    (value,) = service.buttons("Can ketamine harm the bladder?")
    await service.press(value, channel=CHANNEL, is_ephemeral=True)
    await on_slack.rest()
    assert texts(on_slack) == ['/show_topic{"topic": "bladder"}']
    assert service.messages == []


@pytest.mark.parametrize(
    ("url", "api", "expected"),
    [
        ("https://hooks.slack.com/commands/T/1/x", SLACK_API, True),
        ("http://hooks.slack.com/commands/T/1/x", SLACK_API, False),
        ("https://hooks.slack.com.evil.example/x", SLACK_API, False),
        ("https://evil.example/hooks.slack.com", SLACK_API, False),
        ("https://hooks.slack.com@evil.example/", SLACK_API, False),
        ("http://127.0.0.1:4/response/1", "http://127.0.0.1:4/api/", True),
    ],
)
def test_a_response_url_is_slacks(url: str, api: str, expected: bool) -> None:
    assert is_slack_address(url, api) is expected


async def test_answers_go_to_no_other_address_than_slack(slack: FakeSlack) -> None:
    async with slack_channel(FakeAgent(), slack) as staff:
        await slack.command("help", response_url="http://127.0.0.1:9/steal")
        await staff.rest()
        assert await staff.outcomes() == {"undeliverable": 1}


# Patient data


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("can pat@example.org have it? mail <mailto:pat@example.org|pat@example.org>", "e-mail"),
        ("she is at 415-555-0134, may she drive?", "phone number"),
        ("dob 04/05/1985, is that too old?", "date of birth"),
        ("my patient's name is Jordan Miller, is it safe?", "name"),
    ],
)
async def test_patient_data_is_neither_processed_nor_kept(
    on_slack: OnSlack, text: str, named: str, tmp_path: Any
) -> None:
    (posted,) = await tell(on_slack, on_slack.service.direct(text))
    assert named in posted["text"]
    assert on_slack.agent.received == []
    assert await on_slack.service.command(f"ask {text}") == 200
    await on_slack.rest()
    assert on_slack.agent.received == []
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"Jordan" not in kept
    assert b"0134" not in kept


async def test_a_crisis_beside_patient_data_still_gets_the_crisis_reply(on_slack: OnSlack) -> None:
    on_slack.agent.level = "crisis"
    posted = await tell(on_slack, on_slack.service.direct("my number is 415-555-0134, i want out"))
    assert [CRISIS["text"] in message["text"] for message in posted] == [True, False]
    assert on_slack.agent.received == []


async def test_files_are_not_read_and_the_person_is_told(on_slack: OnSlack) -> None:
    files = {"subtype": "file_share", "files": [{"id": "F1"}]}
    (posted,) = await tell(on_slack, on_slack.service.direct("see this", **files))
    assert "only read text" in posted["text"]
    assert on_slack.agent.received == []


async def test_what_waits_is_kept_encrypted_and_gone_when_answered(
    on_slack: OnSlack, tmp_path: Any
) -> None:
    on_slack.agent.pause = 0.3
    await on_slack.service.deliver(on_slack.service.direct("wonderful question"))
    await asyncio.sleep(0.1)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"wonderful" not in kept
    await on_slack.rest()
    assert await on_slack.outcomes() == {"answered": 1}


async def test_too_much_at_once_is_said(on_slack: OnSlack) -> None:
    for number in range(22):
        await on_slack.service.deliver(on_slack.service.direct(f"question {number}"))
    await on_slack.rest()
    assert len(on_slack.agent.received) == 20
    assert "wait a minute" in on_slack.service.messages[-1]["text"]


async def test_the_mention_itself_is_not_part_of_the_question(on_slack: OnSlack) -> None:
    await tell(on_slack, on_slack.service.mention("hello"))
    assert BOT not in texts(on_slack)[0]
    assert ANSWER["text"]
