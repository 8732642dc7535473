"""What processes share through Redis, and that an answer does not depend on it."""

import asyncio
import json
import time

import pytest

from channels.web_limits import RateLimits
from channels.web_memory import IdReusedError, Ledger, Outcome, ProcessMemory, RedisMemory
from tests.channels.web_server import serving

NOBODY = "redis://127.0.0.1:9/0"


async def answer_slowly(again: bool = False) -> Outcome:
    await asyncio.sleep(0.3)
    return Outcome(200, {"at": time.monotonic()})


async def never(again: bool) -> Outcome:
    raise AssertionError("this message was answered before")


async def test_two_processes_take_one_turn(redis_url: str) -> None:
    one, other = Ledger(RedisMemory(redis_url)), Ledger(RedisMemory(redis_url))
    first, second = await asyncio.gather(
        one.once("a", "digest", answer_slowly), other.once("a", "digest", answer_slowly)
    )
    assert first == second
    assert await Ledger(RedisMemory(redis_url)).once("a", "digest", never) == first
    with pytest.raises(IdReusedError):
        await other.once("a", "another", never)


async def test_the_turn_of_a_process_that_died_is_taken_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.web_memory.LEASE_SECONDS", 0.4)
    dead = RedisMemory(redis_url)
    await dead.claim("died", json.dumps({"digest": "d", "until": time.time() + 0.4}), 60)
    told: list[bool] = []

    async def take(again: bool) -> Outcome:
        told.append(again)
        return Outcome(200, {"replies": []})

    assert await Ledger(RedisMemory(redis_url)).once("died", "d", take) == Outcome(
        200, {"replies": []}
    )
    assert told == [True]


async def test_a_long_turn_is_not_taken_by_another_process(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.web_memory.LEASE_SECONDS", 0.3)
    monkeypatch.setattr("channels.web_memory.RENEW_SECONDS", 0.1)

    async def slow(again: bool) -> Outcome:
        await asyncio.sleep(1)
        return Outcome(200, {})

    one, other = Ledger(RedisMemory(redis_url)), Ledger(RedisMemory(redis_url))
    first = asyncio.create_task(one.once("long", "d", slow))
    await asyncio.sleep(0.1)
    assert await other.once("long", "d", never) == await first


async def test_after_a_failure_the_next_attempt_knows_of_it() -> None:
    told: list[bool] = []

    async def take(again: bool) -> Outcome:
        told.append(again)
        return Outcome(200 if again else 503, {})

    ledger = Ledger(ProcessMemory())
    assert (await ledger.once("failed", "d", take)).status == 503
    assert (await ledger.once("failed", "d", take)).status == 200
    assert told == [False, True]


async def test_a_session_that_ended_has_ended_in_every_process(redis_url: str) -> None:
    async with serving(redis_url=redis_url) as web:
        visitor = await web.visitor().open()
        assert (await visitor.send(text="hi"))[0] == 200
        await visitor.call("DELETE", "/session")
        token = visitor.headers["Authorization"]
    async with serving(redis_url=redis_url) as web:
        visitor = web.visitor()
        visitor.headers["Authorization"] = token
        assert (await visitor.send(text="hi"))[1]["error"] == "session_ended"


async def test_limits_are_shared(redis_url: str) -> None:
    one, other = RateLimits(redis_url), RateLimits(redis_url)
    assert await one.wait("1/minute", "messages", "x") == 0
    assert await other.wait("1/minute", "messages", "x") > 0
    assert await other.wait("1/minute", "messages", "y") == 0


async def test_without_redis_people_are_answered_all_the_same() -> None:
    async with serving(redis_url=NOBODY, session_messages="2/minute") as web:
        visitor = await web.visitor().open()
        first = await visitor.send("message-one", text="hi")
        assert first[0] == 200
        assert await visitor.send("message-one", text="hi") == first
        assert (await visitor.send(text="hi"))[0] == 429
        await visitor.call("DELETE", "/session")
        assert (await visitor.send(text="hi"))[0] == 401


async def test_what_is_kept_is_forgotten_in_time() -> None:
    kept = ProcessMemory()
    await kept.put("a", "1", 0.05)
    assert await kept.claim("a", "2", 1) == "1"
    await asyncio.sleep(0.06)
    assert await kept.get("a") is None
    assert await kept.claim("a", "2", 1) is None
    assert await kept.get("a") == "2"
