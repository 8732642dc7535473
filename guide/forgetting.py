"""Forgetting: one conversation because somebody asks, or all that have been idle for long.

Everything that is kept of a conversation goes, wherever it is, and is looked for afterwards.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import redis.asyncio  # type: ignore[import-untyped]

from guide.conversations import ConversationStore, Turn, conversation_store
from guide.environment import number, setting
from guide.gaps import LINE_KINDS, RETENTION_DAYS, GapStore, gap_store
from guide.keeping import USER
from guide.locks import Locks, locks

DAY = 86400.0
REDIS_SECONDS = 2.0


class NotForgottenError(Exception):
    """Something of a conversation was still there after it was deleted."""


@dataclass(frozen=True)
class Forgotten:
    """What was deleted: how many turns, lines of the gap store, and entries in Redis."""

    turns: int
    gap_lines: int
    shared: int


@dataclass(frozen=True)
class Purged:
    """What was too old: how many conversations and lines of the gap store."""

    conversations: int
    gap_lines: int


class Forgetting:
    """Deletes conversations wherever they are kept.

    Every method raises when a store or lock fails: whoever asked must not believe that it is done.
    """

    def __init__(
        self,
        conversations: ConversationStore,
        gaps: GapStore,
        locks: Locks,
        redis_url: str | None = None,
    ) -> None:
        self._conversations = conversations
        self._gaps = gaps
        self._locks = locks
        self._redis_url = redis_url

    async def forget(self, conversation: str) -> Forgotten:
        """Delete a conversation everywhere, under its lock, and look for it afterwards.

        Raises:
            NotForgottenError: it is still there.
            guide.locks.LockError, sqlalchemy.exc.SQLAlchemyError, redis.exceptions.RedisError:
                the lock or a store failed; the same call can be made again.
        """
        async with self._locks.hold(conversation):
            head = await asyncio.to_thread(self._conversations.head, conversation)
            turns = await asyncio.to_thread(self._conversations.turns, head) if head else []
            # The conversation last: should anything fail, what is needed to try again is there.
            lines = await asyncio.to_thread(self._withdraw, turns)
            shared = await self._clear_redis(conversation)
            await asyncio.to_thread(self._conversations.delete, conversation)
            await asyncio.to_thread(self._verify, conversation, turns)
        return Forgotten(len(turns), lines, shared)

    async def purge(self, days: float) -> Purged:
        """Delete conversations in which nothing was said for so many days, and lines as old.

        Raises:
            As `forget`.
        """
        before = time.time() - days * DAY
        deleted = 0
        for conversation in await asyncio.to_thread(self._conversations.idle, before):
            async with self._locks.hold(conversation):
                # Somebody may have gone on with it in the meantime.
                deleted += await asyncio.to_thread(self._conversations.delete, conversation, before)
        oldest = date.today() - timedelta(days=int(days))
        return Purged(deleted, await asyncio.to_thread(self._gaps.purge, oldest))

    def _withdraw(self, turns: list[Turn]) -> int:
        said = list(_said(turns))
        if not said:
            return 0
        first = datetime.fromtimestamp(min(when for when, _ in said)).date()
        return self._gaps.withdraw(first, LINE_KINDS, [text for _, text in said])

    def _verify(self, conversation: str, turns: list[Turn]) -> None:
        if self._conversations.head(conversation) or self._conversations.orphans():
            raise NotForgottenError("the conversation is still in the database")
        if self._withdraw(turns):
            raise NotForgottenError("lines of it were still in the gap store")

    async def _clear_redis(self, conversation: str) -> int:
        """Delete what processes share of a conversation for a while: answers to repeated messages.

        That a session of the website has ended is remembered on: its tokens must stay useless.
        """
        if self._redis_url is None:
            return 0
        shared: Any = redis.asyncio.from_url(
            self._redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        try:
            session = conversation.partition(":")[2]
            keys = [key async for key in shared.scan_iter(f"kap-web:turn:{_literal(session)}:*")]
            return int(await shared.delete(*keys)) if keys else 0
        finally:
            await shared.close()


def _said(turns: list[Turn]) -> Iterator[tuple[float, str]]:
    """Yield what the person typed, as it was kept, with its time."""
    for turn in turns:
        for event in turn["events"]:
            if event.get("event") == USER and event.get("text"):
                yield event["timestamp"], event["text"]


def _literal(text: str) -> str:
    """Return a pattern of Redis that matches this text alone."""
    return "".join(f"\\{character}" if character in "*?[]\\" else character for character in text)


@lru_cache(maxsize=1)
def forgetting() -> Forgetting:
    """Return the deletion for the stores that the environment names.

    Raises:
        guide.environment.SettingError: a setting is wrong.
    """
    return Forgetting(conversation_store(), gap_store(), locks(), setting("REDIS_URL"))


def retention_days() -> float:
    """Return how many days an idle conversation is kept (RETENTION_DAYS).

    Raises:
        guide.environment.SettingError: it is no number.
    """
    return number("RETENTION_DAYS", RETENTION_DAYS)
