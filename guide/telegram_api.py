"""A client of Telegram's Bot API: one method, and errors without the token in them."""

from typing import Any

import aiohttp

SECONDS = 15.0
MAX_TEXT = 4096
"""Characters of a message, counted as UTF-16 code units."""


class TelegramError(Exception):
    """Telegram refused a call.

    Attributes:
        code: its error code, such as 403 when the person has blocked the bot.
        retry_after: seconds to wait, when there were too many calls.
        description: its reason in words.
    """

    def __init__(self, code: int, description: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code} {description}".strip())
        self.code = code
        self.description = description
        self.retry_after = retry_after


class TelegramApi:
    """Calls methods of the Bot API. A session lives no longer than a call, so no loop owns it."""

    def __init__(self, token: str, api: str) -> None:
        self._base = f"{api.rstrip('/')}/bot{token}/"

    async def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a method.

        Raises:
            TelegramError: Telegram refused it.
            aiohttp.ClientError, asyncio.TimeoutError: it could not be reached. Their texts hold the
                address and so the token: never show them.
        """
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self._base + method, json=parameters) as answer,
        ):
            try:
                data = await answer.json()
            except (aiohttp.ContentTypeError, ValueError):
                raise TelegramError(answer.status, "no JSON") from None
        if not isinstance(data, dict) or not data.get("ok"):
            raise _error(answer.status, data)
        return data.get("result")


def _error(status: int, data: Any) -> TelegramError:
    fields = data if isinstance(data, dict) else {}
    after = (fields.get("parameters") or {}).get("retry_after")
    return TelegramError(
        int(fields.get("error_code") or status),
        str(fields.get("description") or ""),
        None if after is None else float(after),
    )
