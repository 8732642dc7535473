"""Setting the Telegram bot up: its webhook and command menu, and whether both are right."""

import asyncio
from typing import Any

import aiohttp

from guide.environment import SettingError
from guide.findings import LOOK, OK, WRONG, Finding
from guide.staff_commands import COMMANDS
from guide.staff_settings import TelegramSettings
from guide.telegram_api import SECONDS, TelegramApi, TelegramError

UPDATES = ["message", "callback_query"]
"""The kinds of updates that the channel reads; Telegram need not send the others."""
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
MANY_PENDING = 20
REGISTER = "`kap-guide telegram register`"


def menu() -> list[dict[str, str]]:
    """Return the bot's command menu."""
    return [{"command": name, "description": what} for name, what in COMMANDS.items()]


async def register(settings: TelegramSettings) -> str:
    """Tell Telegram where updates go, with the secret, and set the menu; return the address.

    Raises:
        SettingError: TELEGRAM_WEBHOOK_URL is missing or not https.
        TelegramError: Telegram refused it.
    """
    url = settings.webhook_url
    if url is None:
        raise SettingError("TELEGRAM_WEBHOOK_URL is not set; registering needs it")
    if not url.startswith("https://") or not url.endswith("/webhooks/telegram/webhook"):
        raise SettingError(
            "TELEGRAM_WEBHOOK_URL must be https://<your address>/webhooks/telegram/webhook"
        )
    api = TelegramApi(settings.bot_token, settings.api)
    await api.call("setWebhook", url=url, secret_token=settings.secret, allowed_updates=UPDATES)
    await api.call("setMyCommands", commands=menu())
    return url


async def remove(settings: TelegramSettings) -> None:
    """Tell Telegram to send updates no longer. Raises TelegramError when it refuses."""
    await TelegramApi(settings.bot_token, settings.api).call("deleteWebhook")


async def telegram_findings(settings: TelegramSettings) -> list[Finding]:
    """Return what was found about the bot, its webhook and the address it leads to."""
    api = TelegramApi(settings.bot_token, settings.api)
    part = "Telegram token"
    try:
        me = await api.call("getMe")
        info: dict[str, Any] = await api.call("getWebhookInfo")
        commands = await api.call("getMyCommands")
    except TelegramError as error:
        remedy = "copy TELEGRAM_BOT_TOKEN again" if error.code in (401, 404) else ""
        return [Finding(part, WRONG, f"Telegram says {error}", remedy)]
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        # The type alone: the text would hold the token.
        return [Finding(part, WRONG, f"Telegram cannot be reached ({type(error).__name__})")]
    found = [Finding(part, OK, f"the bot is @{me.get('username')}")]
    url = str(info.get("url") or "")
    if not url:
        return [*found, Finding("Telegram webhook", WRONG, "not registered", REGISTER)]
    registered = (
        (url == (settings.webhook_url or url), "TELEGRAM_WEBHOOK_URL is another address"),
        (set(info.get("allowed_updates") or ()) == set(UPDATES), "other kinds of updates are sent"),
        (commands == menu(), "the command menu is old"),
    )
    wrong = [problem for right, problem in registered if not right]
    found += [Finding("Telegram webhook", WRONG, problem, REGISTER) for problem in wrong]
    if not wrong:
        found.append(Finding("Telegram webhook", OK, url))
    if info.get("last_error_message"):
        what = f"the last delivery that failed: {info['last_error_message']}"
        found.append(Finding("Telegram webhook", LOOK, what))
    pending = int(info.get("pending_update_count") or 0)
    state = LOOK if pending > MANY_PENDING else OK
    found.append(Finding("Telegram webhook", state, f"{pending} updates wait"))
    return [*found, await _address(settings, url)]


async def _address(settings: TelegramSettings, url: str) -> Finding:
    part = "Telegram address"
    try:
        with_secret = await _post(url, {SECRET_HEADER: settings.secret})
        without = await _post(url, {})
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return Finding(part, WRONG, f"{url} cannot be reached ({type(error).__name__})")
    if with_secret == 401:
        return Finding(part, WRONG, "the server has another TELEGRAM_SECRET than this command")
    if with_secret != 200:
        remedy = "start the server with --with telegram"
        return Finding(part, WRONG, f"{url} answers {with_secret}", remedy)
    if without != 401:
        return Finding(part, WRONG, f"{url} takes updates without the secret")
    return Finding(part, OK, f"{url} answers, and takes nothing without the secret")


async def _post(url: str, headers: dict[str, str]) -> int:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.post(url, json={}, headers=headers) as answer,
    ):
        return answer.status
