"""The switch: a file works alone, Redis tells other machines, and nothing turns it by accident."""

import asyncio
from pathlib import Path

import pytest
import redis

from guide import switch as module
from guide.switch import KEY, Switch

NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKED_UP_EVERY", 0.0)


def test_a_file_is_enough(tmp_path: Path) -> None:
    async def story() -> None:
        switch = Switch(tmp_path / "off", None)
        assert not await switch.is_off()
        Switch(tmp_path / "off", None).turn_off("a wrong answer")
        assert await switch.is_off()
        state = switch.state()
        assert state
        assert state.reason == "a wrong answer"
        Switch(tmp_path / "off", None).turn_on()
        assert not await switch.is_off()
        assert switch.state() is None

    asyncio.run(story())


@pytest.mark.parametrize("content", ["", "because", '{"since": 1}', "[]", "null"])
def test_a_file_made_by_hand_counts_whatever_it_holds(tmp_path: Path, content: str) -> None:
    (tmp_path / "off").write_text(content)
    switch = Switch(tmp_path / "off", None)
    assert asyncio.run(switch.is_off())
    assert switch.state()


def test_another_machine_follows(tmp_path: Path, redis_url: str) -> None:
    async def story() -> None:
        here, there = Switch(tmp_path / "here", redis_url), Switch(tmp_path / "there", redis_url)
        assert not await there.is_off()
        here.turn_off("")
        assert await there.is_off()
        assert there.state()
        here.turn_on()
        assert not await there.is_off()
        assert there.state() is None

    asyncio.run(story())


def test_a_redis_that_began_anew_turns_nothing_on(tmp_path: Path, redis_url: str) -> None:
    async def story() -> None:
        here, there = Switch(tmp_path / "here", redis_url), Switch(tmp_path / "there", redis_url)
        here.turn_off("")
        assert await there.is_off()
        redis.from_url(redis_url).delete(KEY)
        assert await there.is_off()
        assert await here.is_off()

    asyncio.run(story())


def test_without_redis_the_file_still_works_and_what_was_said_last_stays(tmp_path: Path) -> None:
    async def story() -> None:
        switch = Switch(tmp_path / "off", NOBODY)
        assert not await switch.is_off()
        with pytest.raises(redis.RedisError):
            switch.turn_off("")
        assert await switch.is_off()

    asyncio.run(story())


def test_redis_is_not_asked_at_every_turn(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKED_UP_EVERY", 3600.0)

    async def story() -> None:
        switch = Switch(tmp_path / "there", redis_url)
        assert not await switch.is_off()
        Switch(tmp_path / "here", redis_url).turn_off("")
        assert not await switch.is_off()

    asyncio.run(story())
