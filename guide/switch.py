"""The switch: while it is off, every answer is the static notice.

It is a file in DATA_DIR, whatever it holds, and where several machines share a Redis a key there as
well. A file alone works when nothing else does; `touch var/off` is enough.
"""

import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import redis  # type: ignore[import-untyped]
import redis.asyncio  # type: ignore[import-untyped]
from redis.exceptions import RedisError  # type: ignore[import-untyped]

from guide.environment import data_folder, setting

logger = logging.getLogger(__name__)

FILE = "off"
KEY = "kap-guide:off"
ON = "on"
"""What the key holds while the assistant is on. A key that is gone (a new Redis) says nothing."""
LOOKED_UP_EVERY = 5.0
"""Seconds that an answer of Redis is good for: the other machines follow within this time."""
REDIS_SECONDS = 1.0


@dataclass(frozen=True)
class Off:
    """That the assistant is off: since when (ISO, UTC) and why. Both are for staff alone."""

    since: str
    reason: str


class Switch:
    """Looks at the switch and turns it."""

    def __init__(self, file: Path, redis_url: str | None) -> None:
        self._file = file
        self._redis_url = redis_url
        self._redis: Any = None
        self._shared = False  # what Redis said last
        self._look_again = 0.0

    @classmethod
    def from_environment(cls) -> "Switch":
        """Return the switch of this installation.

        Raises:
            SettingError: DATA_DIR cannot be made or a setting cannot be read.
        """
        return cls(data_folder() / FILE, setting("REDIS_URL"))

    async def is_off(self) -> bool:
        """Return whether the assistant is off. Without Redis, what it said last still counts."""
        try:
            if self._file.exists():
                return True
        except OSError as error:
            logger.error("the switch's file cannot be looked at: %s", type(error).__name__)
        if self._redis_url is None:
            return False
        if time.monotonic() >= self._look_again:
            self._look_again = time.monotonic() + LOOKED_UP_EVERY
            try:
                self._redis = self._redis or redis.asyncio.from_url(
                    self._redis_url,
                    decode_responses=True,
                    socket_timeout=REDIS_SECONDS,
                    socket_connect_timeout=REDIS_SECONDS,
                )
                found = await self._redis.get(KEY)
                if found is not None:
                    self._shared = found != ON
            except (RedisError, OSError) as error:
                logger.error("redis failed with %s; the switch stays", type(error).__name__)
        return self._shared

    def turn_off(self, reason: str) -> None:
        """Turn every answer into the notice. The file comes first: it does not depend on Redis.

        Raises:
            OSError: the file cannot be written.
            redis.RedisError: the file is written, but other machines cannot be told.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        text = json.dumps(asdict(Off(now, reason)))
        new = self._file.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, self._file)
        if self._redis_url is not None:
            with self._connected() as shared:
                shared.set(KEY, text)

    def turn_on(self) -> None:
        """Let the assistant answer again. Raises as `turn_off`."""
        if self._redis_url is not None:
            with self._connected() as shared:
                shared.set(KEY, ON)
        self._file.unlink(missing_ok=True)

    def state(self) -> Off | None:
        """Return since when and why the assistant is off, or None when it is on.

        Raises:
            redis.RedisError: Redis cannot be asked.
        """
        text: str | None = None
        if self._file.exists():
            text = self._file.read_text(encoding="utf-8", errors="replace")
        elif self._redis_url is not None:
            with self._connected() as shared:
                text = shared.get(KEY)
        return None if text in (None, ON) else _read(str(text))

    def _connected(self) -> Any:
        return redis.from_url(
            self._redis_url,
            decode_responses=True,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )


def _read(text: str) -> Off:
    """Return what a file or key says; one made by hand may say anything, or nothing."""
    try:
        found = json.loads(text)
        return Off(str(found["since"]), str(found["reason"]))
    except (ValueError, KeyError, TypeError):
        return Off("an unknown time", text.strip() or "no reason given")
