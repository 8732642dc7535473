"""Locks over real Redis and PostgreSQL, and over real processes: one at a time, in order."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import guide.locks
from guide.locks import LockError, Locks, PostgresLocks, ProcessLocks, RedisLocks
from tests.services import Postgres, Redis

Make = Callable[[], Locks]


@pytest.fixture(params=["process", "redis", "postgresql"])
def make(request: pytest.FixtureRequest) -> Make:
    """Make locks such as another process would have (of one process: always the same)."""
    if request.param == "process":
        only = ProcessLocks(wait_seconds=2)
        return lambda: only
    if request.param == "redis":
        redis: Redis = request.getfixturevalue("redis")
        return lambda: RedisLocks(redis.url, wait_seconds=2)
    postgres: Postgres = request.getfixturevalue("postgres")
    return lambda: PostgresLocks(postgres.url, wait_seconds=2)


async def test_one_at_a_time(make: Make) -> None:
    inside: list[int] = []
    most = 0

    async def enter(locks: Locks, number: int) -> None:
        nonlocal most
        async with locks.hold("one at a time"):
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0.01)
            inside.remove(number)

    several = [make(), make(), make()]
    await asyncio.gather(*(enter(several[n % 3], n) for n in range(24)))
    assert most == 1


async def test_in_the_order_of_arrival_over_processes(make: Make) -> None:
    came: list[int] = []
    several = [make(), make(), make()]

    async def enter(locks: Locks, number: int) -> None:
        async with locks.hold("in order"):
            came.append(number)

    async with several[0].hold("in order"):
        waiting = []
        for number in range(9):
            waiting.append(asyncio.create_task(enter(several[number % 3], number)))
            await asyncio.sleep(0.05)
    await asyncio.gather(*waiting)
    assert came == list(range(9))


async def test_conversations_do_not_wait_for_each_other(make: Make) -> None:
    locks = make()
    async with locks.hold("one"):
        await asyncio.wait_for(_enter(locks, "another"), 1)


async def _enter(locks: Locks, name: str) -> None:
    async with locks.hold(name):
        pass


async def test_a_wait_ends(make: Make) -> None:
    one, other = make(), make()
    async with one.hold("busy"):
        started = time.monotonic()
        with pytest.raises(LockError):
            await _enter(other, "busy")
        assert time.monotonic() - started < 10
    await _enter(other, "busy")


async def test_a_waiter_who_gives_up_leaves_nothing_behind(make: Make) -> None:
    one, other = make(), make()
    async with one.hold("given up"):
        waiting = asyncio.create_task(_enter(other, "given up"))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(_enter(make(), "given up"), 2)


async def test_a_failing_turn_gives_the_lock_back(make: Make) -> None:
    with pytest.raises(ValueError, match="x"):
        async with make().hold("failing"):
            raise ValueError("x")
    await _enter(make(), "failing")


async def test_no_one_waits_by_the_second(make: Make) -> None:
    several = [make(), make()]
    started = time.monotonic()
    await asyncio.gather(*(_enter(several[n % 2], "short turns") for n in range(10)))
    assert time.monotonic() - started < 1.9


async def test_a_long_turn_keeps_its_lock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide.locks, "ALIVE_SECONDS", 0.4)
    monkeypatch.setattr(guide.locks, "RENEW_SECONDS", 0.1)
    one, other = RedisLocks(redis.url), RedisLocks(redis.url)
    async with one.hold("long"):
        waiting = asyncio.create_task(_enter(other, "long"))
        await asyncio.sleep(1.2)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 1)


def _hold_for_ever(url: str, marker: str) -> None:
    async def hold() -> None:
        locks = RedisLocks(url) if url.startswith("redis") else PostgresLocks(url)
        async with locks.hold("killed"):
            Path(marker).touch()
            await asyncio.sleep(600)

    asyncio.run(hold())


@pytest.mark.parametrize("service", ["redis", "postgres"])
def test_the_lock_of_a_killed_process_is_free_again(
    service: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(service).url
    marker = tmp_path / "holding"
    process = multiprocessing.get_context("spawn").Process(
        target=_hold_for_ever, args=(url, str(marker))
    )
    process.start()
    while not marker.exists():
        time.sleep(0.05)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    locks = RedisLocks(url) if service == "redis" else PostgresLocks(url)
    asyncio.run(_enter(locks, "killed"))


@pytest.mark.parametrize("service", ["redis", "postgres"])
async def test_a_service_that_is_gone_is_said_to_be(
    service: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(service)
    locks = RedisLocks(server.url) if service == "redis" else PostgresLocks(server.url)
    await _enter(locks, "before")
    server.stop()
    try:
        with pytest.raises(LockError):
            await _enter(locks, "gone")
    finally:
        server.start()
    await _enter(locks, "after")


async def test_a_service_that_goes_during_a_turn_does_not_break_the_turn(redis: Redis) -> None:
    locks = RedisLocks(redis.url)
    async with locks.hold("during"):
        redis.stop()
    redis.start()
    await _enter(locks, "during")
