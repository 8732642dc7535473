"""Conversations in a database: each a row of turns, encrypted, in the order they were kept.

A turn is what was kept at once. A conversation only ever grows at its end, by a writer who knows
how long it is; two writers at once cannot both succeed, so nothing is lost or doubled.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import MultiFernet
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from guide.database import READS, engine_for, overwrite_log, upgrade
from guide.encryption import cipher
from guide.environment import database_url

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
_conversations = Table(
    "conversations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("length", Integer, nullable=False),
    Column("last_active", Float, nullable=False, index=True),
)
_turns = Table(
    "turns",
    metadata,
    Column(
        "conversation",
        _Id,
        ForeignKey("conversations.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

Turn = Mapping[str, Any]
"""JSON data; what is in it is the business of whoever keeps it."""

REKEYED_AT_ONCE = 500


class ConflictError(Exception):
    """Somebody else has written to the conversation, or deleted it, since it was read."""


@dataclass(frozen=True)
class Head:
    """How far a conversation has come.

    Attributes:
        id: never given to another conversation, not even to one of the same name.
        length: number of turns.
    """

    id: int
    length: int


class ConversationStore:
    """Keeps conversations in SQLite or PostgreSQL. Its methods block, and may run in any thread.

    The schema is brought up to date at the first use, and again tried at the next if that fails.
    Every method raises sqlalchemy.exc.SQLAlchemyError when the database fails, after seconds.
    """

    def __init__(self, url: str, cipher: MultiFernet) -> None:
        self._engine = engine_for(url)
        self._cipher = cipher
        self._is_current = False
        self._upgrading = threading.Lock()

    def head(self, name: str) -> Head | None:
        """Return how far a conversation has come, or None if there is none."""
        with self._connection(reads=True) as connection:
            row = connection.execute(
                select(_conversations.c.id, _conversations.c.length).where(
                    _conversations.c.name == name
                )
            ).first()
        return Head(*row) if row else None

    def turns(self, head: Head, since: int = 0) -> list[Turn]:
        """Return the turns of a conversation from a position on, up to `head`, oldest first.

        Raises:
            ConflictError: some are not there any more.
            cryptography.fernet.InvalidToken: they were encrypted with a key that is unknown here.
        """
        with self._connection(reads=True) as connection:
            rows = connection.execute(
                select(_turns.c.data)
                .where(_turns.c.conversation == head.id)
                .where(_turns.c.position >= since)
                .where(_turns.c.position < head.length)
                .order_by(_turns.c.position)
            ).all()
        if len(rows) != head.length - since:
            raise ConflictError("turns are missing")
        return [json.loads(self._cipher.decrypt(bytes(row.data))) for row in rows]

    def append(self, name: str, head: Head | None, turn: Turn) -> Head:
        """Keep a turn at the end of a conversation and return how far it has come now.

        Args:
            name: the conversation.
            head: how far it had come when the writer read it; None to begin it.
            turn: what is kept.

        Raises:
            ConflictError: it has not come so far, or farther; nothing was kept.
        """
        data = self._cipher.encrypt(json.dumps(turn, separators=(",", ":")).encode())
        now = time.time()
        with self._connection() as connection:
            if head is None:
                head = Head(self._begin(connection, name, now), 0)
            grown = connection.execute(
                _conversations.update()
                .where(_conversations.c.id == head.id)
                .where(_conversations.c.length == head.length)
                .values(length=head.length + 1, last_active=now)
            )
            if grown.rowcount != 1:
                raise ConflictError("the conversation has gone on elsewhere")
            connection.execute(
                _turns.insert().values(conversation=head.id, position=head.length, data=data)
            )
        return Head(head.id, head.length + 1)

    def _begin(self, connection: Connection, name: str, now: float) -> int:
        try:
            begun = connection.execute(
                _conversations.insert().values(name=name, length=0, last_active=now)
            )
        except IntegrityError as error:
            raise ConflictError("the conversation has begun elsewhere") from error
        return int(begun.inserted_primary_key[0])

    def delete(self, name: str, idle_since: float | None = None) -> bool:
        """Delete a conversation; return whether there was one.

        Args:
            name: the conversation.
            idle_since: if given, only when nothing was said since then (seconds since the epoch).
        """
        chosen = select(_conversations.c.id).where(_conversations.c.name == name)
        if idle_since is not None:
            chosen = chosen.where(_conversations.c.last_active < idle_since)
        with self._connection() as connection:
            found = connection.execute(chosen).scalar()
            if found is None:
                return False
            connection.execute(_turns.delete().where(_turns.c.conversation == found))
            connection.execute(_conversations.delete().where(_conversations.c.id == found))
        overwrite_log(self._engine)
        return True

    def idle(self, since: float) -> list[str]:
        """Return the conversations in which nothing was said since then, the longest idle first."""
        with self._connection(reads=True) as connection:
            rows = connection.execute(
                select(_conversations.c.name)
                .where(_conversations.c.last_active < since)
                .order_by(_conversations.c.last_active)
            )
            return [row.name for row in rows]

    def names(self) -> list[str]:
        """Return every conversation."""
        with self._connection(reads=True) as connection:
            return [row.name for row in connection.execute(select(_conversations.c.name))]

    def orphans(self) -> int:
        """Return the number of turns that belong to no conversation; there are never any."""
        known = select(_conversations.c.id)
        with self._connection(reads=True) as connection:
            return int(
                connection.execute(
                    select(func.count()).where(_turns.c.conversation.not_in(known))
                ).scalar_one()
            )

    def rekey(self) -> int:
        """Encrypt every turn with the newest key, some at a time; return how many there were.

        Afterwards older keys are needed no more.
        """
        done = 0
        after = (-1, -1)
        key = (_turns.c.conversation, _turns.c.position)
        while True:
            with self._connection() as connection:
                rows = connection.execute(
                    select(*key, _turns.c.data)
                    .where((key[0] > after[0]) | ((key[0] == after[0]) & (key[1] > after[1])))
                    .order_by(*key)
                    .limit(REKEYED_AT_ONCE)
                ).all()
                for row in rows:
                    connection.execute(
                        _turns.update()
                        .where(key[0] == row.conversation, key[1] == row.position)
                        .values(data=self._cipher.rotate(bytes(row.data)))
                    )
            if not rows:
                return done
            done += len(rows)
            after = (rows[-1].conversation, rows[-1].position)

    @contextmanager
    def _connection(self, reads: bool = False) -> Iterator[Connection]:
        """Connect, and begin a transaction; `reads`: that writes nothing."""
        if not self._is_current:
            with self._upgrading:
                if not self._is_current:
                    upgrade(self._engine)
                    self._is_current = True
        with self._engine.execution_options(**{READS: reads}).begin() as connection:
            yield connection


def conversation_store() -> ConversationStore:
    """Return the store that the environment names; nothing is opened before the first use.

    Raises:
        guide.environment.SettingError: a setting is wrong.
    """
    return ConversationStore(database_url("conversations.db"), cipher())
