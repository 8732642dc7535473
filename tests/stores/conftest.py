"""Real services for the stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import create_engine

from guide.conversations import ConversationStore
from tests.services import Postgres, Redis, a_postgres, a_redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests of the stores."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis for all tests of the stores."""
    with a_redis() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'conversations.db'}"
    url: str = request.getfixturevalue("postgres").url
    with create_engine(url).connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return url


@pytest.fixture
def key() -> str:
    """A key."""
    return Fernet.generate_key().decode()


@pytest.fixture
def store(database: str, key: str) -> ConversationStore:
    """A conversation store over an empty database."""
    return ConversationStore(database, MultiFernet([Fernet(key)]))
