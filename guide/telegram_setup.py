"""Setting the Telegram bot up: its webhook and command menu, and whether both are right."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from guide.environment import SettingError
from guide.findings import Finding
from guide.staff_commands import COMMANDS
from guide.staff_settings import TelegramSettings
from guide.telegram_api import TelegramApi, TelegramError

UPDATES = ["message", "callback_query"]
"""The kinds of updates that the channel reads; Telegram need not send the others."""
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
MANY_PENDING = 20


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


async def telegram_findings(settings: TelegramSettings) -> AsyncIterator[Finding]:
    """Yield what was found about the bot and its webhook."""
    api = TelegramApi(settings.bot_token, settings.api)
    try:
        me = await api.call("getMe")
        info: dict[str, Any] = await api.call("getWebhookInfo")
        commands = await api.call("getMyCommands")
    except TelegramError as error:
        remedy = "copy TELEGRAM_BOT_TOKEN again" if error.code == 401 else "try again later"
        yield Finding("token", f"Telegram says {error}; {remedy}")
        return
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        yield Finding("token", f"Telegram cannot be reached ({type(error).__name__})")
        return
    yield Finding(f"token: the bot is @{me.get('username')}")
    registered = info.get("url") or ""
    if not registered:
        yield Finding("webhook", "not registered; run `kap-guide telegram register`")
        return
    other = settings.webhook_url is not None and registered != settings.webhook_url
    yield Finding(
        f"webhook {registered}",
        "TELEGRAM_WEBHOOK_URL is another; run `kap-guide telegram register`" if other else None,
    )
    updates = set(info.get("allowed_updates") or []) == set(UPDATES)
    yield Finding("updates", None if updates else "other kinds; run `kap-guide telegram register`")
    same = commands == menu()
    yield Finding("command menu", None if same else "is old; run `kap-guide telegram register`")
    if info.get("last_error_message"):
        yield Finding("last delivery", f"failed: {info['last_error_message']}")
    pending = int(info.get("pending_update_count") or 0)
    yield Finding(
        f"{pending} updates wait", "the server is slow or away" if pending > MANY_PENDING else None
    )
    yield await _address(settings, registered)


async def _address(settings: TelegramSettings, url: str) -> Finding:
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            async with http.post(url, json={}, headers={SECRET_HEADER: settings.secret}) as answer:
                with_secret = answer.status
            async with http.post(url, json={}) as answer:
                without = answer.status
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        return Finding(f"address {url}", f"cannot be reached ({type(error).__name__})")
    if with_secret == 401:
        problem = "the server has another TELEGRAM_SECRET than this command"
    elif with_secret != 200:
        problem = f"answers {with_secret}; is the server started with --with telegram?"
    elif without != 401:
        problem = "takes updates without the secret; something else answers there"
    else:
        problem = ""
    return Finding(f"address {url}", problem or None)
