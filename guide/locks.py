"""One turn at a time in a conversation, in the order of arrival, over processes and machines.

A wait ends after WAIT_SECONDS at the latest. Should a lock be lost all the same (a machine that
stood still, a Redis that lost its memory), the conversation store refuses the second writer.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import lru_cache
from typing import Any, Protocol

import redis.asyncio  # type: ignore[import-untyped]
from redis.exceptions import RedisError  # type: ignore[import-untyped]
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from guide.environment import given_database, setting

logger = logging.getLogger(__name__)

WAIT_SECONDS = 20.0

ALIVE_SECONDS = 6.0
"""How long after its last sign of life a process loses its place."""
RENEW_SECONDS = 2.0
POLL_SECONDS = 0.01

CONNECTIONS = 20
"""How many locks of PostgreSQL one process holds or waits for at once; more wait their turn."""


class LockError(Exception):
    """The lock could not be had in time, or what keeps it does not answer."""


class Locks(Protocol):
    """Locks by name."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock `name`.

        Raises:
            LockError: it could not be had.
        """


class ProcessLocks:
    """Locks of this process alone."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS) -> None:
        self._wait = wait_seconds
        # Each lock with the number of those who hold it or wait for it.
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(name) or (asyncio.Lock(), 0)
        self._locks[name] = (lock, users + 1)
        try:
            try:
                await asyncio.wait_for(lock.acquire(), self._wait)
            except asyncio.TimeoutError as error:
                raise LockError("the conversation is busy") from error
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)


# Shows that a place in the queue is still wanted, and takes one if that is asked; tells whether it
# is the first. KEYS: places by arrival, places by the time until which they count. ARGV: place,
# milliseconds, "join" or "stay".
_STEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
    redis.call('ZREM', KEYS[1], gone)
    redis.call('ZREM', KEYS[2], gone)
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    if ARGV[3] ~= 'join' then
        return false
    end
    local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
    redis.call('ZADD', KEYS[1], (last[2] or 0) + 1, ARGV[1])
end
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] == ARGV[1]
"""


class RedisLocks:
    """Locks in Redis: a queue for each, in which every place needs a sign of life now and then.

    redis-py's own lock is not used because whoever happens to look first gets it, and a person's
    second message could overtake the first.
    """

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self._redis: Any = redis.asyncio.from_url(
            url, socket_timeout=RENEW_SECONDS, socket_connect_timeout=RENEW_SECONDS
        )
        self._step_script: Any = self._redis.register_script(_STEP)
        self._wait = wait_seconds

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        # The name can point to a person; Redis need not know it.
        digest = hashlib.sha256(name.encode()).hexdigest()
        keys = [f"kap-lock:{{{digest}}}:{part}" for part in ("queue", "alive")]
        place = secrets.token_hex(16)
        given_back = asyncio.Event()
        try:
            await self._queue_up(keys, place)
            renewing = asyncio.create_task(self._renew(keys, place, given_back))
            try:
                yield
            finally:
                given_back.set()
                await asyncio.shield(renewing)
        finally:
            await asyncio.shield(self._leave(keys, place))

    async def _queue_up(self, keys: list[str], place: str) -> None:
        deadline = time.monotonic() + self._wait
        try:
            while not await self._step(keys, place, "join"):
                if time.monotonic() > deadline:
                    raise LockError("the conversation is busy")
                await asyncio.sleep(POLL_SECONDS)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            raise LockError(f"no lock: {type(error).__name__}") from error

    async def _step(self, keys: list[str], place: str, how: str) -> bool:
        milliseconds = int(ALIVE_SECONDS * 1000)
        step = asyncio.ensure_future(self._step_script(keys=keys, args=[place, milliseconds, how]))
        try:
            return bool(await asyncio.shield(step))
        except asyncio.CancelledError:
            # redis-py can swallow a cancel; so the step ends first, and then the cancel counts.
            await asyncio.wait([step])
            raise

    async def _renew(self, keys: list[str], place: str, given_back: asyncio.Event) -> None:
        # Not ended by cancelling, which redis-py can swallow.
        while not given_back.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(given_back.wait(), RENEW_SECONDS)
                return
            with suppress(RedisError, OSError, asyncio.TimeoutError):
                await self._step(keys, place, "stay")

    async def _leave(self, keys: list[str], place: str) -> None:
        try:
            async with self._redis.pipeline() as pipeline:
                await pipeline.zrem(keys[0], place).zrem(keys[1], place).execute()
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            # Whoever waits gets the lock when the sign of life is missing.
            logger.warning("a lock was not given back: %s", type(error).__name__)


class PostgresLocks:
    """Advisory locks in PostgreSQL, which keeps the order; they end with their transaction."""

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        milliseconds = int(wait_seconds * 1000)
        self._engine = create_engine(
            url,
            connect_args={
                "connect_timeout": 5,
                "options": f"-c lock_timeout={milliseconds}",
                "tcp_user_timeout": milliseconds,
            },
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=wait_seconds,
        )
        # Threads of our own, since they wait: those that work on conversations must stay free.
        self._threads = ThreadPoolExecutor(CONNECTIONS, "lock")
        self._wait = wait_seconds

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        taking = loop.run_in_executor(self._threads, self._take, name)
        try:
            connection = await asyncio.wait_for(asyncio.shield(taking), self._wait)
        except SQLAlchemyError as error:
            raise LockError(f"no lock: {type(error).__name__}") from error
        except BaseException as error:
            # It may still come: then it goes back at once.
            taking.add_done_callback(_give_back_late)
            if isinstance(error, asyncio.TimeoutError):
                raise LockError("the conversation is busy") from error
            raise
        try:
            yield
        finally:
            await asyncio.shield(asyncio.to_thread(_give_back, connection))

    def _take(self, name: str) -> Connection:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection = self._engine.connect()
        try:
            connection.begin()
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (key,))
        except BaseException:
            connection.close()
            raise
        return connection


def _give_back_late(taking: "asyncio.Future[Connection]") -> None:
    if not taking.cancelled() and taking.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, _give_back, taking.result())


def _give_back(connection: Connection) -> None:
    try:
        connection.close()  # ends the transaction, and the lock with it
    except SQLAlchemyError as error:
        logger.warning("a lock's connection is gone: %s", type(error).__name__)


@lru_cache(maxsize=1)
def locks() -> Locks:
    """Return the locks that the environment names: Redis, else PostgreSQL, else this process's own.

    All who ask in one process get the same.

    Raises:
        guide.environment.SettingError: a setting is wrong.
    """
    redis_url = setting("REDIS_URL")
    if redis_url:
        return RedisLocks(redis_url)
    database = given_database()
    if database and database.startswith("postgres"):
        return PostgresLocks(database)
    return ProcessLocks()
