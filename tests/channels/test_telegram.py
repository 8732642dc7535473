"""The Telegram channel against a strict stand-in; each weakness of Rasa's own channel is a test."""

import time
from typing import Any

import pytest

from channels.telegram_texts import utf16_length
from tests.channels.staff_server import Staff, telegram_channel
from tests.channels.telegram_fake import SECRET, STAFF, STRANGER, FakeTelegram
from tests.channels.web_server import ANSWER, CRISIS, FakeAgent

OnTelegram = Staff[FakeTelegram]
HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def tell(staff: OnTelegram, update: dict[str, Any]) -> list[dict[str, Any]]:
    """Deliver an update and return what was sent for it."""
    before = len(staff.service.sent)
    assert (await staff.service.deliver(update))[-1] == 200
    await staff.rest()
    return staff.service.sent[before:]


def texts(staff: OnTelegram) -> list[str]:
    return [message.text for message in staff.agent.received]


# Who may speak


async def test_a_private_message_is_answered(on_telegram: OnTelegram) -> None:
    sent = await tell(on_telegram, on_telegram.service.message("can it harm the bladder?"))
    assert texts(on_telegram) == ["can it harm the bladder?"]
    assert [message["chat_id"] for message in sent] == [STAFF, STAFF]
    assert "Ask your clinician" in sent[-1]["text"]
    assert "parse_mode" not in sent[-1]
    assert on_telegram.agent.received[0].sender_id == f"tg:{STAFF}:{STAFF}"


