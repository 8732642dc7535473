"""What the Slack and the Telegram channel need from the environment; docs/staff.md explains it."""

import re
from dataclasses import dataclass, field

from guide.environment import SettingError, require, setting

EVERYBODY = "*"
SLACK_API = "https://slack.com/api/"
TELEGRAM_API = "https://api.telegram.org"

_TELEGRAM_TOKEN = re.compile(r"(\d+):[\w-]{20,}")
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


@dataclass(frozen=True)
class SlackSettings:
    """Settings of the Slack channel.

    Attributes:
        bot_token: begins with `xoxb-`.
        signing_secret: proves that a request comes from Slack; button ids are made with it too.
        teams: ids of the workspaces that are served.
        users: ids of the members who may ask; `*` stands for everybody in these workspaces.
        api: address of Slack's Web API, with a slash at its end.
    """

    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    teams: frozenset[str]
    users: frozenset[str]
    api: str = SLACK_API

    @classmethod
    def load(cls) -> "SlackSettings":
        """Return the settings of this process.

        Raises:
            SettingError: a setting is missing or wrong.
        """
        token = require("SLACK_BOT_TOKEN", "the Slack channel")
        if not token.startswith("xoxb-"):
            raise SettingError(
                "SLACK_BOT_TOKEN does not begin with xoxb-; take the Bot User OAuth Token"
            )
        return cls(
            bot_token=token,
            signing_secret=require("SLACK_SIGNING_SECRET", "the Slack channel"),
            teams=_ids("SLACK_TEAMS", "the Slack channel", re.compile(r"[TE][A-Z0-9]+")),
            users=_ids("SLACK_USERS", "the Slack channel", re.compile(r"[UW][A-Z0-9]+|\*")),
            api=str(setting("SLACK_API_URL", SLACK_API)),
        )

    def admits(self, user: str) -> bool:
        """Return whether this member of an admitted workspace may ask."""
        return EVERYBODY in self.users or user in self.users


@dataclass(frozen=True)
class TelegramSettings:
    """Settings of the Telegram channel.

    Attributes:
        bot_token: as BotFather gives it, `<id of the bot>:<secret>`.
        secret: comes with every update in a header; button ids are made with it too.
        users: ids of the people who may ask.
        api: address of the Bot API, without a slash at its end.
        webhook_url: where Telegram shall send updates; only registering needs it.
    """

    bot_token: str = field(repr=False)
    secret: str = field(repr=False)
    users: frozenset[str]
    api: str = TELEGRAM_API
    webhook_url: str | None = None

    @classmethod
    def load(cls) -> "TelegramSettings":
        """Return the settings of this process.

        Raises:
            SettingError: a setting is missing or wrong.
        """
        token = require("TELEGRAM_BOT_TOKEN", "the Telegram channel")
        if not _TELEGRAM_TOKEN.fullmatch(token):
            raise SettingError(
                "TELEGRAM_BOT_TOKEN is not of the form 123456:ABC...; BotFather shows it"
            )
        secret = require("TELEGRAM_SECRET", "the Telegram channel")
        if not _TELEGRAM_SECRET.fullmatch(secret):
            raise SettingError(
                "TELEGRAM_SECRET must be 16 to 256 letters, digits, _ or -, "
                "for example from `openssl rand -hex 32`"
            )
        return cls(
            bot_token=token,
            secret=secret,
            users=_ids("TELEGRAM_USERS", "the Telegram channel", re.compile(r"\d+")),
            api=str(setting("TELEGRAM_API_URL", TELEGRAM_API)),
            webhook_url=setting("TELEGRAM_WEBHOOK_URL"),
        )

    @property
    def bot(self) -> str:
        """The id of the bot, the public part of its token."""
        return self.bot_token.partition(":")[0]

    def admits(self, user: str) -> bool:
        """Return whether this person may ask."""
        return user in self.users


def _ids(name: str, what_for: str, form: re.Pattern[str]) -> frozenset[str]:
    found = [part.strip() for part in require(name, what_for).split(",") if part.strip()]
    for given in found:
        if not form.fullmatch(given):
            raise SettingError(f"{name}: {given!r} is no id; docs/staff.md says where to find it")
    return frozenset(found)
