"""Sending one message to a service that may be busy, away, or unwilling."""

import asyncio
import logging
from typing import Awaitable, Callable, Optional

import aiohttp

logger = logging.getLogger(__name__)

ATTEMPTS = 5
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class TryAgainError(Exception):
    """The service did not take the message now. `after` is how many seconds it asks to wait."""

    def __init__(self, reason: str, after: Optional[float] = None) -> None:
        super().__init__(reason)
        self.after = after


class UndeliverableError(Exception):
    """The service will never take this message; the reason is a word or number of its own."""


async def deliver(send: Callable[[], Awaitable[None]]) -> None:
    """Run `send` until it succeeds, with growing pauses or the pause that the service asks for.

    Raises:
        UndeliverableError: trying again is of no use.
        TryAgainError: it did not succeed now; the service may work later.
    """
    pause = FIRST_PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await send()
            return
        except (TryAgainError, aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            after = getattr(error, "after", None)
            wanted = pause if after is None else after
            logger.warning("sending failed with %s (attempt %d)", _reason(error), attempt)
            if attempt == ATTEMPTS or wanted > LONGEST_PAUSE:
                raise TryAgainError(_reason(error), after) from error
            await asyncio.sleep(wanted)
            pause *= 2


def _reason(error: BaseException) -> str:
    # Never the text of a network error: it holds the address, and Telegram's holds the token.
    return str(error) if isinstance(error, TryAgainError) else type(error).__name__
