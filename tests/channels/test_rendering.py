"""How replies look in Slack and Telegram, over the real library."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import slack_blocks, telegram_texts
from guide.answer import Composer
from guide.reply import Button, Reply, Source
from guide.topics import Review, TopicLibrary
from tests.channels.slack_fake import FakeSlack
from tests.channels.web_server import content

LIBRARY = content()[1]
CLINIC_TEXT = "<!channel> *b* & <https://evil.example|clinic> <@U1>"


def slack(reply: Reply, chosen: "str | None" = None) -> list[dict[str, Any]]:
    """Render, and check that Slack would take every message."""
    messages = slack_blocks.messages(reply, chosen, LIBRARY)
    for message in messages:
        assert FakeSlack()._wrong(message) is None
    return messages


def telegram(reply: Reply) -> list[dict[str, Any]]:
    messages = telegram_texts.messages(reply, None, LIBRARY)
    for message in messages:
        assert 0 < telegram_texts.utf16_length(message["text"]) <= 4096
    return messages


def shown(messages: list[dict[str, Any]]) -> str:
    return json.dumps([message["blocks"] for message in messages], ensure_ascii=False)


def test_every_answer_of_the_library_can_be_shown_with_sources_and_review(
    composer: Composer,
) -> None:
    for key in composer.library:
        for reply in (composer.answer(key, 0), composer.detail(key), composer.sources(key)):
            blocks = shown(slack(reply))
            (text,) = (message["text"] for message in telegram(reply))
            assert "no clinician has approved" in blocks
            assert "no clinician has approved" in text.lower() or "No clinician" in text
            for source in reply.sources:
                assert slack_blocks.escaped(source.url) in blocks
                assert source.url in text


def test_an_approved_topic_says_who_when_and_when_next(composer: Composer) -> None:
    topic = LIBRARY["bladder"]
    for due, expected in (("2999-01-01", "Next review 2999"), ("2020-01-01", "overdue since 2020")):
        review = Review("approved", "Dr. Example", "2026-11-01", due)
        library = TopicLibrary({"bladder": replace(topic, review=review)})
        reply = composer.answer("bladder", 0)
        messages = slack_blocks.messages(reply, None, library)
        assert "Approved by Dr. Example on 2026-11-01." in shown(messages)
        assert expected in shown(messages)
        assert expected in telegram_texts.messages(reply, None, library)[0]["text"]


def test_text_is_shown_as_it_is() -> None:
    source = Source("k", CLINIC_TEXT, CLINIC_TEXT, "2020", "https://x.example/?a=1&b=2", "", "", "")
    reply = Reply("answer", CLINIC_TEXT, "bladder", CLINIC_TEXT, sources=(source,))
    (message,) = slack(reply, chosen=CLINIC_TEXT)
    everything = message["text"] + shown([message])
    assert source.url not in everything
    assert not re.search(r"<(!|@|https://evil)", everything)
    assert "<https://x.example/?a=1&amp;b=2|" in everything
    assert telegram(reply)[0]["text"].count(CLINIC_TEXT) == 3


def test_a_crisis_reply_is_unmistakable() -> None:
    reply = Reply("crisis", "Please call or text 988.", category="suicide")
    (message,) = slack(reply)
    assert [block["type"] for block in message["blocks"]] == [
        *("divider", "header", "section", "divider")
    ]
    assert message["text"].startswith("🆘")
    assert telegram(reply)[0]["text"].startswith("🆘 CRISIS")


@pytest.mark.parametrize("count", [0, 1, 5, 6, 25, 26])
def test_any_number_of_buttons_is_shown_in_rows_of_five(count: int) -> None:
    buttons = tuple(Button(f"{number} " + "x" * 80, f"{number:024}") for number in range(count))
    (message,) = slack(Reply("control", "Choose.", buttons=buttons))
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    assert all(len(row) <= 5 for row in rows)
    assert [element["value"] for row in rows for element in row] == [b.payload for b in buttons]


TEXTS = st.text(st.sampled_from("ab &<>.\n🆘"), min_size=1, max_size=9000).filter(str.strip)


@given(TEXTS, st.integers(0, 60), st.integers(0, 30))
def test_whatever_its_size_both_services_take_it(text: str, sources: int, buttons: int) -> None:
    source = Source("k", "T" * 200, "P", "2020", "https://x.example/", "", "", "")
    offered = tuple(Button("b", f"{number:024}") for number in range(buttons))
    reply = Reply("answer", text, "bladder", "Title", sources=(source,) * sources, buttons=offered)
    slack(reply)
    telegram(reply)


def test_a_text_of_any_length_arrives_whole() -> None:
    messages = slack(Reply("control", "word " * 40_000))
    assert len(messages) > 1
    assert shown(messages).count("word") == 40_000
    assert sum(message["text"].count("word") for message in messages) == 40_000
