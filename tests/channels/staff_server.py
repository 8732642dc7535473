"""A staff channel on a real server, over an agent that the test controls and a strict stand-in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from channels.slack import SlackChannel
from channels.telegram import TelegramChannel
from tests.channels import slack_fake, telegram_fake
from tests.channels.slack_fake import FakeSlack
from tests.channels.telegram_fake import FakeTelegram
from tests.channels.web_server import FakeAgent, running

Service = TypeVar("Service", FakeSlack, FakeTelegram)

KEYS = "w7PbEGAmRzRHj8Py9V9YVXaT4ZGmyhZ7wkTFy1Vdi1o="


def environment(data: Path, api: str) -> dict[str, str]:
    """Return the settings of both channels for the stand-ins at the address `api`."""
    return {
        "DATA_DIR": str(data),
        "STORE_KEYS": KEYS,
        "SLACK_BOT_TOKEN": slack_fake.TOKEN,
        "SLACK_SIGNING_SECRET": slack_fake.SIGNING_SECRET,
        "SLACK_TEAMS": slack_fake.TEAM,
        "SLACK_USERS": slack_fake.USER,
        "SLACK_API_URL": f"{api}/api/",
        "TELEGRAM_BOT_TOKEN": telegram_fake.TOKEN,
        "TELEGRAM_SECRET": telegram_fake.SECRET,
        "TELEGRAM_USERS": str(telegram_fake.STAFF),
        "TELEGRAM_API_URL": api,
        "TELEGRAM_WEBHOOK_URL": "https://kap.example/webhooks/telegram/webhook",
    }


@dataclass
class Staff(Generic[Service]):
    """A running staff channel: the service it talks to, its agent, and the channel itself."""

    service: Service
    agent: FakeAgent
    channel: Any

    async def until(self, holds: Callable[[], Any], seconds: float = 30.0) -> None:
        """Wait until something holds; fail when it does not."""
        for _ in range(int(seconds / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not come true")

    async def rest(self) -> None:
        """Wait until the channel has nothing to do."""
        await asyncio.sleep(0.02)
        await self.until(lambda: not self.channel.desk.is_busy())

    async def outcomes(self) -> dict[str, int]:
        """Return how the accepted messages ended."""
        found: dict[str, int] = await self.channel.desk.outcomes()
        return found


@asynccontextmanager
async def slack_channel(agent: FakeAgent, slack: FakeSlack) -> AsyncIterator[Staff[FakeSlack]]:
    """Run the Slack channel with the settings of the environment."""
    channel = SlackChannel.from_credentials(None)
    async with running(channel, agent) as (_, port):
        slack.app = f"http://127.0.0.1:{port}/webhooks/slack"
        yield Staff(slack, agent, channel)


@asynccontextmanager
async def telegram_channel(
    agent: FakeAgent, telegram: FakeTelegram
) -> AsyncIterator[Staff[FakeTelegram]]:
    """Run the Telegram channel with the settings of the environment."""
    channel = TelegramChannel.from_credentials(None)
    async with running(channel, agent) as (_, port):
        telegram.app = f"http://127.0.0.1:{port}/webhooks/telegram/webhook"
        yield Staff(telegram, agent, channel)
