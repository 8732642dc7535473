"""Conversations on real databases: nothing lost, nothing doubled, nothing readable."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from guide.conversations import ConflictError, ConversationStore, Head, metadata
from guide.database import VERSION_TABLE, engine_for, upgrade
from guide.paths import ROOT
from tests.services import Postgres


def turn(number: int) -> dict[str, Any]:
    return {"events": [{"event": "user", "text": f"secret {number}"}], "slots": {}}


def test_turns_come_back_in_order(store: ConversationStore) -> None:
    head = None
    for number in range(5):
        head = store.append("a", head, turn(number))
    assert head is not None
    assert store.head("a") == head
    assert store.turns(head) == [turn(number) for number in range(5)]
    assert store.turns(head, 3) == [turn(3), turn(4)]
    assert store.head("b") is None


def test_of_two_writers_one_is_refused_and_nothing_of_it_stays(store: ConversationStore) -> None:
    head = store.append("a", None, turn(0))
    grown = store.append("a", head, turn(1))
    with pytest.raises(ConflictError):
        store.append("a", head, turn(2))
    with pytest.raises(ConflictError):
        store.append("a", None, turn(3))
    assert store.turns(grown) == [turn(0), turn(1)]
    assert store.orphans() == 0


def test_many_writers_lose_and_double_nothing(store: ConversationStore) -> None:
    def write(number: int) -> bool:
        while True:
            try:
                store.append("a", store.head("a"), turn(number))
                return True
            except ConflictError:
                pass

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write, range(40)))
    head = store.head("a")
    assert head is not None
    texts = [kept["events"][0]["text"] for kept in store.turns(head)]
    assert sorted(texts) == sorted(f"secret {number}" for number in range(40))


def test_reading_does_not_wait_for_another_writer(tmp_path: Path, key: str) -> None:
    file = tmp_path / "c.db"
    store = ConversationStore(f"sqlite:///{file}", MultiFernet([Fernet(key)]))
    head = store.append("a", None, turn(0))
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert store.head("a") == head
        assert store.turns(head) == [turn(0)]
        assert store.names() == ["a"]
        writer.execute("ROLLBACK")


def test_nothing_said_can_be_read_in_the_database(database: str, store: ConversationStore) -> None:
    store.append("a", None, turn(7))
    with create_engine(database).connect() as connection:
        rows = connection.execute(text("SELECT data FROM turns")).scalars().all()
    assert rows
    assert all(b"secret" not in bytes(row) for row in rows)


def test_keys_rotate(database: str, key: str, store: ConversationStore) -> None:
    head = store.append("a", None, turn(1))
    newest = Fernet(Fernet.generate_key())
    with pytest.raises(InvalidToken):
        ConversationStore(database, MultiFernet([newest])).turns(head)
    both = ConversationStore(database, MultiFernet([newest, Fernet(key)]))
    assert both.turns(head) == [turn(1)]
    for number in range(1200):
        head = both.append("a", head, turn(number))
    assert both.rekey() == 1201
    assert len(ConversationStore(database, MultiFernet([newest])).turns(head)) == 1201


def test_a_deleted_conversation_is_gone_and_its_number_is_never_given_again(
    store: ConversationStore,
) -> None:
    first = store.append("a", None, turn(1))
    assert store.delete("a")
    assert not store.delete("a")
    assert store.head("a") is None
    assert store.orphans() == 0
    again = store.append("a", None, turn(2))
    assert again.id != first.id
    assert store.turns(again) == [turn(2)]
    with pytest.raises(ConflictError):
        store.append("a", first, turn(3))
    with pytest.raises(ConflictError):
        store.turns(Head(first.id, 1))


def test_what_was_deleted_is_in_no_file_any_more(tmp_path: Path, key: str) -> None:
    store = ConversationStore(f"sqlite:///{tmp_path / 'c.db'}", MultiFernet([Fernet(key)]))
    store.append("web:somebody", None, turn(1))
    with create_engine(f"sqlite:///{tmp_path / 'c.db'}").connect() as connection:
        data = bytes(connection.execute(text("SELECT data FROM turns")).scalar_one())

    def found(what: bytes) -> bool:
        return any(what in path.read_bytes() for path in tmp_path.iterdir())

    assert found(data)
    store.delete("web:somebody")
    assert not found(data)
    assert not found(b"web:somebody")


def test_only_idle_conversations_are_deleted_as_such(store: ConversationStore) -> None:
    store.append("a", None, turn(1))
    assert store.idle(0) == []
    assert store.idle(2**40) == ["a"]
    assert not store.delete("a", idle_since=0)
    assert store.delete("a", idle_since=2**40)


def test_many_processes_may_start_on_an_empty_database(database: str, key: str) -> None:
    def begin(number: int) -> Head:
        fresh = ConversationStore(database, MultiFernet([Fernet(key)]))
        return fresh.append(f"conversation {number}", None, turn(number))

    with ThreadPoolExecutor(6) as threads:
        heads = list(threads.map(begin, range(6)))
    assert len({head.id for head in heads}) == 6


def test_the_schema_is_what_the_code_says(database: str) -> None:
    engine = engine_for(database)
    upgrade(engine)
    with engine.connect() as connection:
        options = {
            "version_table": VERSION_TABLE,
            # SQLite's own, and the gap store's.
            "include_name": lambda name, kind, parents: kind != "table" or name in metadata.tables,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def revisions() -> list[str]:
    script = ScriptDirectory(str(ROOT / "guide" / "migrations"))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


@pytest.mark.parametrize("revision", revisions())
def test_every_released_schema_is_brought_up_to_date_with_what_is_in_it(
    database: str, revision: str, key: str
) -> None:
    engine = engine_for(database)
    upgrade(engine, revision)
    data = Fernet(key).encrypt(b'{"events": [], "slots": {"topic": "bladder"}}')
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO conversations (name, length, last_active) VALUES ('old', 1, 1.5)")
        )
        connection.execute(
            text("INSERT INTO turns SELECT id, 0, :data FROM conversations"), {"data": data}
        )
    store = ConversationStore(database, MultiFernet([Fernet(key)]))
    head = store.head("old")
    assert head is not None
    assert store.turns(head) == [{"events": [], "slots": {"topic": "bladder"}}]
    assert store.idle(2.0) == ["old"]


def test_a_long_history_is_found_through_an_index(postgres: Postgres, key: str) -> None:
    store = ConversationStore(postgres.url, MultiFernet([Fernet(key)]))
    store.names()
    with create_engine(postgres.url).connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        for query in (
            "SELECT data FROM turns WHERE conversation = 1 AND position >= 3 ORDER BY position",
            "SELECT id FROM conversations WHERE name = 'a'",
            "SELECT name FROM conversations WHERE last_active < 5",
        ):
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {query}").scalars())
            assert "Index" in plan, plan


def test_a_database_that_was_away_is_used_again(postgres: Postgres, key: str) -> None:
    store = ConversationStore(postgres.url, MultiFernet([Fernet(key)]))
    head = store.append("away", store.head("away"), turn(1))
    postgres.stop()
    try:
        with pytest.raises(SQLAlchemyError):
            store.head("away")
    finally:
        postgres.start()
    assert store.head("away") == head
