"""Forgetting over real PostgreSQL and Redis: everything of one person, nothing of another."""

import subprocess
import sys
import time
from datetime import date, timedelta
from typing import Any

import pytest
import redis.asyncio
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import create_engine, text

from guide.conversations import ConversationStore
from guide.forgetting import Forgetting, NotForgottenError, Purged
from guide.gaps import UNANSWERED, GapLine, GapStore
from guide.locks import LockError, ProcessLocks
from tests.services import Redis


def heard(words: str) -> dict[str, Any]:
    event = {"event": "user", "text": words, "timestamp": time.time()}
    return {"events": [event, {"event": "bot", "text": "x"}], "slots": {}}


@pytest.fixture
def gaps(database: str) -> GapStore:
    return GapStore(database, 30)


@pytest.fixture
def forgetting(store: ConversationStore, gaps: GapStore, redis: Redis) -> Forgetting:
    return Forgetting(store, gaps, ProcessLocks(0.2), redis.url)


async def test_one_person_is_forgotten_everywhere_and_the_other_is_not(
    forgetting: Forgetting, store: ConversationStore, gaps: GapStore, redis: Redis, database: str
) -> None:
    shared = redis_client(redis)
    for name, words in (("web:one", "does it itch"), ("web:two", "does it glow")):
        head = store.append(name, None, heard(words))
        store.append(name, head, heard("hi"))
        gaps.add(GapLine(date.today(), UNANSWERED, words))
        await shared.set(f"kap-web:turn:{name[4:]}:message-1", words)
    forgotten = await forgetting.forget("web:one")
    assert (forgotten.turns, forgotten.gap_lines, forgotten.shared) == (2, 1, 1)
    assert store.names() == ["web:two"]
    assert [line.text for line in gaps.lines(date.min)] == ["does it glow"]
    assert await shared.keys("kap-web:*") == [b"kap-web:turn:two:message-1"]
    with create_engine(database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM turns")).scalar() == 2
    again = await forgetting.forget("web:one")
    assert (again.turns, again.gap_lines, again.shared) == (0, 0, 0)
    await shared.close()


def redis_client(server: Redis) -> Any:
    return redis.asyncio.from_url(server.url)


async def test_what_is_still_there_is_said(
    forgetting: Forgetting, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append("web:one", None, heard("hi"))
    monkeypatch.setattr(store, "delete", lambda name: True)
    with pytest.raises(NotForgottenError):
        await forgetting.forget("web:one")


async def test_a_turn_under_way_is_waited_for(store: ConversationStore, gaps: GapStore) -> None:
    locks = ProcessLocks(0.2)
    forgetting = Forgetting(store, gaps, locks)
    async with locks.hold("web:one"):
        with pytest.raises(LockError):
            await forgetting.forget("web:one")


async def test_a_redis_that_is_away_keeps_everything_for_the_next_try(
    store: ConversationStore, gaps: GapStore
) -> None:
    store.append("web:one", None, heard("hi"))
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        await Forgetting(store, gaps, ProcessLocks(), "redis://127.0.0.1:9").forget("web:one")
    assert store.names() == ["web:one"]


async def test_only_what_has_been_idle_for_long_is_purged(
    forgetting: Forgetting, store: ConversationStore, gaps: GapStore, database: str
) -> None:
    for name in ("web:old", "web:new", "web:back"):
        store.append(name, None, heard("hi"))
    gaps.add(GapLine(date.today() - timedelta(days=40), UNANSWERED, "old"))
    gaps.add(GapLine(date.today(), UNANSWERED, "new"))
    with create_engine(database).begin() as connection:
        connection.execute(
            text("UPDATE conversations SET last_active = :then WHERE name <> 'web:new'"),
            {"then": time.time() - 31 * 86400},
        )
    back = store.head("web:back")
    store.append("web:back", back, heard("i am back"))
    purged = await forgetting.purge(30)
    assert purged.conversations == 1
    assert sorted(store.names()) == ["web:back", "web:new"]
    assert [line.text for line in gaps.lines(date.min)] == ["new"]
    assert await forgetting.purge(30) == Purged(0, 0)


def test_the_command_forgets_purges_and_says_what_it_cannot_do(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("STORE_KEYS", key)
    store = ConversationStore(database, MultiFernet([Fernet(key)]))
    store.append("web:one", None, heard("hi"))
    assert "1 turns" in command("forget", "web:one")
    assert store.names() == []
    assert "no such conversation" in command("forget", "web:one")
    assert "deleted 0 conversations" in command("purge")
    store.append("web:one", None, heard("hi"))
    monkeypatch.setenv("STORE_KEYS", f"{Fernet.generate_key().decode()},{key}")
    assert "1 turns are encrypted" in command("rekey")
    monkeypatch.setenv("STORE_KEYS", key)
    assert "a key that STORE_KEYS lacks" in command("forget", "web:one", code=2)
    monkeypatch.setenv("STORE_KEYS", "nonsense")
    assert "STORE_KEYS" in command("purge", code=2)
    monkeypatch.setenv("STORE_KEYS", command("new-key"))
    assert "a key that STORE_KEYS lacks" in command("rekey", code=2)


def command(*arguments: str, code: int = 0) -> str:
    """Return what `kap-guide` prints, on one line."""
    done = subprocess.run(
        [sys.executable, "-m", "guide.command", *arguments], capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return " ".join((done.stdout + done.stderr).split())