@pytest.mark.parametrize("given", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_without_the_secret_nothing_is_taken(
    on_telegram: OnTelegram, given: "str | None"
) -> None:
    service = on_telegram.service
    service.secret = None
    headers = {} if given is None else {HEADER: given}
    assert await service.post(service.message("hello"), headers) == 401
    await on_telegram.rest()
    assert on_telegram.agent.received == []


async def test_a_stranger_is_told_once_with_the_crisis_line(on_telegram: OnTelegram) -> None:
    (sent,) = await tell(on_telegram, on_telegram.service.message("hello", user=STRANGER))
    assert str(STRANGER) in sent["text"]
    assert "988" in sent["text"]
    assert await tell(on_telegram, on_telegram.service.message("hello?", user=STRANGER)) == []
    assert on_telegram.agent.received == []


async def test_a_chat_id_is_no_identity(on_telegram: OnTelegram) -> None:
    """The sender counts, not the chat that the update names."""
    sender = {"id": STRANGER, "is_bot": False}
    await tell(on_telegram, on_telegram.service.message("hello", **{"from": sender}))
    assert on_telegram.agent.received == []


# What counts as a message


@pytest.mark.parametrize(
    "fields",
    [
        {"chat": {"id": -5, "type": "group"}},
        {"chat": {"id": -5, "type": "supergroup"}},
        {"chat": None},
        {"from": None},
        {"from": {"id": STAFF, "is_bot": True}},
        {"text": None, "new_chat_title": "x"},
        {"text": {"no": "text"}},
    ],
)
async def test_groups_bots_and_service_messages_are_ignored(
    on_telegram: OnTelegram, fields: Any
) -> None:
    update = on_telegram.service.message("hello")
    update["message"].update(fields)
    assert await tell(on_telegram, update) == []
    assert on_telegram.agent.received == []


@pytest.mark.parametrize(
    "kind",
    [
        *("edited_message", "channel_post", "edited_channel_post", "my_chat_member"),
        *("chat_member", "inline_query", "chosen_inline_result", "poll", "poll_answer"),
        *("chat_join_request", "message_reaction", "business_message", "shipping_query"),
    ],
)
async def test_every_kind_of_update_survives(on_telegram: OnTelegram, kind: str) -> None:
    message = on_telegram.service.message("hello")["message"]
    for content in (message, {}, {"caption": "no text"}, None, 3):
        assert await tell(on_telegram, on_telegram.service.update(**{kind: content})) == []
    assert on_telegram.agent.received == []


@pytest.mark.parametrize("fields", [{}, {"message": None}, {"message": {}}, {"message": 3}])
async def test_empty_updates_survive(on_telegram: OnTelegram, fields: Any) -> None:
    assert await tell(on_telegram, on_telegram.service.update(**fields)) == []


@pytest.mark.parametrize("update", [[], "x", 3, {}, {"update_id": "x"}])
async def test_other_bodies_survive(on_telegram: OnTelegram, update: Any) -> None:
    assert await on_telegram.service.post(update) == 200


@pytest.mark.parametrize("content", ["photo", "voice", "document", "sticker", "location"])
async def test_what_is_no_text_gets_a_word_and_is_not_read(
    on_telegram: OnTelegram, content: str
) -> None:
    fields = {content: [{"file_id": "x"}], "caption": "look at this"}
    (sent,) = await tell(on_telegram, on_telegram.service.message(None, **fields))
    assert "only read text" in sent["text"]
    assert on_telegram.agent.received == []


@pytest.mark.parametrize("text", ["/bottle", "/bot", "/restart", '/faq{"a":1}', "what does / mean"])
async def test_what_only_looks_like_a_command_is_not_mangled(
    on_telegram: OnTelegram, text: str
) -> None:
    await tell(on_telegram, on_telegram.service.message(text))
    assert texts(on_telegram) == [text]
    assert on_telegram.agent.received[0].metadata == {"button": False}


async def test_there_is_no_route_that_registers_the_webhook(on_telegram: OnTelegram) -> None:
    await tell(on_telegram, on_telegram.service.message("hello"))
    assert set(on_telegram.service.calls) == {"sendMessage"}


# Once and only once


async def test_an_update_is_answered_once(on_telegram: OnTelegram) -> None:
    update = on_telegram.service.message("hello")
    assert len(await tell(on_telegram, update)) == 2
    assert await tell(on_telegram, update) == []
    assert await tell(on_telegram, {**update, "update_id": 9_999_999}) == []


async def test_updates_are_known_after_a_restart(telegram: FakeTelegram) -> None:
    update = telegram.message("hello")
    for _ in range(2):
        agent = FakeAgent()
        async with telegram_channel(agent, telegram) as staff:
            assert await telegram.deliver(update) == [200]
            await staff.rest()
    assert agent.received == []
    assert len(telegram.sent) == 2


async def test_telegram_gets_its_answer_before_the_work_is_done(on_telegram: OnTelegram) -> None:
    on_telegram.agent.pause = 0.5
    assert await on_telegram.service.deliver(on_telegram.service.message("hello")) == [200]
    assert on_telegram.service.sent == []
    await on_telegram.rest()
    assert len(on_telegram.service.sent) == 2


async def test_a_failing_turn_is_no_reason_to_send_the_update_again(
    on_telegram: OnTelegram,
) -> None:
    on_telegram.agent.error = RuntimeError("x")
    on_telegram.agent.messages = []
    sent = await tell(on_telegram, on_telegram.service.message("hello"))
    assert "988" in sent[-1]["text"]


# Sending


@pytest.mark.parametrize("length", [4096, 4097, 20_000])
@pytest.mark.parametrize("letter", ["a", "🆘"])
async def test_long_replies_arrive_whole(on_telegram: OnTelegram, length: int, letter: str) -> None:
    text = " ".join([letter * 9] * (length // 10))
    on_telegram.agent.messages = [{**ANSWER, "text": text}]
    sent = await tell(on_telegram, on_telegram.service.message("hello"))
    assert all(utf16_length(message["text"]) <= 4096 for message in sent)
    received = " ".join(message["text"] for message in sent)
    assert received.count(letter * 9) == length // 10


@pytest.mark.parametrize("fault", [429, 500, 502, "drop"])
async def test_passing_failures_lose_no_reply(on_telegram: OnTelegram, fault: Any) -> None:
    on_telegram.service.faults = [fault, fault]
    assert len(await tell(on_telegram, on_telegram.service.message("hello"))) == 2
    assert await on_telegram.outcomes() == {"answered": 1}


async def test_the_pause_that_telegram_asks_for_is_kept(on_telegram: OnTelegram) -> None:
    on_telegram.service.retry_after = 1
    on_telegram.service.faults = [429]
    started = time.monotonic()
    assert len(await tell(on_telegram, on_telegram.service.message("hello"))) == 2
    assert time.monotonic() - started >= 1


async def test_a_person_who_blocked_the_bot_costs_nothing(
    on_telegram: OnTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    on_telegram.service.blocked = {STAFF}
    assert await tell(on_telegram, on_telegram.service.message("hello")) == []
    assert await on_telegram.outcomes() == {"undeliverable": 1}
    assert "403" in caplog.text


async def test_neither_token_nor_text_reaches_the_log(
    on_telegram: OnTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    on_telegram.service.faults = ["drop", 403]
    await tell(on_telegram, on_telegram.service.message("quixandra wonders"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("channels")]
    assert ours
    assert not any("quixandra" in line or "AAbb" in line for line in ours)


# Buttons and commands


async def test_a_pressed_button_is_acknowledged_and_goes_on(on_telegram: OnTelegram) -> None:
    service = on_telegram.service
    await tell(on_telegram, service.message("bladder?"))
    data = service.buttons()["Tell me more"]
    assert len(data.encode()) <= 64
    update = service.press(data)
    sent = await tell(on_telegram, update)
    assert texts(on_telegram) == ["bladder?", "/tell_more"]
    assert sent[0]["text"].startswith("▸ Tell me more")
    assert service.answered == [update["callback_query"]["id"]]
    assert await tell(on_telegram, update) == []


@pytest.mark.parametrize("data", ["/restart", "x", '/show_topic{"topic": "bladder"}', "A" * 24])
async def test_old_and_forged_buttons_are_harmless(on_telegram: OnTelegram, data: str) -> None:
    (sent,) = await tell(on_telegram, on_telegram.service.press(data))
    assert "another conversation" in sent["text"]
    assert on_telegram.agent.received == []


@pytest.mark.parametrize("fields", [{"message": None}, {"data": None}, {"from": None}])
async def test_incomplete_callback_queries_survive(on_telegram: OnTelegram, fields: Any) -> None:
    update = on_telegram.service.press("x")
    update["callback_query"].update(fields)
    assert await tell(on_telegram, update) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/start", "/topics"),
        ("/help", "/review"),
        ("/help@kap_test_bot", "/review"),
        ("/topics bladder", "Can ketamine harm the bladder?"),
        ("/topics@kap_test_bot bladder", "Can ketamine harm the bladder?"),
        ("/review", "topics approved by a clinician"),
        ("/ask", "/ask Can ketamine"),
    ],
)
async def test_commands_are_those_of_slack(
    on_telegram: OnTelegram, text: str, expected: str
) -> None:
    (sent,) = await tell(on_telegram, on_telegram.service.message(text))
    assert expected in sent["text"]
    assert on_telegram.agent.received == []


async def test_a_question_by_command_takes_a_turn(on_telegram: OnTelegram) -> None:
    await tell(on_telegram, on_telegram.service.message("/ask can it harm the bladder?"))
    assert texts(on_telegram) == ["can it harm the bladder?"]


# Patient data


async def test_patient_data_is_neither_processed_nor_kept(
    on_telegram: OnTelegram, tmp_path: Any
) -> None:
    text = "jordan@example.org, born 04/05/1985, asks if she may drive"
    (sent,) = await tell(on_telegram, on_telegram.service.message(text))
    assert "a date of birth, an e-mail address" in sent["text"]
    assert on_telegram.agent.received == []
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"jordan" not in kept


async def test_a_crisis_in_a_caption_still_gets_the_crisis_reply(on_telegram: OnTelegram) -> None:
    on_telegram.agent.level = "crisis"
    fields = {"photo": [{"file_id": "x"}], "caption": "i cannot go on"}
    sent = await tell(on_telegram, on_telegram.service.message(None, **fields))
    assert CRISIS["text"] in sent[0]["text"]
    assert sent[0]["text"].startswith("🆘")
