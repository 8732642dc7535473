"""What the channel keeps for a while: in this process, or in Redis for several processes."""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Awaitable, Callable, Dict, Optional, Protocol, Tuple

import redis.asyncio  # type: ignore[import-untyped]
from redis.exceptions import RedisError  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
REDIS_SECONDS = 2.0

# Whoever takes a turn says so this often; when it has not been heard of for the other time, its
# process has died, and the turn may be taken again.
RENEW_SECONDS = 2.0
LEASE_SECONDS = 8.0
# Nobody waits longer than this for another process.
TURN_SECONDS = 90
# How long the same message id gets the same answer.
ANSWER_SECONDS = 15 * 60


class Memory(Protocol):
    """Values by key, each forgotten after some seconds."""

    async def claim(self, key: str, value: str, seconds: float) -> Optional[str]:
        """Set the value unless there is one; return the one that was there."""

    async def put(self, key: str, value: str, seconds: float) -> None:
        """Set the value."""

    async def get(self, key: str) -> Optional[str]:
        """Return the value, or None."""

    async def drop(self, key: str) -> None:
        """Forget the value."""


class ProcessMemory:
    """Memory of this process alone; the oldest values go first when it is full."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, Tuple[str, float]] = OrderedDict()

    async def claim(self, key: str, value: str, seconds: float) -> Optional[str]:
        before = await self.get(key)
        if before is None:
            await self.put(key, value, seconds)
        return before

    async def put(self, key: str, value: str, seconds: float) -> None:
        self._values[key] = (value, time.monotonic() + seconds)
        self._values.move_to_end(key)
        if len(self._values) > REMEMBERED:
            self._values.popitem(last=False)

    async def get(self, key: str) -> Optional[str]:
        value, until = self._values.get(key, ("", 0.0))
        return value if until > time.monotonic() else None

    async def drop(self, key: str) -> None:
        self._values.pop(key, None)


class RedisMemory:
    """Memory that processes share. Without Redis each goes on alone: an answer matters more."""

    def __init__(self, url: str) -> None:
        self._redis: Any = redis.asyncio.from_url(
            url,
            decode_responses=True,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        self._alone = ProcessMemory()

    async def claim(self, key: str, value: str, seconds: float) -> Optional[str]:
        async def shared() -> Optional[str]:
            milliseconds = int(seconds * 1000)
            if await self._redis.set(_name(key), value, nx=True, px=milliseconds):
                return None
            found: Optional[str] = await self._redis.get(_name(key))
            return found

        found: Optional[str] = await self._try(
            shared, lambda: self._alone.claim(key, value, seconds)
        )
        return found

    async def put(self, key: str, value: str, seconds: float) -> None:
        async def shared() -> None:
            await self._redis.set(_name(key), value, px=int(seconds * 1000))

        await self._try(shared, lambda: self._alone.put(key, value, seconds))

    async def get(self, key: str) -> Optional[str]:
        async def shared() -> Optional[str]:
            found: Optional[str] = await self._redis.get(_name(key))
            return found

        found: Optional[str] = await self._try(shared, lambda: self._alone.get(key))
        return found

    async def drop(self, key: str) -> None:
        async def shared() -> None:
            await self._redis.delete(_name(key))

        await self._try(shared, lambda: self._alone.drop(key))

    async def _try(
        self, shared: Callable[[], Awaitable[Any]], alone: Callable[[], Awaitable[Any]]
    ) -> Any:
        try:
            return await shared()
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            logger.error("redis failed with %s; going on without it", type(error).__name__)
            return await alone()


def _name(key: str) -> str:
    return f"kap-web:{key}"


def memory(redis_url: Optional[str]) -> Memory:
    """Return shared memory if there is a Redis, else that of this process."""
    return RedisMemory(redis_url) if redis_url else ProcessMemory()


@dataclass(frozen=True)
class Outcome:
    """What a request is answered with: an HTTP status and a JSON body."""

    status: int
    body: Dict[str, Any]


Take = Callable[[bool], Awaitable[Outcome]]


class IdReusedError(Exception):
    """A message id came again with another message."""


class LostTurnError(Exception):
    """Another process took the turn and has not answered in time."""


class Ledger:
    """Answers each message id once; the same id again gets the same answer.

    A turn runs in a task of its own, so it is finished and kept even when the visitor's connection
    breaks; the widget then asks again with the same id.
    """

    def __init__(self, kept: Memory) -> None:
        self._kept = kept
        self._running: Dict[str, Tuple[str, asyncio.Task[Outcome]]] = {}

    async def once(self, key: str, digest: str, take: Take) -> Outcome:
        """Return the outcome of `take`, or the one that `key` had before.

        Args:
            key: who sent it and its id.
            digest: stands for the message, to tell whether it is the same.
            take: takes the turn; is told whether an earlier attempt was begun and has failed, of
                which something may be stored. Outcomes of 500 and above are not kept, so that a
                retry works.

        Raises:
            IdReusedError: the digest is another one than before.
            LostTurnError: another process began the turn and did not finish it.
        """
        if key in self._running:
            before, task = self._running[key]
            if before != digest:
                raise IdReusedError
        else:
            task = asyncio.create_task(self._once(key, digest, take))
            self._running[key] = (digest, task)
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)

    def _done(self, key: str, task: "asyncio.Task[Outcome]") -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # taken note of, for the case that nobody waits any more

    async def _once(self, key: str, digest: str, take: Take) -> Outcome:
        deadline = time.monotonic() + TURN_SECONDS
        while True:
            before = await self._kept.claim(key, _begun(digest), ANSWER_SECONDS)
            if before is None:
                return await self._take(key, digest, take, again=False)
            entry = json.loads(before)
            if entry["digest"] != digest:
                raise IdReusedError
            if "outcome" in entry:
                return Outcome(**entry["outcome"])
            if entry["until"] < time.time():
                return await self._take(key, digest, take, again=True)
            if time.monotonic() > deadline:
                raise LostTurnError
            await asyncio.sleep(0.1)

    async def _take(self, key: str, digest: str, take: Take, again: bool) -> Outcome:
        entry: Dict[str, Any] = {"digest": digest, "until": 0.0}  # what a failure leaves
        if again:
            await self._kept.put(key, _begun(digest), ANSWER_SECONDS)
        ended = asyncio.Event()
        renewing = asyncio.create_task(self._renew(key, digest, ended))
        try:
            outcome = await take(again)
            if outcome.status < 500:
                entry = {"digest": digest, "outcome": asdict(outcome)}
            return outcome
        finally:
            ended.set()
            await renewing
            await self._kept.put(key, json.dumps(entry), ANSWER_SECONDS)

    async def _renew(self, key: str, digest: str, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), RENEW_SECONDS)
                return
            await self._kept.put(key, _begun(digest), ANSWER_SECONDS)


def _begun(digest: str) -> str:
    return json.dumps({"digest": digest, "until": time.time() + LEASE_SECONDS})
