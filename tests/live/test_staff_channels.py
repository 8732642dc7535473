"""Slack and Telegram on the real assistant: rendering, and what a killed process leaves behind."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from guide.servers import Running, running
from tests.channels.slack_fake import USER, FakeSlack, fake_slack
from tests.channels.staff_server import environment
from tests.channels.telegram_fake import FakeTelegram, fake_telegram

BLADDER = "can ketamine hurt my bladder?"


@asynccontextmanager
async def serving(slack: FakeSlack, telegram: FakeTelegram) -> AsyncIterator[Running]:
    """Run the assistant with both channels; what is kept stays for the next start."""
    servers = running(kept=True, staff=("slack", "telegram"))
    both = await asyncio.to_thread(servers.__enter__)
    slack.app = f"{both.assistant.url}/webhooks/slack"
    telegram.app = f"{both.assistant.url}/webhooks/telegram/webhook"
    try:
        yield both
    finally:
        await asyncio.to_thread(servers.__exit__, None, None, None)


@pytest.fixture
async def services(
    trained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[FakeSlack, FakeTelegram]]:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(fake_slack())
        telegram = await stack.enter_async_context(fake_telegram())
        for name, value in environment(tmp_path / "data", slack.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TELEGRAM_API_URL", telegram.url)
        yield slack, telegram


async def until(holds: Any, seconds: float = 40) -> None:
    for _ in range(int(seconds / 0.1)):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come true")


async def test_a_staff_conversation_in_both_channels(
    services: tuple[FakeSlack, FakeTelegram],
) -> None:
    slack, telegram = services
    async with serving(slack, telegram) as both:
        await slack.deliver(slack.direct(BLADDER))
        await until(lambda: len(slack.messages) == 2)
        shown = json.dumps(slack.messages[1]["blocks"])
        assert "no clinician has approved" in shown
        assert "Topic: bladder" in shown
        assert slack.messages[1]["blocks"][0]["text"]["text"].startswith("*")
        (more,) = slack.buttons("Tell me more")
        await slack.press(more)
        await until(lambda: len(slack.messages) == 3)
        assert "You chose: Tell me more" in slack.messages[2]["text"]
        await slack.command("ask is it addictive?")
        await until(lambda: len(slack.responses) == 2)

        await telegram.deliver(telegram.message(BLADDER))
        await until(lambda: len(telegram.sent) == 2)
        assert "Sources:" in telegram.sent[1]["text"]
        assert "no clinician has approved" in telegram.sent[1]["text"]
        await telegram.deliver(telegram.message("i want to kill myself"))
        await until(lambda: len(telegram.sent) == 3)
        assert telegram.sent[2]["text"].startswith("🆘")
        assert "988" in telegram.sent[2]["text"]

        sent = len(slack.messages)
        await slack.deliver(slack.direct("jo.quixandra@example.org wants it, dob 04/05/1985"))
        await until(lambda: len(slack.messages) == sent + 1)
        assert "have not kept" in slack.messages[-1]["text"]
        for server in (both.rasa, both.actions):
            log = server.log.read_text(encoding="utf-8", errors="replace")
            assert "quixandra" not in log
            assert "bladder?" not in log
        # Ended politely, it first finishes what is under way.
        sent = len(slack.messages)
        slack.faults = [500, 500]
        assert await slack.deliver(slack.direct("is it addictive?")) == [200]
        await asyncio.to_thread(both.rasa.stop)
    assert len(slack.messages) == sent + 1


async def test_kill_and_restart_between_delivery_and_reply(
    services: tuple[FakeSlack, FakeTelegram],
) -> None:
    slack, telegram = services
    asked, update = slack.direct(BLADDER), telegram.message(BLADDER)
    async with serving(slack, telegram) as both:
        # The action server stands still, so both turns are under way when the process is killed.
        os.kill(both.actions.process.pid, signal.SIGSTOP)
        assert await slack.deliver(asked) == [200]
        assert await telegram.deliver(update) == [200]
        await asyncio.sleep(1)
        both.rasa.process.kill()
        both.rasa.process.wait()
        os.kill(both.actions.process.pid, signal.SIGCONT)
    assert (slack.messages, telegram.sent) == ([], [])
    # While nobody answers, both services try again, and find the message known afterwards.
    assert await slack.deliver(slack.direct("lost?"), attempts=1) == [0]
    async with serving(slack, telegram) as both:
        assert await slack.deliver(asked) == [200]
        assert await telegram.deliver(update) == [200]
        await until(lambda: len(slack.messages) == 2 and len(telegram.sent) == 2)
        await asyncio.sleep(6)  # longer than the watch needs to find something left
        assert len(slack.messages) == 2
        assert len(telegram.sent) == 2
        assert "Topic: bladder" in slack.messages[1]["text"]
        assert "Topic: bladder" in telegram.sent[1]["text"]
        log = both.rasa.log.read_text(encoding="utf-8", errors="replace")
        assert log.count("taking up a message that was left unanswered") == 2
        assert USER not in log
        # Killed once more, now in the middle of sending.
        slack.faults = ["hold"]
        calls = slack.calls
        assert await slack.deliver(slack.direct("is it addictive?")) == [200]
        await until(lambda: slack.calls == calls + 1)
        both.rasa.process.kill()
        both.rasa.process.wait()
    assert len(slack.messages) == 2
    async with serving(slack, telegram):
        await until(lambda: len(slack.messages) == 3)
        await asyncio.sleep(6)
        assert len(slack.messages) == 3
        assert "interrupted while it was sending" in slack.messages[2]["text"]
