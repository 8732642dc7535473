"""`kap-guide slack` and `kap-guide telegram`: setting the staff channels up."""

import asyncio
from typing import Any, Coroutine, Optional

import aiohttp
import typer
from rich.console import Console

from guide.command.common import fail
from guide.command.findings import show_findings
from guide.environment import SettingError
from guide.slack_doctor import slack_findings
from guide.staff_settings import SlackSettings, TelegramSettings
from guide.telegram_api import TelegramError
from guide.telegram_setup import register as register_webhook
from guide.telegram_setup import remove as remove_webhook
from guide.telegram_setup import telegram_findings

slack = typer.Typer(help="The Slack channel for staff (docs/staff.md).", no_args_is_help=True)
telegram = typer.Typer(help="The Telegram channel for staff (docs/staff.md).", no_args_is_help=True)


@slack.callback()
def _slack() -> None:
    """Keeps `doctor` a sub-command."""


@slack.command()
def doctor(
    address: Optional[str] = typer.Option(
        None, help="address of the running server as Slack reaches it, https://kap.example"
    ),
) -> None:
    """Say what is missing: token, scopes, workspace, secret, address."""
    try:
        settings = SlackSettings.load()
    except SettingError as error:
        fail(str(error))
    show_findings(slack_findings(settings, address))


@telegram.command()
def register() -> None:
    """Tell Telegram where to send updates, and set the bot's command menu."""
    url = _run(register_webhook(_telegram_settings()))
    Console().print(f"[green]registered[/] {url}", highlight=False)


@telegram.command()
def remove() -> None:
    """Tell Telegram to send updates no longer; the bot falls silent."""
    _run(remove_webhook(_telegram_settings()))
    Console().print("[green]removed[/]; updates wait at Telegram for a day")


@telegram.command()
def status() -> None:
    """Say whether token, webhook, menu and address are as they should be."""

    show_findings(_run(telegram_findings(_telegram_settings())))


def _telegram_settings() -> TelegramSettings:
    try:
        return TelegramSettings.load()
    except SettingError as error:
        fail(str(error))


def _run(work: "Coroutine[Any, Any, Any]") -> Any:
    try:
        return asyncio.run(work)
    except (SettingError, TelegramError) as error:
        fail(str(error))
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        # The type alone: the text would hold the token.
        fail(f"Telegram cannot be reached ({type(error).__name__})")
