"""The database of the conversations: SQLite for one process, PostgreSQL for many; its schema."""

from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from guide.paths import ROOT

WAIT_SECONDS = 5
CONNECTIONS = 8
"""How many connections one process holds at most."""

READS = "kap_reads"
"""Execution option of connections that write nothing: in SQLite they need not wait for writers."""

VERSION_TABLE = "kap_schema"
_MIGRATIONS = ROOT / "guide" / "migrations"
_UPGRADE_LOCK = 0x4B415047  # any number that nobody else uses


def engine_for(url: str) -> Engine:
    """Return an engine for a database that gives up after WAIT_SECONDS; nothing connects yet."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    waiting = {
        "connect_timeout": WAIT_SECONDS,
        "options": f"-c statement_timeout={WAIT_SECONDS * 1000}",
        # A server that is gone is noticed, also while an answer is awaited.
        "keepalives_idle": WAIT_SECONDS,
        "tcp_user_timeout": WAIT_SECONDS * 1000,
    }
    return create_engine(
        url,
        connect_args=waiting,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    # Transactions begin below, not where Python's driver thinks they should.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    # What is deleted is overwritten.
    connection.execute("PRAGMA secure_delete = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turned into a writer could find itself refused; so all are writers from the
    # beginning, one after another, but for those who say that they will only read.
    reads = connection.get_execution_options().get(READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the schema to a revision; one process does it while others wait.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database fails.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def overwrite_log(engine: Engine) -> None:
    """Let SQLite's write-ahead log, which still holds what was deleted, be emptied."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
