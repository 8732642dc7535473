"""How much one visitor and one address may ask."""

import asyncio
import logging
import math
import time
from typing import Any, List, Optional

import limits
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from channels.web_memory import REDIS_SECONDS

logger = logging.getLogger(__name__)


class RateLimits:
    """Counts requests in moving windows, in Redis when there is one.

    Without Redis each process counts for itself, because nobody may be turned away for its sake.
    """

    def __init__(self, redis_url: Optional[str]) -> None:
        # The storages are kept here because a limiter holds its own only weakly.
        self._memory = MemoryStorage()
        self._alone = MovingWindowRateLimiter(self._memory)
        self._redis: Optional[RedisStorage] = None
        self._redis_url = redis_url

    async def wait(self, rules: str, kind: str, who: str) -> int:
        """Count one request; return 0, or the seconds to wait when there were too many.

        Args:
            rules: such as `20/minute; 300/hour`.
            kind: what is counted.
            who: the visitor or the address.
        """
        parsed = limits.parse_many(rules)
        if self._redis_url is None:
            return _wait(self._alone, parsed, kind, who)
        try:
            return await asyncio.to_thread(lambda: _wait(self._limiter(), parsed, kind, who))
        except Exception as error:  # redis may be absent, slow or full: all the same here
            logger.error("redis failed with %s; limits go on without it", type(error).__name__)
            return _wait(self._alone, parsed, kind, who)

    def _limiter(self) -> MovingWindowRateLimiter:
        """Return the shared limiter; Redis is reached at first use, not when the server starts."""
        if self._redis is None:
            timeouts = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
            self._redis = RedisStorage(str(self._redis_url), **timeouts)
        return MovingWindowRateLimiter(self._redis)


def _wait(limiter: MovingWindowRateLimiter, rules: List[Any], kind: str, who: str) -> int:
    for rule in rules:
        if not limiter.hit(rule, kind, who):
            reset = limiter.get_window_stats(rule, kind, who)[0]
            return max(1, math.ceil(reset - time.time()))
    return 0
