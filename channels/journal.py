"""What a staff channel has accepted and not yet answered, kept so that a restart loses nothing.

A message is accepted once: each of its keys (event id, update id, place and time) is remembered
for two days. Its body is kept, encrypted, until it is answered. While a process works on it, the
process holds a lease; when that runs out, because the process died, another may adopt the message.
"""

import asyncio
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Protocol

KEPT_SECONDS = 2 * 86400.0
"""Slack sends an event again for an hour, Telegram for a day."""

LEASE_SECONDS = 15.0


@dataclass(frozen=True)
class Entry:
    """An accepted message: its id, its encrypted body, when it came (seconds since the epoch)."""

    id: str
    body: bytes
    received: float


class Journal(Protocol):
    """The accepted messages of one channel. Every method raises when the store fails."""

    async def accept(self, keys: Sequence[str], entry: Entry) -> bool:
        """Keep a message and hold it; return False if one of its keys is known already."""

    async def keep(self, id: str, body: bytes, seconds: float) -> bool:
        """Set the body and hold on for `seconds`; return False if another process holds it."""

    async def renew(self, ids: Sequence[str]) -> None:
        """Hold on to those of these messages that are still held here."""

    async def release(self, ids: Sequence[str]) -> None:
        """Let any process adopt these messages at once."""

    async def finish(self, id: str, outcome: str) -> None:
        """Forget the body; `outcome` is a word that stays as a trace for two days."""

    async def adopt(self) -> List[Entry]:
        """Hold and return the unfinished messages that nobody holds, oldest first."""

    async def outcomes(self) -> Dict[str, int]:
        """Return how many messages of the last two days ended how; `open` are unfinished."""


class SqliteJournal:
    """A journal in a SQLite file, for the processes of one machine."""

    def __init__(self, path: Path, channel: str) -> None:
        self._path = path
        self._channel = channel
        self._instance = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    @property
    def _owner(self) -> str:
        # Workers that the server forks share the instance, but nothing that is held.
        return f"{self._instance}:{os.getpid()}"

    async def accept(self, keys: Sequence[str], entry: Entry) -> bool:
        now = time.time()

        def work(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM keys WHERE received < ?", (now - KEPT_SECONDS,))
            db.execute(
                "DELETE FROM messages WHERE body IS NULL AND received < ?", (now - KEPT_SECONDS,)
            )
            known = "SELECT 1 FROM keys WHERE key = ?"
            named = [f"{self._channel}:{key}" for key in keys]
            if any(db.execute(known, (key,)).fetchone() for key in named):
                return False
            db.executemany("INSERT INTO keys VALUES (?, ?)", [(key, now) for key in named])
            db.execute(
                "INSERT INTO messages (id, channel, state, owner, held_until, received, body) "
                "VALUES (?, ?, 'open', ?, ?, ?, ?)",
                (
                    *(entry.id, self._channel, self._owner, now + LEASE_SECONDS),
                    *(entry.received, entry.body),
                ),
            )
            return True

        return bool(await self._run(work))

    async def keep(self, id: str, body: bytes, seconds: float) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            changed = db.execute(
                "UPDATE messages SET body = ?, held_until = ? WHERE id = ? AND owner = ?",
                (body, time.time() + seconds, id, self._owner),
            )
            return changed.rowcount == 1

        return bool(await self._run(work))

    async def renew(self, ids: Sequence[str]) -> None:
        await self._hold_until(ids, time.time() + LEASE_SECONDS)

    async def release(self, ids: Sequence[str]) -> None:
        await self._hold_until(ids, 0.0)

    async def _hold_until(self, ids: Sequence[str], until: float) -> None:
        await self._run(
            lambda db: db.executemany(
                "UPDATE messages SET held_until = ? WHERE id = ? AND owner = ?",
                [(until, id, self._owner) for id in ids],
            )
        )

    async def finish(self, id: str, outcome: str) -> None:
        await self._run(
            lambda db: db.execute(
                "UPDATE messages SET body = NULL, state = ? WHERE id = ? AND owner = ?",
                (outcome, id, self._owner),
            )
        )

    async def adopt(self) -> List[Entry]:
        now = time.time()

        def work(db: sqlite3.Connection) -> List[Entry]:
            rows = db.execute(
                "SELECT id, body, received FROM messages "
                "WHERE channel = ? AND body IS NOT NULL AND held_until < ? ORDER BY received",
                (self._channel, now),
            ).fetchall()
            db.executemany(
                "UPDATE messages SET owner = ?, held_until = ? WHERE id = ?",
                [(self._owner, now + LEASE_SECONDS, row[0]) for row in rows],
            )
            return [Entry(*row) for row in rows]

        found: List[Entry] = await self._run(work)
        return found

    async def outcomes(self) -> Dict[str, int]:
        def work(db: sqlite3.Connection) -> Dict[str, int]:
            rows = db.execute(
                "SELECT state, COUNT(*) FROM messages WHERE channel = ? AND received > ? "
                "GROUP BY state",
                (self._channel, time.time() - KEPT_SECONDS),
            )
            return dict(rows.fetchall())

        found: Dict[str, int] = await self._run(work)
        return found

    async def _run(self, work: Any) -> Any:
        """Run `work` on the connection in one transaction, off the event loop."""

        def run() -> Any:
            with self._transaction() as db:
                return work(db)

        return await asyncio.to_thread(run)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._open is None:
                self._open = _opened(self._path)
            # IMMEDIATE: what is read here is still true when it is written.
            self._open.execute("BEGIN IMMEDIATE")
            try:
                yield self._open
            except BaseException:
                self._open.execute("ROLLBACK")
                raise
            self._open.execute("COMMIT")


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600, exist_ok=True)
    db = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    # What is deleted is overwritten: bodies hold what staff wrote.
    db.execute("PRAGMA secure_delete = ON")
    db.execute(
        "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, channel TEXT NOT NULL, "
        "state TEXT NOT NULL, owner TEXT NOT NULL, held_until REAL NOT NULL, "
        "received REAL NOT NULL, body BLOB)"
    )
    db.execute("CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, received REAL NOT NULL)")
    return db
