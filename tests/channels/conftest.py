"""What the tests of the channels share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from channels import delivery
from guide.forgetting import forgetting
from tests.channels.slack_fake import FakeSlack, fake_slack
from tests.channels.staff_server import Staff, environment, slack_channel, telegram_channel
from tests.channels.telegram_fake import FakeTelegram, fake_telegram
from tests.channels.web_server import FakeAgent, WebServer, serving


@pytest_asyncio.fixture
async def web() -> AsyncIterator[WebServer]:
    """A running channel with its usual settings."""
    async with serving() as server:
        yield server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts to send."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.01)


@pytest.fixture
def own_data() -> Iterator[None]:
    """Let nothing be remembered of another test's folder."""
    forgetting.cache_clear()
    yield
    forgetting.cache_clear()


@pytest_asyncio.fixture
async def slack(
    own_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> AsyncIterator[FakeSlack]:
    """A stand-in for Slack; the environment leads to it."""
    async with fake_slack() as service:
        for name, value in environment(tmp_path / "data", service.url).items():
            monkeypatch.setenv(name, value)
        yield service


@pytest_asyncio.fixture
async def telegram(
    own_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> AsyncIterator[FakeTelegram]:
    """A stand-in for Telegram; the environment leads to it."""
    async with fake_telegram() as service:
        for name, value in environment(tmp_path / "data", service.url).items():
            monkeypatch.setenv(name, value)
        yield service


@pytest_asyncio.fixture
async def on_slack(slack: FakeSlack) -> AsyncIterator[Staff[FakeSlack]]:
    """A running Slack channel."""
    async with slack_channel(FakeAgent(), slack) as staff:
        yield staff


@pytest_asyncio.fixture
async def on_telegram(telegram: FakeTelegram) -> AsyncIterator[Staff[FakeTelegram]]:
    """A running Telegram channel."""
    async with telegram_channel(FakeAgent(), telegram) as staff:
        yield staff
