"""Both journals keep the same contract, also between two processes."""

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from channels import journal, journal_redis
from channels.journal import Entry, Journal, SqliteJournal
from channels.journal_redis import RedisJournal

Make = Callable[..., Journal]


@pytest.fixture(params=["sqlite", "redis"])
def make(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make journals over the same store, each as another process would have it."""
    for module in (journal, journal_redis):
        monkeypatch.setattr(module, "LEASE_SECONDS", 1.0)
    place = uuid.uuid4().hex
    if request.param == "sqlite":
        return lambda channel="slack": SqliteJournal(tmp_path / "staff.db", channel)
    url = request.getfixturevalue("redis_url")
    return lambda channel="slack": RedisJournal(url, f"{place}:{channel}")


def entry(body: bytes = b"body") -> Entry:
    return Entry(uuid.uuid4().hex, body, time.time())


async def test_any_known_key_makes_a_duplicate(make: Make) -> None:
    kept = make()
    assert await kept.accept(["event:1", "message:1"], entry())
    assert not await kept.accept(["event:1"], entry())
    assert not await kept.accept(["event:2", "message:1"], entry())
    # What came with a known key is not remembered by its other keys.
    assert await kept.accept(["event:2"], entry())


async def test_channels_do_not_meet(make: Make) -> None:
    assert await make("slack").accept(["1"], entry())
    assert await make("telegram").accept(["1"], entry())
    await asyncio.sleep(1.2)
    assert len(await make("slack").adopt()) == 1


async def test_of_many_at_once_one_is_accepted(make: Make) -> None:
    journals = [make() for _ in range(4)]
    accepted = await asyncio.gather(*(kept.accept(["1"], entry()) for kept in journals * 5))
    assert sum(accepted) == 1


async def test_what_is_held_is_not_adopted_and_what_is_left_is_once(make: Make) -> None:
    first, second, third = make(), make(), make()
    mine = entry(b"first")
    assert await first.accept(["1"], mine)
    assert await second.adopt() == []
    await asyncio.sleep(1.2)
    adopted = await asyncio.gather(second.adopt(), third.adopt())
    assert [found for both in adopted for found in both] == [mine]
    # The one who lost it can no longer change it.
    assert not await first.keep(mine.id, b"late", 1.0)
    await first.finish(mine.id, "answered")
    assert (await first.outcomes()) == {"open": 1}


async def test_holding_on_prevents_adoption(make: Make) -> None:
    first, second = make(), make()
    mine = entry()
    assert await first.accept(["1"], mine)
    for _ in range(4):
        await asyncio.sleep(0.4)
        await first.renew([mine.id])
        assert await second.adopt() == []


async def test_what_is_released_is_adopted_at_once_oldest_first(make: Make) -> None:
    first, second = make(), make()
    entries = [Entry(uuid.uuid4().hex, b"x", float(age)) for age in (3, 1, 2)]
    for number, one in enumerate(entries):
        assert await first.accept([str(number)], one)
    assert await first.keep(entries[0].id, b"changed", 1.0)
    await first.release([one.id for one in entries])
    found = await second.adopt()
    assert [one.received for one in found] == [1, 2, 3]
    assert found[-1].body == b"changed"


async def test_what_is_put_off_is_adopted_after_that_time(make: Make) -> None:
    first, second = make(), make()
    mine = entry()
    assert await first.accept(["1"], mine)
    assert await first.keep(mine.id, b"later", 2.0)
    await asyncio.sleep(1.2)
    assert await second.adopt() == []
    await asyncio.sleep(1.0)
    assert [one.body for one in await second.adopt()] == [b"later"]


async def test_the_end_leaves_a_trace_and_no_body(make: Make, tmp_path: Path) -> None:
    kept = make()
    mine = entry(b"unmistakable-body")
    assert await kept.accept(["1"], mine)
    assert await kept.outcomes() == {"open": 1}
    await kept.finish(mine.id, "answered")
    assert await kept.outcomes() == {"answered": 1}
    await asyncio.sleep(1.2)
    assert await make().adopt() == []
    assert not await make().accept(["1"], entry())


async def test_the_file_is_for_its_user_alone_and_bodies_leave_no_rest(tmp_path: Path) -> None:
    kept = SqliteJournal(tmp_path / "staff.db", "slack")
    for number in range(20):
        mine = entry(b"unmistakable-body" * 50)
        await kept.accept([str(number)], mine)
        await kept.finish(mine.id, "answered")
    assert (tmp_path / "staff.db").stat().st_mode & 0o077 == 0
    kept._open.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    assert b"unmistakable" not in (tmp_path / "staff.db").read_bytes()


async def test_after_two_days_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = SqliteJournal(tmp_path / "staff.db", "slack")
    mine = entry()
    await kept.accept(["1"], mine)
    await kept.finish(mine.id, "answered")
    later = time.time() + 3 * 86400
    monkeypatch.setattr(journal.time, "time", lambda: later)
    assert await kept.accept(["1"], Entry("new", b"x", later))
    assert await kept.outcomes() == {"open": 1}


async def test_a_missing_store_raises(tmp_path: Path) -> None:
    for kept in (
        SqliteJournal(tmp_path / "no" / "folder", "slack"),
        RedisJournal("redis://127.0.0.1:9/0", "slack"),
    ):
        with pytest.raises(Exception, match=r".+"):
            await kept.accept(["1"], entry())
